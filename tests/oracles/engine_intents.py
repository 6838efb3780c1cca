"""The oracle engine's intents: what a strategy asks, and how its target positions are worked."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Any

from openbell._native import HIDDEN, POST_ONLY
from openbell.types import NO_INSTRUMENT, ArmState, IntentKind, Reason, Tif, TradingState, Trigger, Type, strategy_of
from oracles import risk
from oracles.engine_stops import EngineStops
from oracles.order_records import record

BUY, SELL, NS = 1, 2, 10**9
REPORT_NAMES = ("exec_id", "reason", "px", "leaves_qty", "last_px", "last_qty", "order_id")
PX_MAX, QTY_MAX = 1 << 48, 1 << 44
Key = tuple[int, int]
Fields = dict[str, Any]


@dataclass
class Target:
    """Where a strategy wants to be in an instrument."""

    position: int
    px: int
    qty_max: int
    tag: int
    is_new: bool = True


def seconds(ns: int) -> int:
    """Whole seconds, towards zero."""
    return ns // NS if ns >= 0 else -(-ns // NS)


def order_of(i: Fields) -> Fields:
    """The order that an intent asks for."""
    names = ("side", "tif", "instrument", "cl_ord_id", "px", "qty", "strategy", "tag", "flags", "display_qty")
    return {"type": Type.NEW_ORDER, "expires_s": seconds(i["expires_ns"]) & 0xFFFF_FFFF, **{n: i[n] for n in names}}


def has_sound_terms(i: Fields, now: int) -> bool:
    """What an order says of itself contradicts nothing else that it says."""
    immediate, of_auction = i["tif"] in (Tif.IOC, Tif.FOK), i["tif"] in (Tif.AT_OPEN, Tif.AT_CLOSE)
    hidden, post_only, shown = i["flags"] & HIDDEN, i["flags"] & POST_ONLY, i["display_qty"]
    expires = seconds(i["expires_ns"])
    return all(
        [
            i["tif"] in list(Tif),
            not i["flags"] & ~(HIDDEN | POST_ONLY),
            shown >= 0 and (shown == 0 or shown <= i["qty"]),
            not (shown and hidden),
            not ((immediate or of_auction) and (shown or hidden or post_only)),
            expires > now // NS if i["tif"] == Tif.GTD else i["expires_ns"] == 0,
            expires < 1 << 32,
            i["collar_bps"] == 0 or (i["px"] == 0 and immediate and i["collar_bps"] < 10_000),
        ]
    )


class EngineIntents(EngineStops):
    """Its state is `EngineInputs`'."""

    order_of = staticmethod(order_of)

    def _execute(self, i: Fields) -> None:
        strategy, kind = i["strategy"], i["kind"]
        if strategy >= self.strategies_max or strategy in self.halted:
            return
        if kind in (IntentKind.QUOTE, IntentKind.TARGET) and i["instrument"] < len(self.instruments):
            key = (strategy, i["instrument"])
            before = self.targets.pop(key, None)
            if kind == IntentKind.QUOTE:
                reason = self.quoter.set_target(key, i["bid_px"], i["bid_qty"], i["ask_px"], i["ask_qty"])
                self.quoter.quotes[key].tag = i["tag"]
            else:
                reason = self._set_target(key, i, before)
            if reason != Reason.NONE:
                self._refuse(i, reason)
            self._mark(key)
        elif kind == IntentKind.ORDER and i["trigger"] != Trigger.NONE:
            self._hold_stop(i, i["cl_ord_id"] or self._reserve(strategy))
        elif kind == IntentKind.ORDER:
            order = order_of(i)
            reason = self._price(i, order)
            if reason == Reason.NONE:
                self._submit(order, i["qty"])
            else:
                self._refuse(i | {"cl_ord_id": i["cl_ord_id"] or self._reserve(strategy)}, reason)
        elif kind in (IntentKind.CANCEL, IntentKind.REPLACE):
            self._change(i)
        elif kind == IntentKind.CANCEL_ALL:
            self._mass_cancel(strategy, i["instrument"], i["side"])
        elif kind == IntentKind.PARENT:
            self._refuse(i | {"cl_ord_id": i["cl_ord_id"] or self._reserve(strategy)}, Reason.NO_ALGORITHM)

    def _refuse(self, i: Fields, reason: Reason) -> None:
        self.refusals += 1
        names = ("side", "tif", "instrument", "cl_ord_id", "px", "qty", "strategy", "tag")
        said = {n: i[n] for n in names} | {"type": Type.REFUSED, "reason": reason, "limit": i["bid_px"]}
        said |= {"observed": i["ask_px"], "ts_event": self.now, "intent_seq": self.seq}
        self.out.append(record("Order", **said))

    def _change(self, i: Fields) -> None:
        """Cancel or replace one order of the strategy."""
        stop = next((s for s in self.stops if s.id == i["cl_ord_id"] and s.intent["strategy"] == i["strategy"]), None)
        if stop is not None and stop.order == 0:
            if i["kind"] == IntentKind.REPLACE:
                return self._refuse(i, Reason.NOT_REPLACEABLE)
            return self._end_stops(Reason.USER_CANCEL, lambda s: s is stop)
        order = self.oms.find(stop.order if stop else i["cl_ord_id"])
        owner = strategy_of(i["cl_ord_id"]) if order is None else order.strategy
        if owner != i["strategy"]:
            return self._refuse(i, Reason.NOT_OWN_ORDER)
        if order is None:
            return self._refuse(i, Reason.UNKNOWN_ORDER)
        if i["kind"] == IntentKind.CANCEL:
            return self._cancel(order) if order.ended is None else None
        if order.ended is not None:
            return self._refuse(i, Reason.UNKNOWN_ORDER)
        if self.quoter.order_of((order.strategy, order.instrument), order.side) == order.cl_ord_id:
            return self._refuse(i, Reason.NOT_REPLACEABLE)
        same = {n: getattr(order, n) for n in ("side", "tif", "instrument", "cl_ord_id", "strategy", "tag")}
        same |= {"prev_px": order.px, "prev_qty": order.cum + order.leaves, "prev_version": order.version}
        same |= {"flags": order.terms, "expires_s": order.expires_s}
        change = {"type": Type.REPLACE_ORDER, "px": i["px"], "qty": i["qty"], "version": order.newest + 1}
        self._submit(same | change, i["qty"] - order.cum)
        return None

    def _mass_cancel(self, strategy: int, instrument: int, side: int) -> None:
        def names(number: int) -> bool:
            return instrument in (NO_INSTRUMENT, number)

        def covers(i: Fields) -> bool:
            return i["strategy"] == strategy and names(i["instrument"]) and side in (0, i["side"])

        self._end_stops(Reason.USER_CANCEL, lambda stop: covers(stop.intent))
        self.targets = {k: t for k, t in self.targets.items() if not (k[0] == strategy and names(k[1]))}
        for key in [k for k in self.quoter.quotes if k[0] == strategy and names(k[1])]:
            self.quoter.pull(*key, side or None)
        for order in [o for o in self.oms.live.values() if o.strategy == strategy and names(o.instrument)]:
            if side in (0, order.side):
                self._cancel(order)

    # ---- targets

    def _set_target(self, key: Key, i: Fields, before: Target | None) -> Reason:
        fault = Reason.NONE
        if i["display_qty"] < 0:
            fault = Reason.TERMS
        elif i["px"] < 0:
            fault = Reason.PRICE_NOT_POSITIVE
        elif i["px"] > PX_MAX or abs(i["qty"]) > QTY_MAX:
            fault = Reason.WOULD_OVERFLOW
        if fault != Reason.NONE:
            self.quoter.pull(*key)
            return fault
        target = Target(i["qty"], i["px"], i["display_qty"], i["tag"])
        if before is not None:
            before_new, before.is_new = before.is_new, True
            target.is_new = before_new if before == target else True
        self.targets[key] = target
        return fault

    def _aim_targets(self) -> None:
        for instrument in self.happened.books:
            for key in sorted(k for k in self.targets if k[1] == instrument):
                if key[0] in self.flattening or not any(self.quoter.order_of(key, side) for side in (BUY, SELL)):
                    self._mark(key)
        for key in self.dirty:
            if key in self.targets and self.is_up(key[1]):
                self._aim(key, self.targets[key])

    def _aim(self, key: Key, target: Target) -> None:
        called_off = (self.halted - self.flattening) | self.risk.flow.latched.keys()
        may_work = not self.draining and key[0] not in called_off
        may_work &= self.arming.state(*key) >= ArmState.REDUCE_ONLY and self._is_valid(key[1])
        may_work &= self._trading_of(key[1]) == TradingState.TRADING
        self.quoter.aim(
            key, self._missing(key, target) if may_work else (BUY, 0, 0), target.tag, target.is_new, self.oms
        )
        target.is_new &= not may_work

    def _missing(self, key: Key, target: Target) -> tuple[int, int, int]:
        """(side, px, qty) of the one order that would bring the position nearer."""
        missing = target.position - self.oms.position(*key)["qty"]
        bid_px, bid_qty, ask_px, ask_qty = self.books.books[key[1]].touch()
        side = BUY if missing > 0 else SELL
        far = (ask_px if ask_qty else 0) if side == BUY else (bid_px if bid_qty else 0)
        most = min(abs(missing), target.qty_max or abs(missing))
        lot = self.instruments[key[1]]["lot"]
        return side, target.px or far, most // lot * lot if lot > 0 else 0

    def _end_work(self, reason: Reason, strategy: int | None = None, instrument: int | None = None) -> None:
        """Quotes, targets and stops are over: only a strategy begins them anew."""

        def names(key: Key) -> bool:
            return strategy in (None, key[0]) and instrument in (None, key[1])

        self._end_stops(reason, lambda stop: names((stop.intent["strategy"], stop.intent["instrument"])))
        self.targets = {k: t for k, t in self.targets.items() if not names(k)}
        self.quoter.pull(strategy, instrument)

    # ---- baskets

    def _open_basket(self, legs: list[Fields]) -> None:
        """Each is judged as if those before it were open; all of them leave, or none."""
        strategy = legs[0]["strategy"]
        if strategy >= self.strategies_max or strategy in self.halted:
            return
        orders = [order_of(i) for i in legs]
        faults = [self._price(i, o) for i, o in zip(legs, orders, strict=True)]
        faults = [Reason.TERMS if i["trigger"] else fault for i, fault in zip(legs, faults, strict=True)]
        orders = [self._prepared(o, o["qty"]) for o in orders]
        passed, verdict = 0, risk.Verdict(Reason.NONE)
        for order, fault in zip(orders, faults, strict=True):
            verdict = self._approve(order) if fault == Reason.NONE else risk.Verdict(fault)
            if verdict.reason != Reason.NONE:
                break
            passed += 1
        if verdict.reason == Reason.NONE:
            for order in orders:
                self._command(order)
            return
        for order in orders[:passed]:
            withdrawn = {"type": Type.NOT_SENT, "command": Type.NEW_ORDER, "version": 1}
            self.oms.on_report(dict.fromkeys(REPORT_NAMES, 0) | withdrawn | {"cl_ord_id": order["cl_ord_id"]})
            self.risk.flow.on_withdrawn(order, self.now)
        for number, order in enumerate(orders):
            of_others = risk.Verdict(Reason.BASKET_REFUSED, len(orders), passed + 1)
            self._refuse_order(order, verdict if number == passed else of_others)

    # ---- terms

    def _price(self, i: Fields, order: Fields) -> Reason:
        """Whether the terms fit together; an order at market gets its price."""
        if not has_sound_terms(i, self.now):
            return Reason.TERMS
        if i["collar_bps"] == 0:
            return Reason.NONE
        if i["instrument"] >= len(self.instruments):
            return Reason.NO_INSTRUMENT
        bid_px, bid_qty, ask_px, ask_qty = self.books.books[i["instrument"]].touch()
        buying, tick = i["side"] == BUY, self.instruments[i["instrument"]]["tick"]
        far = (ask_px if ask_qty else 0) if buying else (bid_px if bid_qty else 0)
        if far <= 0 or tick <= 0:
            return Reason.NO_REFERENCE
        worst = Fraction(far * (10_000 + (i["collar_bps"] if buying else -i["collar_bps"])), 10_000)
        order["px"] = (floor(worst / tick) if buying else ceil(Fraction(ceil(worst), tick))) * tick
        return Reason.NONE if order["px"] > 0 else Reason.NO_REFERENCE
