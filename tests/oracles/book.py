"""The order books once more, slow and obvious: one dict of orders, one list per level."""

from dataclasses import dataclass, field

import numpy as np

from openbell.types import BUY, SELL, Side, Type

OK, UNKNOWN, DUPLICATE, NEGATIVE, OVER, FULL, NO_INSTRUMENT = range(7)
IS_BUY, WHOLE, AT_ORDER_PX = 1, 2, 4
INT64_MAX = 2**63 - 1

Change = tuple[int, bool, int, int, int]  # fault, touched, side, px, qty


@dataclass
class Order:
    order_id: int
    instrument: int
    side: Side
    px: int
    qty: int


@dataclass
class Book:
    """The orders of one instrument; a level is a list in priority."""

    is_valid: bool = True
    levels: dict[Side, dict[int, list[Order]]] = field(default_factory=lambda: {BUY: {}, SELL: {}})

    def depth(self, side: Side) -> list[tuple[int, int, int]]:
        levels = self.levels[side]
        prices = sorted(levels, reverse=side == BUY)
        return [(px, sum(o.qty for o in levels[px]), len(levels[px])) for px in prices]

    def touch(self) -> tuple[int, int, int, int]:
        bids, asks = self.depth(BUY), self.depth(SELL)
        return (bids[0][:2] if bids else (0, 0)) + (asks[0][:2] if asks else (0, 0))

    def queue(self, side: Side, px: int) -> list[tuple[int, int]]:
        return [(o.order_id, o.qty) for o in self.levels[side].get(px, [])]

    def join(self, order: Order) -> None:
        self.levels[order.side].setdefault(order.px, []).append(order)

    def leave(self, order: Order) -> None:
        level = self.levels[order.side][order.px]
        level.remove(order)
        if not level:
            del self.levels[order.side][order.px]


class Books:
    """Twin of the native Books for one venue."""

    def __init__(self, instruments: list[int], orders_max: int, levels_max: int):
        self.books = {i: Book() for i in instruments}
        self.by_id: dict[int, Order] = {}
        self.orders_max = orders_max
        self.levels_max = levels_max

    def apply(self, r: np.void) -> Change:
        verbs = {
            Type.BOOK_ADD: self._add,
            Type.BOOK_MODIFY: self._modify,
            Type.BOOK_CANCEL: self._reduce,
            Type.BOOK_EXECUTE: self._reduce,
            Type.BOOK_CLEAR: self._clear,
        }
        kind = Type(int(r["type"]))
        if kind not in verbs:
            return (OK, False, BUY, 0, 0)
        book = self.books.get(int(r["instrument"]))
        if book is None:
            return (NO_INSTRUMENT, False, BUY, 0, 0)
        before = book.touch()
        answer = verbs[kind](book, {name: int(r[name]) for name in r.dtype.names})
        if isinstance(answer, int):
            book.is_valid = False
            return (answer, False, BUY, 0, 0)
        return (OK, book.touch() != before, *answer)

    def _levels(self) -> int:
        return sum(len(levels) for book in self.books.values() for levels in book.levels.values())

    def _fits(self, book: Book, side: Side, px: int, qty: int, leaving: Order | None = None) -> bool:
        level = [o for o in book.levels[side].get(px, []) if o is not leaving]
        if px not in book.levels[side]:
            alone = leaving is not None and len(book.levels[side][leaving.px]) == 1
            return self._levels() < self.levels_max or alone
        return sum(o.qty for o in level) + qty <= INT64_MAX

    def _add(self, book: Book, r: dict[str, int]) -> int | tuple[Side, int, int]:
        side = BUY if r["flags"] & IS_BUY else SELL
        if r["qty"] <= 0:
            return NEGATIVE
        if r["order_id"] in self.by_id:
            return DUPLICATE
        if len(self.by_id) == self.orders_max or not self._fits(book, side, r["px"], r["qty"]):
            return FULL
        order = Order(r["order_id"], r["instrument"], side, r["px"], r["qty"])
        self.by_id[order.order_id] = order
        book.join(order)
        return (side, order.px, order.qty)

    def _reduce(self, book: Book, r: dict[str, int]) -> int | tuple[Side, int, int]:
        order = self.by_id.get(r["order_id"])
        if order is None or order.instrument != r["instrument"]:
            return UNKNOWN
        is_execute = r["type"] == Type.BOOK_EXECUTE
        qty = order.qty if not is_execute and r["flags"] & WHOLE else r["qty"]
        if qty <= 0:
            return NEGATIVE
        if qty > order.qty:
            return OVER
        if qty == order.qty:
            book.leave(order)
            del self.by_id[order.order_id]
        else:
            order.qty -= qty
        return (order.side, r["px"] if is_execute and not r["flags"] & AT_ORDER_PX else order.px, qty)

    def _modify(self, book: Book, r: dict[str, int]) -> int | tuple[Side, int, int]:
        order = self.by_id.get(r["order_id"])
        if order is None or order.instrument != r["instrument"]:
            return UNKNOWN
        if r["qty"] <= 0:
            return NEGATIVE
        if r["ref"] != r["order_id"] and r["ref"] in self.by_id:
            return DUPLICATE
        if not self._fits(book, order.side, r["px"], r["qty"], leaving=order):
            return FULL
        book.leave(order)
        del self.by_id[order.order_id]
        new = Order(r["ref"], order.instrument, order.side, r["px"], r["qty"])
        self.by_id[new.order_id] = new
        book.join(new)
        return (order.side, order.px, order.qty)

    def _clear(self, book: Book, r: dict[str, int]) -> tuple[Side, int, int]:
        for order_id in [o.order_id for o in self.by_id.values() if o.instrument == r["instrument"]]:
            del self.by_id[order_id]
        book.levels = {BUY: {}, SELL: {}}
        return (BUY, 0, 0)
