"""The book by price once more, slow and obvious: a dict a side."""

from dataclasses import dataclass, field

import numpy as np

from openbell.types import BUY, SELL, Side, Type

OK, NEGATIVE, FULL = 0, 3, 5
IS_BUY = 1
NOTHING, QUOTES, LEVELS = range(3)


@dataclass
class Book:
    """One instrument: quotes are a book until the first level comes, then levels are."""

    kind: int = NOTHING
    is_valid: bool = True
    sides: dict[Side, dict[int, int]] = field(default_factory=lambda: {BUY: {}, SELL: {}})

    def touch(self) -> tuple[int, int, int, int]:
        bids, asks = self.depth(BUY), self.depth(SELL)
        return (bids[0] if bids else (0, 0)) + (asks[0] if asks else (0, 0))

    def depth(self, side: Side) -> list[tuple[int, int]]:
        return sorted(self.sides[side].items(), reverse=side == BUY)


class Books:
    """Twin of the native Books, for venues that tell levels or quotes."""

    def __init__(self, instruments: list[int], levels_max: int) -> None:
        self.books = {i: Book() for i in instruments}
        self.levels_max = levels_max

    def apply(self, r: np.void) -> int:
        book = self.books[int(r["instrument"])]
        fault = self._apply(book, Type(int(r["type"])), r)
        book.is_valid &= fault == OK
        return fault

    def _apply(self, book: Book, kind: Type, r: np.void) -> int:
        if kind == Type.BOOK_CLEAR:
            book.sides = {BUY: {}, SELL: {}}
            return OK
        is_quote = kind == Type.QUOTE
        if is_quote and book.kind == LEVELS:
            return OK
        if r["qty"] < 0:
            return NEGATIVE
        if not is_quote and book.kind != LEVELS:
            book.kind, book.sides = LEVELS, {BUY: {}, SELL: {}}
        if is_quote:
            book.kind = QUOTES
        side, px, qty = BUY if r["flags"] & IS_BUY else SELL, int(r["px"]), int(r["qty"])
        levels = {} if is_quote else dict(book.sides[side])
        levels.pop(px, None)
        if qty:
            levels[px] = qty
        if qty and self._levels() - len(book.sides[side]) + len(levels) > self.levels_max:
            return FULL
        book.sides[side] = levels
        return OK

    def _levels(self) -> int:
        return sum(len(side) for book in self.books.values() for side in book.sides.values())
