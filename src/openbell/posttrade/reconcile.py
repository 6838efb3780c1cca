"""Reconciliation: where two sides' books differ, one `Difference` for each thing that does.

Nothing is adopted and nothing corrected here: what to do about a difference is somebody's decision, and until
then it is a break (breaks.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from openbell.posttrade.books import Books, Fill, FillKey, OpenOrder, by_match, positions_of
from openbell.types import Side


class BreakKind(IntEnum):
    """What differs. The numbers are the `code` of `Break` records: append only. docs/post-trade.md explains each."""

    MISSING_ORDER = 1
    UNKNOWN_ORDER = 2
    STALE_ORDER = 3
    ORDER_QTY = 4
    ORDER_PX = 5
    ORDER_SIDE = 6
    MISSING_FILL = 16
    UNKNOWN_FILL = 17
    DUPLICATE_FILL = 18
    FILL_QTY = 19
    FILL_PX = 20
    FILL_SIDE = 21
    MISSED_BUST = 22
    UNKNOWN_BUST = 23
    FILL_FEE = 24
    FILL_SYMBOL = 25
    POSITION = 32
    POSITION_OF_FILLS = 33
    CASH = 34
    UNKNOWN_SYMBOL = 35

    @property
    def is_money(self) -> bool:
        """Whether what differs is money, in 10^-18 of its currency."""
        return self in (BreakKind.FILL_FEE, BreakKind.CASH)


OWNERS = {
    BreakKind.MISSING_ORDER: "trading",
    BreakKind.UNKNOWN_ORDER: "trading",
    BreakKind.STALE_ORDER: "trading",
    BreakKind.ORDER_QTY: "trading",
    BreakKind.ORDER_PX: "trading",
    BreakKind.ORDER_SIDE: "trading",
    BreakKind.FILL_FEE: "finance",
    BreakKind.CASH: "finance",
    BreakKind.UNKNOWN_SYMBOL: "reference data",
}
"""Who looks first; every other kind is of `operations`."""


class Difference(NamedTuple):
    """One thing that differs: `ours` and `theirs` are the two values, `key` names what they are of."""

    kind: BreakKind
    symbol: str
    key: tuple[int, int]
    ours: int
    theirs: int

    @property
    def owner(self) -> str:
        """Who looks first."""
        return OWNERS.get(self.kind, "operations")


def differences(ours: Books, theirs: Books) -> list[Difference]:
    """Everything that both sides speak of and that differs, in a fixed order."""
    return sorted(
        [
            *_orders(ours, theirs),
            *_fills(ours, theirs),
            *_positions(ours, theirs),
            *_cash(ours, theirs),
            *(Difference(BreakKind.UNKNOWN_SYMBOL, symbol, (0, 0), 0, 1) for symbol in theirs.unknown_symbols),
        ]
    )


def _orders(ours: Books, theirs: Books) -> Iterator[Difference]:
    if ours.orders is None or theirs.orders is None:
        return
    for order_id in ours.orders.keys() - theirs.orders.keys():
        order = ours.orders[order_id]
        kind = BreakKind.STALE_ORDER if order_id in theirs.ended else BreakKind.MISSING_ORDER
        yield Difference(kind, order.symbol, (order_id, 0), order.leaves_qty, 0)
    for order_id in theirs.orders.keys() - ours.orders.keys():
        order = theirs.orders[order_id]
        kind = BreakKind.STALE_ORDER if order_id in ours.ended else BreakKind.UNKNOWN_ORDER
        yield Difference(kind, order.symbol, (order_id, 0), 0, order.leaves_qty)
    for order_id in ours.orders.keys() & theirs.orders.keys():
        yield from _order(order_id, ours.orders[order_id], theirs.orders[order_id])


def _order(order_id: int, ours: OpenOrder, theirs: OpenOrder) -> Iterator[Difference]:
    key = (order_id, 0)
    if ours.side != theirs.side:
        yield Difference(BreakKind.ORDER_SIDE, ours.symbol, key, int(ours.side), int(theirs.side))
    if ours.px != theirs.px:
        yield Difference(BreakKind.ORDER_PX, ours.symbol, key, ours.px, theirs.px)
    if ours.leaves_qty != theirs.leaves_qty:
        yield Difference(BreakKind.ORDER_QTY, ours.symbol, key, ours.leaves_qty, theirs.leaves_qty)


def _fills(ours: Books, theirs: Books) -> Iterator[Difference]:
    if ours.fills is None or theirs.fills is None:
        return
    our_fills = _named_as(theirs.fills, ours.fills)
    if not _knows_orders(theirs.fills):
        our_fills = by_match((exec_id, fill) for (_, exec_id), fill in ours.fills.items())
    for key in theirs.fills.keys() - our_fills.keys():
        fill = theirs.fills[key]
        if not fill.is_busted:
            yield Difference(BreakKind.MISSING_FILL, fill.symbol, key, 0, fill.qty)
    for key in our_fills.keys() - theirs.fills.keys():
        fill = our_fills[key]
        if not fill.is_busted:
            yield Difference(BreakKind.UNKNOWN_FILL, fill.symbol, key, fill.qty, 0)
    for key in our_fills.keys() & theirs.fills.keys():
        yield from _fill(key, our_fills[key], theirs.fills[key])


def _named_as(theirs: dict[FillKey, Fill], ours: dict[FillKey, Fill]) -> dict[FillKey, Fill]:
    """What a person booked names no order: it is that execution of its match which we have not heard of."""
    booked = [key for key in ours if key[0] == 0]
    named = {key: fill for key, fill in ours.items() if key[0] != 0} if booked else ours
    for key in booked:
        unheard = [other for other in theirs if other[1] == key[1] and other not in named]
        named[min(unheard, key=lambda other: _unlike(ours[key], theirs[other]), default=key)] = ours[key]
    return named


def _unlike(ours: Fill, theirs: Fill) -> tuple[bool, bool, bool]:
    return ours.symbol != theirs.symbol, ours.side != theirs.side, theirs.is_busted


def _fill(key: FillKey, ours: Fill, theirs: Fill) -> Iterator[Difference]:
    if ours.is_busted != theirs.is_busted:
        kind = BreakKind.MISSED_BUST if theirs.is_busted else BreakKind.UNKNOWN_BUST
        yield Difference(kind, ours.symbol, key, int(ours.is_busted), int(theirs.is_busted))
        return
    if ours.copies != theirs.copies:
        yield Difference(BreakKind.DUPLICATE_FILL, ours.symbol, key, ours.copies, theirs.copies)
    if ours.symbol != theirs.symbol:
        yield Difference(BreakKind.FILL_SYMBOL, ours.symbol, key, 0, 0)
    if ours.side != theirs.side:
        yield Difference(BreakKind.FILL_SIDE, ours.symbol, key, int(ours.side), int(theirs.side))
    if ours.px != theirs.px:
        yield Difference(BreakKind.FILL_PX, ours.symbol, key, ours.px, theirs.px)
    if ours.qty != theirs.qty:
        yield Difference(BreakKind.FILL_QTY, ours.symbol, key, ours.qty, theirs.qty)
    if ours.fee is not None and theirs.fee is not None and ours.fee != theirs.fee:
        yield Difference(BreakKind.FILL_FEE, ours.symbol, key, ours.fee, theirs.fee)


def _positions(ours: Books, theirs: Books) -> Iterator[Difference]:
    for side in (ours, theirs):  # a side that contradicts itself needs nobody else to be wrong
        if side.positions is not None and side.fills is not None:
            for symbol, held, of_fills in _pairs(side.positions, _explained(side.fills, side.moved)):
                if held != of_fills:
                    yield Difference(BreakKind.POSITION_OF_FILLS, symbol, (int(side is theirs), 0), held, of_fills)
    if ours.positions is not None and theirs.positions is not None:
        for symbol, mine, other in _pairs(ours.positions, theirs.positions):
            if mine != other:
                yield Difference(BreakKind.POSITION, symbol, (0, 0), mine, other)


def _explained(fills: dict[FillKey, Fill], moved: dict[str, int]) -> dict[str, int]:
    of_fills = positions_of(fills)
    return of_fills | {symbol: of_fills.get(symbol, 0) + qty for symbol, qty in moved.items()}


def _cash(ours: Books, theirs: Books) -> Iterator[Difference]:
    if ours.cash is not None and theirs.cash is not None:
        for currency, mine, other in _pairs(ours.cash, theirs.cash):
            if mine != other:
                yield Difference(BreakKind.CASH, currency, (0, 0), mine, other)


def _pairs(ours: dict[str, int], theirs: dict[str, int]) -> Iterator[tuple[str, int, int]]:
    for name in sorted(ours.keys() | theirs.keys()):
        yield name, ours.get(name, 0), theirs.get(name, 0)


def _knows_orders(fills: dict[FillKey, Fill]) -> bool:
    """Whether a side speaks of our order ids: the smallest of them is far above the number of a side."""
    return not fills or any(cl_ord_id > max(Side) for cl_ord_id, _ in fills)
