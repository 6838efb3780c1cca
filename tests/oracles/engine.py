"""The engine, slow and obvious: the twins of book, quoter, risk and OMS, visited in the order of the page.

A record is a dictionary of its integer fields; a decision is a list of 128-byte records, compared whole. Strategies are
a script: records that are said if, and only if, anything happened that strategies are told of.
"""

from typing import Any

import numpy as np

from openbell.types import (
    NO_INSTRUMENT,
    NO_STRATEGY,
    RECORDS,
    ArmState,
    IntentKind,
    OrderState,
    Reason,
    Tif,
    TradingState,
    Type,
)
from oracles import oms, risk
from oracles.breakers import NEVER
from oracles.engine_arming import BREAKER_TIMER
from oracles.engine_inputs import BUY, SELL, TIMER_LEAST_NS, EngineInputs, Fields, Happened, Key
from oracles.engine_intents import EngineIntents
from oracles.engine_lifecycle import STRATEGIES, EngineLifecycle
from oracles.order_records import fields_of, record
from oracles.state_hash import hash_bytes

__all__ = ["BUY", "SELL", "Engine"]


class Engine(EngineLifecycle, EngineIntents, EngineInputs):
    """The same decisions as the native engine, for instruments of one venue."""

    def on_event(
        self, records: bytes, seq: int, ts_seq: int, source: int, source_seq: int, script: list[bytes]
    ) -> list[bytes]:
        self.now, self.seq = ts_seq, seq
        self.out, self.dirty, self.happened = [], [], Happened()
        self.heard[source] = ts_seq
        size = 48 if records[0] < 32 else 128
        for at in range(0, len(records), size):
            self._apply(records[at : at + size], source)
        for instrument in self.happened.books:
            self._check_touch(instrument)
            self._mark_to_market(instrument)
        self.accounts.settle()
        self._check_breakers()
        if source_seq:
            self.source_seq[source] = source_seq
        self._watch_stops()
        if source == STRATEGIES:
            for said in self._baskets(self._said(records)):
                self._take(said)
        if self.happened.told() is not None:
            self.out += script
            for said in self._baskets(script):
                self._take(said)
        self._release_stops()
        self._end_flattening()
        if self.up:
            self._aim_targets()
            for key in [key for key in self.dirty if self.is_up(key[1])]:
                if self._reconcile(key):
                    self._reconcile(key)
        if self.sweep_due and records[0] not in (Type.SENT, Type.NOT_SENT):
            self._sweep()
        if self.out or self.checkpoint:
            self._seal()
        return self.out

    def _seal(self) -> None:
        self.rolling = hash_bytes(b"".join(self.out), self.rolling ^ self.seq)
        self.decisions += 1
        fields = {"flags": int(self.checkpoint), "instrument": NO_INSTRUMENT, "ts_event": self.now}
        self.out.append(record("Hash", type=Type.HASH, rolling=self.rolling, decisions=self.decisions, **fields))
        self.checkpoint = False

    # ---- what to do about it

    def _baskets(self, script: list[bytes]) -> list[Any]:
        """Records as they are; orders of one basket that follow each other as one list."""
        out: list[Any] = []
        for said in script:
            i = fields_of(said, RECORDS["Intent"])[0] if said[0] == Type.INTENT else {}
            in_basket = i.get("kind") == IntentKind.ORDER and i["basket"] != 0
            before = out[-1][-1] if out and isinstance(out[-1], list) else {}
            if in_basket and all(before.get(n) == i[n] for n in ("basket", "strategy")):
                out[-1].append(i)
            else:
                out.append([i] if in_basket else said)
        return out

    def _take(self, said: Any) -> None:
        if isinstance(said, list):
            self._open_basket(said)
            return
        kind = Type(said[0])
        if kind == Type.INTENT:
            self._execute(fields_of(said, RECORDS["Intent"])[0])
        elif kind == Type.TIMER_ARMED:
            t = fields_of(said, RECORDS["TimerArmed"])[0]
            key = (t["strategy"], t["timer_id"])
            self.timers.pop(key, None)
            if len(self.timers) < self.timers_max:
                self.timers[key] = max(t["deadline"], self.now + TIMER_LEAST_NS)
        elif kind == Type.STRATEGY_STATE:
            row = np.frombuffer(said, RECORDS["StrategyState"])[0]
            state = self.states.setdefault(int(row["strategy"]), bytearray())
            state[:] = state.ljust(int(row["size"]), b"\0")[: int(row["size"])]
            at, length = int(row["offset"]), int(row["length"])
            state[at : at + length] = row["bytes"].tobytes()[:length]
        elif kind == Type.STRATEGY_HALTED:
            strategy = fields_of(said, RECORDS["Control"])[0]["strategy"]
            self.halted.add(strategy)
            self._end_stops(Reason.STRATEGY_IS_HALTED, lambda stop: stop.intent["strategy"] == strategy)
            self.targets = {key: target for key, target in self.targets.items() if key[0] != strategy}
            for key in (k for k in self.quoter.active() if k[0] == strategy):
                self.quoter.pull(*key)
                self._mark(key)
            self.sweep_due = True

    def _reconcile(self, key: Key) -> bool:
        refused = False
        for kind, side, cl_ord_id, px, qty, version in self.quoter.reconcile(key, self.oms):
            order = self.oms.live.get(cl_ord_id)
            if kind == Type.CANCEL_ORDER:
                self._cancel(order)
                continue
            fields = {"type": kind, "side": side, "px": px, "qty": qty, "version": version}
            fields |= {"strategy": key[0], "instrument": key[1], "tag": self.quoter.quotes[key].tag}
            if order is not None:
                fields |= {"cl_ord_id": cl_ord_id, "tif": order.tif, "prev_version": order.version}
                fields |= {"prev_px": order.px, "prev_qty": order.cum + order.leaves}
            opened = self._submit(fields, qty - order.cum if order else qty)
            if opened == 0:
                refused = True
                self.quoter.on_refused(key, side)
            elif kind == Type.NEW_ORDER:
                self.quoter.on_opened(key, side, opened)
        return refused

    def _sweep(self) -> None:
        self.sweep_due = False
        if self.up:
            for order in [o for o in self.oms.live.values() if self._must_cancel(o) and self.is_reachable(o)]:
                self._cancel(order)

    def _cancel(self, order: oms.Order) -> None:
        """Name the version that the venue holds, or will hold once what is in flight has arrived."""
        if oms.CANCEL in order.flights:
            return
        if not self.is_reachable(order):
            order.cancel_wanted = True
            return
        version = order.newest if {oms.NEW, oms.REPLACE} & set(order.flights) else order.version
        fields = {n: getattr(order, n) for n in ("side", "instrument", "cl_ord_id", "px", "qty", "strategy", "tag")}
        fields |= {"type": Type.CANCEL_ORDER, "version": version, "ts_event": self.now, "intent_seq": self.seq}
        assert self.oms.on_command(fields) == Reason.NONE
        self.risk.flow.on_command(fields | {"account": 0, "leaves_qty": 0}, self.now)
        self.breakers.on_command(fields, self.now)
        self.out.append(record("Order", **fields))

    def _reserve(self, strategy: int) -> int:
        if self.epoch == 0:
            return 0
        self.counters[strategy] = self.counters.get(strategy, 0) + 1
        return self._id_of(strategy, self.counters[strategy])

    def _next_id(self, strategy: int) -> int:
        return self._id_of(strategy, self.counters.get(strategy, 0) + 1)

    def _id_of(self, strategy: int, counter: int) -> int:
        return (self.node & 0x3F) << 58 | (self.epoch & 0x3FFFF) << 40 | strategy << 30 | counter

    def _submit(self, fields: Fields, leaves_after: int) -> int:
        fields = self._prepared(fields, leaves_after)
        verdict = self._approve(fields)
        if verdict.reason != Reason.NONE:
            self._refuse_order(fields, verdict)
            return 0
        self._command(fields)
        return fields["cl_ord_id"]

    def _prepared(self, fields: Fields, leaves_after: int) -> Fields:
        fields = dict.fromkeys(("cl_ord_id", "prev_px", "prev_qty", "tif", "tag", "account"), 0) | fields
        fields |= {"ts_event": self.now, "intent_seq": self.seq, "leaves_qty": leaves_after}
        fields |= {"limits_version": self.risk.limits.version}
        if fields["type"] == Type.NEW_ORDER:
            fields |= {"version": 1, "cl_ord_id": fields["cl_ord_id"] or self._reserve(fields["strategy"])}
        return fields

    def _approve(self, fields: Fields) -> risk.Verdict:
        """What risk and the book-keeping say; what passes counts from here."""
        verdict = self._judge(fields, fields["type"] == Type.NEW_ORDER)
        if verdict.reason == Reason.NONE:
            verdict = verdict._replace(reason=self.oms.on_command(fields))
        if verdict.reason == Reason.NONE:
            self.risk.flow.on_command(fields, self.now)
        return verdict

    def _refuse_order(self, fields: Fields, verdict: risk.Verdict) -> None:
        self.refusals += 1
        self.out.append(record("Order", **fields | {"type": Type.REFUSED} | verdict._asdict()))

    def _command(self, fields: Fields) -> None:
        self.breakers.on_command(fields, self.now)
        self.out += [record("Order", **fields | {"type": Type.APPROVED}), record("Order", **fields)]

    def _judge(self, fields: Fields, is_new: bool) -> risk.Verdict:
        if not self.is_up(fields["instrument"]):
            has_none = self.session_of(fields["instrument"]) == 0
            return risk.Verdict(Reason.NO_SESSION if has_none else Reason.SESSION_DOWN)
        if is_new and (fields["cl_ord_id"] == 0 or len(self.oms.live) == self.oms.orders_max):
            return risk.Verdict(Reason.ORDERS_FULL)
        if self.draining and not self._closes(fields):
            return risk.Verdict(Reason.NOT_ARMED, int(ArmState.REDUCE_ONLY), int(ArmState.CANCEL_ONLY))
        return self.risk.check(fields, self._view(fields))

    def _closes(self, o: Fields) -> bool:
        """On the way out: an order that trades at once or not at all, and only towards flat."""
        if o["type"] != Type.NEW_ORDER or o["tif"] != Tif.IOC or o["instrument"] >= len(self.instruments):
            return False
        position, open_buy, open_sell = self.oms.exposure(o["strategy"], o["instrument"])[:3]
        held = position + open_buy if o["side"] == BUY else open_sell - position
        return bool(held + o["qty"] <= 0)

    def _view(self, o: Fields) -> risk.View:
        number = o["instrument"]
        orders = len(self.oms.live), sum(order.strategy == o["strategy"] for order in self.oms.live.values())
        if number >= len(self.instruments):
            nothing = (0, 0, 0, 0)
            unknown = TradingState.UNKNOWN
            return risk.View(None, nothing, False, unknown, nothing, nothing, None, self.now, 0, *orders, 0)
        return risk.View(
            instrument=self.instruments[number],
            touch=self.books.books[number].touch(),
            book_valid=self._is_valid(number),
            trading=self._trading_of(number),
            account=self.oms.exposure(None, number),
            strategy=self.oms.exposure(o["strategy"], number),
            worth=self.worth(number),
            now=self.now,
            heard=self.heard.get(self.feed_of[number], 0),
            orders=orders[0],
            strategy_orders=orders[1],
            own_px=self._own_px(o),
            accounts=self.accounts,
        )

    def _own_px(self, o: Fields) -> int:
        """The best price among our orders on the other side that this one would meet."""
        met = []
        for order in self.oms.live.values():
            if order.instrument != o["instrument"] or {order.side, o["side"]} != {BUY, SELL}:
                continue
            prices = [order.px, *(f.px for name, f in order.flights.items() if name == oms.REPLACE)]
            if order.strategy == o["strategy"]:  # where its last command puts it
                prices = [] if oms.CANCEL in order.flights else prices[-1:]
            met += [px for px in prices if (px <= o["px"] if o["side"] == BUY else px >= o["px"])]
        return (min if o["side"] == BUY else max)(met, default=0)

    # ---- answers

    def due_timers(self) -> list[tuple[int, int, int]]:
        """(deadline, strategy, id) of every armed timer, in the order in which they fire (law 4)."""
        timers = [(deadline, *key) for key, deadline in self.timers.items()]
        wake = self.breakers.next_check
        return sorted([*timers, *([(wake, NO_STRATEGY, BREAKER_TIMER)] if wake != NEVER else [])])

    def live_orders(self) -> list[tuple[int, OrderState]]:
        return [(o.cl_ord_id, o.state()) for o in self.oms.live.values()]
