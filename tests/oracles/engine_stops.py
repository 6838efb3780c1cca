"""The oracle engine's stop orders: what they watch, when they become orders, how they end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from openbell.types import RECORDS, Reason, TradingState, Trigger, Type
from oracles.order_records import fields_of, record

BUY = 1
PX_MAX = 1 << 48
STOPS_MAX = 256
Fields = dict[str, Any]


@dataclass
class Stop:
    """An order that waits, or what it became."""

    intent: Fields
    id: int
    stop_px: int
    order: int = 0
    elected: bool = False

    def watch(self, px: int) -> None:
        """The market is at `px`."""
        sign = 1 if self.intent["side"] == BUY else -1
        if self.intent["trail"] > 0:
            behind = px + sign * self.intent["trail"]
            self.stop_px = behind if self.stop_px == 0 else sign * min(sign * behind, sign * self.stop_px)
        if self.stop_px and sign * px >= sign * self.stop_px:
            self.elected = True


class EngineStops:
    """Its state is `EngineInputs`'."""

    def _hold_stop(self, i: Fields, number: int) -> None:
        reason = Reason.NONE
        has_price = i["stop_px"] > 0 or (i["stop_px"] == 0 and i["trail"] > 0)
        known = i["trigger"] in list(Trigger) and i["instrument"] < len(self.instruments) and i["side"] in (1, 2)
        if not has_price or not known or i["trail"] < 0 or max(i["stop_px"], i["trail"]) > PX_MAX:
            reason = Reason.TERMS
        elif len(self.stops) == STOPS_MAX:
            reason = Reason.STOPS_FULL
        if reason != Reason.NONE:
            return self._refuse(i | {"cl_ord_id": number}, reason)
        stop = Stop(i, number, i["stop_px"])
        self.stops.append(stop)
        self._watch_touch(stop)
        self.out.append(self._stop_record(Type.STOP_HELD, stop))
        return None

    def _watch_touch(self, stop: Stop) -> None:
        number = stop.intent["instrument"]
        if stop.intent["trigger"] != Trigger.TOUCH or not self._is_valid(number) or stop.order:
            return
        bid_px, bid_qty, ask_px, ask_qty = self.books.books[number].touch()
        px, qty = (ask_px, ask_qty) if stop.intent["side"] == BUY else (bid_px, bid_qty)
        if qty and px:
            stop.watch(px)

    def _watch_stops(self) -> None:
        trades = [fields_of(raw, RECORDS["Market"])[0] for raw in self.happened.trades]
        for stop in [stop for stop in self.stops if not stop.order]:
            if stop.intent["instrument"] in self.happened.books:
                self._watch_touch(stop)
            if stop.intent["trigger"] == Trigger.LAST_TRADE:
                for trade in trades:
                    if trade["instrument"] == stop.intent["instrument"] and trade["px"] > 0:
                        stop.watch(trade["px"])

    def _release_stops(self) -> None:
        for stop in [stop for stop in self.stops if stop.elected and not stop.order]:
            number = stop.intent["instrument"]
            if not self.is_up(number) or self._trading_of(number) != TradingState.TRADING or not self._is_valid(number):
                continue
            order = self.order_of(stop.intent) | {"cl_ord_id": 0}
            reason = self._price(stop.intent, order)
            if reason == Reason.NONE:
                stop.order = self._submit(order, order["qty"])
                if stop.order == 0:
                    reason = Reason(fields_of(self.out[-1], RECORDS["Order"])[0]["reason"])
            self.out.append(self._stop_record(Type.STOP_ENDED, stop, reason))
            if stop.order == 0:
                self.stops.remove(stop)

    def _end_stops(self, reason: Reason, names: Callable[[Stop], bool]) -> None:
        for stop in [stop for stop in self.stops if not stop.order and names(stop)]:
            self.out.append(self._stop_record(Type.STOP_ENDED, stop, reason))
            self.stops.remove(stop)

    def _stop_record(self, kind: Type, stop: Stop, reason: Reason = Reason.NONE) -> bytes:
        i = stop.intent
        same = {n: i[n] for n in ("flags", "side", "tif", "instrument", "px", "qty", "strategy", "tag")}
        same |= {"cl_ord_id": stop.id, "prev_px": stop.stop_px, "prev_qty": i["trail"], "ts_event": self.now}
        return record("Order", type=kind, reason=reason, observed=stop.order, intent_seq=self.seq, **same)
