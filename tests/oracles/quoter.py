"""The quoter, slow and obvious: a side is a target, what fills left of it, and at most one order of the OMS twin."""

from dataclasses import dataclass, field

from openbell.types import OrderState, Reason, Type
from oracles.oms import CANCEL, NEW, REPLACE, Oms, Order

BUY, SELL = 1, 2
CANCELS_MAX = 3
VERSION_MAX = 62**3 - 1


@dataclass
class Half:
    """One side of a quote. `remaining` is what fills left of the target; `asked` the target last commanded."""

    px: int = 0
    qty: int = 0
    remaining: int = 0
    cum_seen: int = 0
    asked: tuple[int, int] = (0, 0)
    asked_version: int = 0
    order: int = 0
    cancels: int = 0
    news: str = ""  # "", "changed" or "repeated": set_target spoke since the last reconcile
    refused: bool = False
    canceling: bool = False


@dataclass
class Quote:
    """Both sides and the strategy's mark."""

    tag: int = 0
    is_aim: bool = False
    halves: dict[int, Half] = field(default_factory=lambda: {BUY: Half(), SELL: Half()})


class Quoter:
    """The same verbs as the native Quoter; commands are tuples (type, side, cl_ord_id, px, qty, version)."""

    def __init__(self) -> None:
        self.quotes: dict[tuple[int, int], Quote] = {}

    def set_target(self, key: tuple[int, int], bid_px: int, bid_qty: int, ask_px: int, ask_qty: int) -> Reason:
        fault = Reason.NONE
        if bid_qty < 0 or ask_qty < 0:
            fault = Reason.QTY_NOT_POSITIVE
        elif max(bid_qty, ask_qty) > 2**44:
            fault = Reason.WOULD_OVERFLOW
        elif (bid_qty and bid_px <= 0) or (ask_qty and ask_px <= 0):
            fault = Reason.PRICE_NOT_POSITIVE
        elif bid_qty and ask_qty and bid_px >= ask_px:
            fault = Reason.SELF_MATCH
        quote = self.quotes.setdefault(key, Quote())
        good = fault == Reason.NONE
        self._aim(quote.halves[BUY], bid_px, bid_qty if good else 0)
        self._aim(quote.halves[SELL], ask_px, ask_qty if good else 0)
        quote.is_aim = False
        return fault

    def aim(self, key: tuple[int, int], aim: tuple[int, int, int], tag: int, may_grow: bool, oms: Oms) -> None:
        """One order of (side, px, qty) towards a target position; qty 0: none."""
        side, px, qty = aim
        quote = self.quotes.setdefault(key, Quote())
        quote.is_aim, quote.tag = True, tag
        live = {s: order for s, half in quote.halves.items() if (order := oms.live.get(half.order)) is not None}
        other = BUY + SELL - side
        if quote.halves[other].qty or other not in live:
            self._aim(quote.halves[other], 0, 0)
        half = quote.halves[side]
        wanted = (0, 0) if qty == 0 or other in live else (px, qty)
        if wanted[1] and px == 0:
            return
        if side in live and wanted[1]:
            order = live[side]
            total = order.flights[REPLACE].qty if REPLACE in order.flights else order.cum + order.leaves
            is_enough = total - order.cum == qty or (total - order.cum < qty and not may_grow)
            if half.qty and half.px == px and is_enough:
                return
        if side not in live or wanted != (half.px, half.qty):
            self._aim(half, *wanted)

    def pull(self, strategy: int | None = None, instrument: int | None = None, side: int | None = None) -> None:
        """Pull what matches; None matches everything."""
        for (who, what), quote in self.quotes.items():
            if strategy in (None, who) and instrument in (None, what):
                for half in [half for of, half in quote.halves.items() if side in (None, of)]:
                    self._aim(half, 0, 0)

    def _aim(self, half: Half, px: int, qty: int) -> None:
        half.cancels = 0
        wanted = (px, qty) if qty else (0, 0)
        if wanted != (half.px, half.qty):
            half.px, half.qty = wanted
            half.news, half.refused = "changed", False
        elif half.news != "changed":
            half.news = "repeated" if qty else ""

    def on_refused(self, key: tuple[int, int], side: int) -> None:
        self.quotes[key].halves[side].refused = True

    def on_opened(self, key: tuple[int, int], side: int, cl_ord_id: int) -> None:
        half = self.quotes[key].halves[side]
        half.order, half.cum_seen, half.canceling, half.cancels = cl_ord_id, 0, False, 0

    def forget_refusals(self) -> None:
        for quote in self.quotes.values():
            for half in quote.halves.values():
                half.refused, half.cancels = False, 0

    def order_of(self, key: tuple[int, int], side: int) -> int:
        return self.quotes[key].halves[side].order if key in self.quotes else 0

    def active(self) -> list[tuple[int, int]]:
        """The keys with a target or an order, ascending."""
        return sorted(key for key, q in self.quotes.items() if any(h.order or h.qty for h in q.halves.values()))

    def on_closed(self, order: Order) -> None:
        quote = self.quotes.get((order.strategy, order.instrument))
        if quote and quote.halves[order.side].order == order.cl_ord_id:
            self._close(quote.halves[order.side], order, quote.is_aim)

    def _count_fills(self, half: Half, order: Order) -> None:
        half.remaining -= order.cum - half.cum_seen
        half.cum_seen = order.cum

    def _close(self, half: Half, order: Order, is_aim: bool) -> None:
        if half.canceling and order.ended in (OrderState.CANCELED, OrderState.FILLED):
            self._count_fills(half, order)
        else:
            half.remaining = 0
            half.refused |= is_aim and order.cum == 0 and half.news != "changed"
        half.refused |= order.ended == OrderState.REJECTED and half.news != "changed"
        half.order, half.canceling, half.cancels = 0, False, 0

    def reconcile(self, key: tuple[int, int], oms: Oms) -> list[tuple[int, ...]]:
        quote = self.quotes.get(key)
        if quote is None:
            return []
        live = {}
        for side, half in quote.halves.items():
            order = oms.find(half.order)
            if order is not None and order.ended is not None:
                self._close(half, order, quote.is_aim)
                order = None
            live[side] = order
            if order is not None:
                self._count_fills(half, order)
            if half.news == "changed" or (half.news == "repeated" and order is None):
                half.remaining = half.qty
            half.news = ""
        commands = []
        for side, half in quote.halves.items():
            opposite = live[BUY + SELL - side]
            command = (
                self._with_order(half, side, live[side], opposite)
                if live[side]
                else self._without(half, side, opposite)
            )
            if command:
                commands.append(command)
        return commands

    def _without(self, half: Half, side: int, opposite: Order | None) -> tuple[int, ...] | None:
        if half.remaining <= 0 or half.refused or crosses(side, half.px, opposite):
            return None
        half.asked, half.asked_version = (half.px, half.qty), 1
        return (Type.NEW_ORDER, side, 0, half.px, half.remaining, 1)

    def _with_order(self, half: Half, side: int, order: Order, opposite: Order | None) -> tuple[int, ...] | None:
        changed = half.asked != (half.px, half.qty)
        in_flight = {NEW, REPLACE} & set(order.flights)
        failed = half.asked_version > order.version and not in_flight
        unwanted = half.qty == 0 or half.refused or (half.remaining <= 0 if changed else failed)
        if any(f.news == "doubt" for f in order.flights.values()) or CANCEL in order.flights:
            return None
        if in_flight and not unwanted:
            return None
        half.canceling = False
        if unwanted or (changed and order.newest >= VERSION_MAX):
            if half.cancels == CANCELS_MAX:
                return None
            half.cancels += 1
            half.canceling = True
            version = order.newest if in_flight else order.version
            return (Type.CANCEL_ORDER, side, order.cl_ord_id, order.px, order.cum + order.leaves, version)
        if not changed or crosses(side, half.px, opposite):
            return None
        half.asked, half.asked_version = (half.px, half.qty), order.newest + 1
        return (Type.REPLACE_ORDER, side, order.cl_ord_id, half.px, order.cum + half.remaining, order.newest + 1)


def crosses(side: int, px: int, opposite: Order | None) -> bool:
    """Would px meet the own order of the other side at any price the venue may hold it?"""
    if opposite is None:
        return False
    prices = [opposite.px, *([opposite.flights[REPLACE].px] if REPLACE in opposite.flights else [])]
    return any(px >= p if side == BUY else px <= p for p in prices)
