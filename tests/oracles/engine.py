"""The engine, slow and obvious: the twins of book, quoter, risk and OMS, visited in the order of the page.

A record is a dictionary of its integer fields; a decision is a list of 128-byte records, compared whole. Strategies are
a script: records that are said if, and only if, anything happened that strategies are told of.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from openbell.types import (
    NO_INSTRUMENT,
    NO_STRATEGY,
    RECORDS,
    ArmState,
    IntentKind,
    KillLevel,
    OrderState,
    Reason,
    Side,
    TradingState,
    Type,
)
from oracles import book, oms, quoter, risk
from oracles.order_records import fields_of, record
from oracles.state_hash import hash_bytes

Key = tuple[int, int]
Fields = dict[str, int]

BUY, SELL = 1, 2
IS_BUY = 1
AFTER_KILL = 1
CANCEL_ALL = 1
MARKET = {Type.BOOK_ADD, Type.BOOK_MODIFY, Type.BOOK_CANCEL, Type.BOOK_EXECUTE, Type.BOOK_CLEAR}
REPORTS = {
    Type.ACCEPTED, Type.REJECTED, Type.REPLACED, Type.CANCELED, Type.CANCEL_REJECTED, Type.FILLED, Type.CORRECTED,
    Type.BUSTED, Type.EXPIRED, Type.SENT, Type.NOT_SENT,
}  # fmt: skip


@dataclass
class Happened:
    """What strategies are told of one frame."""

    started: bool = False
    stopping: bool = False
    books: list[int] = field(default_factory=list)
    trades: list[bytes] = field(default_factory=list)
    statuses: list[bytes] = field(default_factory=list)
    reports: list[bytes] = field(default_factory=list)
    timers: list[bytes] = field(default_factory=list)

    def told(self) -> dict[str, Any] | None:
        lists = {name: b"".join(getattr(self, name)) for name in ("trades", "statuses", "reports", "timers")}
        if not (self.started or self.stopping or self.books or any(lists.values())):
            return None
        return {"started": self.started, "stopping": self.stopping, "books": self.books, **lists}


class Engine:
    """The same decisions as the native engine, for instruments of one venue."""

    def __init__(self, instruments_max: int, strategies_max: int, orders_max: int, timers_max: int) -> None:
        self.instruments_max, self.strategies_max, self.timers_max = instruments_max, strategies_max, timers_max
        self.books = book.Books([], 1 << 16, 1 << 16)
        self.oms = oms.Oms(orders_max, strategies_max, instruments_max, 4 * orders_max)
        self.risk = risk.Risk(strategies_max, instruments_max)
        self.quoter = quoter.Quoter()
        self.instruments: list[Fields] = []
        self.feed_of: list[int] = []
        self.trading: list[TradingState] = []
        self.timers: dict[Key, int] = {}
        self.halted: set[int] = set()
        self.states: dict[int, bytearray] = {}
        self.session_up = self.draining = self.sweep_due = self.checkpoint = False
        self.node = self.epoch = 0
        self.counters: dict[int, int] = {}
        self.source_seq: dict[int, int] = {}
        self.rolling = self.decisions = self.refusals = self.book_faults = self.now = self.seq = 0
        self.out: list[bytes] = []
        self.dirty: list[Key] = []
        self.happened = Happened()

    def on_event(
        self, records: bytes, seq: int, ts_seq: int, source: int, source_seq: int, script: list[bytes]
    ) -> list[bytes]:
        self.now, self.seq = ts_seq, seq
        self.out, self.dirty, self.happened = [], [], Happened()
        size = 48 if records[0] < 32 else 128
        for at in range(0, len(records), size):
            self._apply(records[at : at + size], source)
        if source_seq:
            self.source_seq[source] = source_seq
        if self.happened.told() is not None:
            self.out += script
            for said in script:
                self._take(said)
        if self.session_up:
            for key in self.dirty:
                if self._reconcile(key):
                    self._reconcile(key)
        if self.sweep_due:
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

    # ---- what happened

    def _apply(self, raw: bytes, source: int) -> None:
        kind = Type(raw[0])
        if kind in MARKET:
            return self._on_market(raw)
        if kind in REPORTS:
            return self._on_report(raw)
        verb = getattr(self, f"_on_{kind.name.lower()}", None)
        if verb is None:
            return None  # a fact for the record
        layout = {Type.TRADE: "Market", Type.STATUS: "Market", Type.TIMER: "Timer", Type.INSTRUMENT: "Instrument",
                  Type.STARTED: "Started", Type.LIMITS: "Limits"}.get(kind, "Control")  # fmt: skip
        fields = fields_of(raw, RECORDS[layout])[0]
        if kind == Type.INSTRUMENT:
            fields["source"] = source
        if layout == "Control":
            fields["value"] = int(np.frombuffer(raw, RECORDS["Control"])[0]["values"][0])
        return verb(fields, raw)

    def _on_market(self, raw: bytes) -> None:
        row = np.frombuffer(raw, RECORDS["Market"])[0]
        fault, _, side, px, qty = self.books.apply(row)
        instrument = int(row["instrument"])
        self.book_faults += fault != book.OK
        if fault == book.NO_INSTRUMENT:
            return
        if fault != book.OK:
            self._pull(instrument)
        self._mark_book(instrument)
        if row["type"] == Type.BOOK_EXECUTE and fault == book.OK:
            trade = fields_of(raw, RECORDS["Market"])[0]
            trade |= {"px": px, "qty": qty, "flags": trade["flags"] & ~IS_BUY | (IS_BUY if side == Side.BUY else 0)}
            self.happened.trades.append(record("Market", **trade))

    def _mark_book(self, instrument: int) -> None:
        if instrument not in self.happened.books:
            self.happened.books.append(instrument)

    def _on_trade(self, _: Fields, raw: bytes) -> None:
        self.happened.trades.append(raw)

    def _on_status(self, r: Fields, raw: bytes) -> None:
        state = TradingState(r["ref"])
        if r["instrument"] == NO_INSTRUMENT:
            if state != TradingState.CLOSED:
                return
            named = range(len(self.instruments))
        else:
            if r["instrument"] >= len(self.instruments):
                return
            named = range(r["instrument"], r["instrument"] + 1)
        self.quoter.forget_refusals()
        for instrument in named:
            self.trading[instrument] = state
            if state != TradingState.TRADING:
                self._pull(instrument)
        self.happened.statuses.append(raw)

    def _on_timer(self, r: Fields, raw: bytes) -> None:
        self.timers.pop((r["strategy"], r["timer_id"]), None)
        self.happened.timers.append(raw)

    def _on_instrument(self, r: Fields, _: bytes) -> None:
        number = r["instrument"]
        if number == len(self.instruments):
            self.instruments.append(r)
            self.feed_of.append(r["source"])
            self.trading.append(TradingState.UNKNOWN)
            self.books.books[number] = book.Book()
        self.instruments[number], self.feed_of[number] = r, r["source"]

    def _on_started(self, r: Fields, _: bytes) -> None:
        self.oms.on_started()
        if r["epoch"] > self.epoch:
            self.epoch, self.counters = r["epoch"], {}
        self.node = r["node"]
        self.quoter.pull()
        self.session_up = self.draining = False
        self.risk.armed = ArmState.OFF
        self.happened.started = True
        self.checkpoint = True

    def _on_limits(self, r: Fields, _: bytes) -> None:
        account = r["strategy"] == NO_STRATEGY
        if r["instrument"] < self.instruments_max and (account or r["strategy"] < self.strategies_max):
            self.risk.limits[(None if account else r["strategy"], r["instrument"])] = r
        self.quoter.forget_refusals()

    def _on_arm(self, r: Fields, _: bytes) -> None:
        if r["flags"] & AFTER_KILL:
            self.risk.killed = KillLevel.NONE
            self.halted.clear()
        self.risk.armed = ArmState(r["code"])
        self.quoter.forget_refusals()
        if r["code"] >= ArmState.REDUCE_ONLY:
            self.draining = False

    def _on_kill(self, r: Fields, _: bytes) -> None:
        self.risk.killed = max(self.risk.killed, KillLevel(r["code"]))
        self.sweep_due = True
        self.quoter.pull()

    def _on_operator(self, r: Fields, _: bytes) -> None:
        if r["code"] == CANCEL_ALL:
            self.draining = self.sweep_due = self.happened.stopping = True
            self.quoter.pull()

    def _on_connected(self, r: Fields, _: bytes) -> None:
        self.session_up = False
        if r["value"] > 0:
            self.source_seq[r["source"]] = r["value"] - 1

    def _on_disconnected(self, _: Fields, __: bytes) -> None:
        self.session_up = False

    def _on_gap(self, r: Fields, _: bytes) -> None:
        self._feed_is_whole(r["source"], False)

    def _on_recovered(self, r: Fields, _: bytes) -> None:
        self._feed_is_whole(r["source"], True)

    def _feed_is_whole(self, source: int, whole: bool) -> None:
        for instrument in [i for i, feed in enumerate(self.feed_of) if feed == source]:
            self.books.books[instrument].is_valid = whole
            self._mark_book(instrument)
            if not whole:
                self._pull(instrument)

    def _on_resolved(self, _: Fields, __: bytes) -> None:
        self.session_up = self.sweep_due = True
        self.quoter.forget_refusals()
        for cl_ord_id, command, version in self.oms.on_resolved():
            order = self.oms.find(cl_ord_id)
            if order.ended is not None:
                self.quoter.on_closed(order)
            said = {"type": Type.NOT_SENT, "command": command, "version": version, "cl_ord_id": cl_ord_id}
            self._tell(order, said | {"order_id": order.order_id, "reason": Reason.NEVER_REACHED_VENUE})
        for key in self.quoter.active():
            self._mark(key)

    def _on_checkpoint(self, _: Fields, __: bytes) -> None:
        self.checkpoint = True

    def _on_report(self, raw: bytes) -> None:
        r = fields_of(raw, RECORDS["Report"])[0]
        order = self.oms.find(r["cl_ord_id"])
        busted = self.oms.fills.get((r["cl_ord_id"], r["exec_id"]))
        kind, ended = self.oms.on_report(r)
        if kind in ("IGNORED", "UNKNOWN_ORDER"):
            return
        if order is None:
            owner = {name: busted[name] for name in ("strategy", "instrument", "side")}
            self.happened.reports.append(record("Report", **r | owner | {"leaves_qty": 0}))
            return
        key = (order.strategy, order.instrument)
        is_quote = self.quoter.order_of(key, order.side) == order.cl_ord_id
        if r["type"] in (Type.NOT_SENT, Type.REJECTED) and is_quote:
            self.quoter.on_refused(key, order.side)
        if ended:
            self.quoter.on_closed(order)
        self._mark(key)
        if self._must_cancel(order) and r["type"] not in (Type.SENT, Type.NOT_SENT):
            self.sweep_due = True
        if r["type"] != Type.SENT:
            self._tell(order, r)

    def _tell(self, order: oms.Order, r: Fields) -> None:
        known = {name: getattr(order, name) for name in ("strategy", "side", "instrument")}
        self.happened.reports.append(record("Report", **r | known | {"leaves_qty": order.leaves}))

    # ---- what to do about it

    def _mark(self, key: Key) -> None:
        if key not in self.dirty:
            self.dirty.append(key)

    def _pull(self, instrument: int) -> None:
        for key in (k for k in self.quoter.active() if k[1] == instrument):
            self.quoter.pull(*key)
            self._mark(key)

    def _take(self, said: bytes) -> None:
        kind = Type(said[0])
        if kind == Type.INTENT:
            self._execute(fields_of(said, RECORDS["Intent"])[0])
        elif kind == Type.TIMER_ARMED:
            t = fields_of(said, RECORDS["TimerArmed"])[0]
            key = (t["strategy"], t["timer_id"])
            self.timers.pop(key, None)
            if len(self.timers) < self.timers_max:
                self.timers[key] = t["deadline"]
        elif kind == Type.STRATEGY_STATE:
            row = np.frombuffer(said, RECORDS["StrategyState"])[0]
            state = self.states.setdefault(int(row["strategy"]), bytearray())
            state[:] = state.ljust(int(row["size"]), b"\0")[: int(row["size"])]
            at, length = int(row["offset"]), int(row["length"])
            state[at : at + length] = row["bytes"].tobytes()[:length]
        elif kind == Type.STRATEGY_HALTED:
            strategy = fields_of(said, RECORDS["Control"])[0]["strategy"]
            self.halted.add(strategy)
            for key in (k for k in self.quoter.active() if k[0] == strategy):
                self.quoter.pull(*key)
                self._mark(key)
            self.sweep_due = True

    def _execute(self, i: Fields) -> None:
        strategy, kind = i["strategy"], i["kind"]
        if strategy >= self.strategies_max or strategy in self.halted:
            return
        if kind == IntentKind.QUOTE and i["instrument"] < len(self.instruments):
            key = (strategy, i["instrument"])
            self.quoter.set_target(key, i["bid_px"], i["bid_qty"], i["ask_px"], i["ask_qty"])
            self.quoter.quotes[key].tag = i["tag"]
            self._mark(key)
        elif kind == IntentKind.ORDER:
            names = ("side", "tif", "instrument", "px", "qty", "strategy", "tag")
            self._submit({"type": Type.NEW_ORDER, **{n: i[n] for n in names}}, i["qty"])
        elif kind == IntentKind.CANCEL:
            order = self.oms.live.get(i["cl_ord_id"])
            if order is not None and order.strategy == strategy:
                self._cancel(order)
        elif kind == IntentKind.CANCEL_ALL:
            for key in [k for k in self.quoter.quotes if k[0] == strategy]:
                self.quoter.pull(*key)
            for order in [o for o in self.oms.live.values() if o.strategy == strategy]:
                self._cancel(order)

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

    def _must_cancel(self, order: oms.Order) -> bool:
        return (
            order.cancel_wanted or self.draining or self.risk.killed != KillLevel.NONE or order.strategy in self.halted
        )

    def _sweep(self) -> None:
        self.sweep_due = False
        if self.session_up:
            for order in [o for o in self.oms.live.values() if self._must_cancel(o)]:
                self._cancel(order)

    def _cancel(self, order: oms.Order) -> None:
        """Name the version that the venue holds, or will hold once what is in flight has arrived."""
        if oms.CANCEL in order.flights:
            return
        if not self.session_up:
            order.cancel_wanted = True
            return
        version = order.newest if {oms.NEW, oms.REPLACE} & set(order.flights) else order.version
        fields = {n: getattr(order, n) for n in ("side", "instrument", "cl_ord_id", "px", "qty", "strategy", "tag")}
        fields |= {"type": Type.CANCEL_ORDER, "version": version, "ts_event": self.now, "intent_seq": self.seq}
        assert self.oms.on_command(fields) == Reason.NONE
        self.out.append(record("Order", **fields))

    def _reserve(self, strategy: int) -> int:
        if self.epoch == 0:
            return 0
        self.counters[strategy] = self.counters.get(strategy, 0) + 1
        return (self.node & 0x3F) << 58 | (self.epoch & 0x3FFFF) << 40 | strategy << 30 | self.counters[strategy]

    def _submit(self, fields: Fields, leaves_after: int) -> int:
        is_new = fields["type"] == Type.NEW_ORDER
        fields = dict.fromkeys(("cl_ord_id", "prev_px", "prev_qty", "tif", "tag"), 0) | fields
        fields |= {"ts_event": self.now, "intent_seq": self.seq}
        if is_new:
            fields |= {"version": 1, "cl_ord_id": self._reserve(fields["strategy"])}
        reason, limit, observed = Reason.NONE, 0, 0
        if not self.session_up:
            reason = Reason.SESSION_DOWN
        elif is_new and (fields["cl_ord_id"] == 0 or len(self.oms.live) == self.oms.orders_max):
            reason = Reason.ORDERS_FULL
        elif self.draining:
            reason, limit, observed = Reason.NOT_ARMED, int(ArmState.REDUCE_ONLY), int(ArmState.CANCEL_ONLY)
        else:
            reason, limit, observed = self.risk.check(fields, leaves_after, self._view(fields))
        if reason == Reason.NONE:
            reason = self.oms.on_command(fields)
        if reason != Reason.NONE:
            self.refusals += 1
            answer = {"type": Type.REFUSED, "reason": reason, "limit": limit, "observed": observed}
            self.out.append(record("Order", **fields | answer))
            return 0
        self.out += [record("Order", **fields | {"type": Type.APPROVED}), record("Order", **fields)]
        return fields["cl_ord_id"]

    def _view(self, o: Fields) -> risk.View:
        number = o["instrument"]
        if number >= len(self.instruments):
            nothing = (0, 0, 0, 0)
            return risk.View(None, nothing, False, TradingState.UNKNOWN, nothing, nothing)
        known = self.books.books[number]
        account, own = self.oms.exposure(None, number), self.oms.exposure(o["strategy"], number)
        return risk.View(self.instruments[number], known.touch(), known.is_valid, self.trading[number], account, own)

    # ---- answers

    def due_timers(self) -> list[tuple[int, int, int]]:
        """(deadline, strategy, id) of every armed timer, in the order in which they fire (law 4)."""
        return sorted((deadline, *key) for key, deadline in self.timers.items())

    def live_orders(self) -> list[tuple[int, OrderState]]:
        return [(o.cl_ord_id, o.state()) for o in self.oms.live.values()]
