"""Strategies that are wrong on purpose, one mistake each; `on_book` makes it at the second book."""

import select
import sys

from openbell.strategy import Array, Strategy, array, param


class Wrong(Strategy):
    """Quotes properly, and at the second book makes the mistake of its subclass."""

    books: int = 0
    mean: float = 0.0
    last: Array[int] = array(int, 2)
    size: int = param(1, ge=1)

    def on_book(self, ctx, book):
        self.books += 1
        ctx.quote(book.instrument, bid_px=book.bid_px, bid_qty=1)
        if self.books == 2:
            self.err(ctx, book)

    def err(self, ctx, book):
        """The mistake."""


class Raises(Wrong):
    def err(self, ctx, book):
        raise ValueError("bad price")


class LoopsForever(Wrong):
    def err(self, ctx, book):
        while True:
            pass


class Blocks(Wrong):
    def err(self, ctx, book):
        select.select([], [], [], 3600)


class Recurses(Wrong):
    def err(self, ctx, book):
        self.err(ctx, book)


class Exits(Wrong):
    def err(self, ctx, book):
        sys.exit(3)


class Interrupts(Wrong):
    def err(self, ctx, book):
        raise KeyboardInterrupt


class FloatPrice(Wrong):
    def err(self, ctx, book):
        ctx.quote(book.instrument, bid_px=100.5, bid_qty=1)


class UnknownInstrument(Wrong):
    def err(self, ctx, book):
        ctx.quote(7, bid_px=book.bid_px, bid_qty=1)


class UnknownSymbol(Wrong):
    def err(self, ctx, book):
        ctx.quote(ctx.instrument("APPL"), bid_px=book.bid_px, bid_qty=1)


class Floods(Wrong):
    def err(self, ctx, book):
        for _ in range(100):
            ctx.quote(book.instrument, bid_px=book.bid_px, bid_qty=1)


class LooksAhead(Wrong):
    def err(self, ctx, book):
        ctx.now_ns = ctx.now_ns + 1_000_000_000


class ChangesTheBook(Wrong):
    def err(self, ctx, book):
        book.bid_px = 1


class MisspellsAField(Wrong):
    def err(self, ctx, book):
        self.boks += 1


class AddsAnAttribute(Wrong):
    def err(self, ctx, book):
        self.note = 1


class MisspellsAVerb(Wrong):
    def err(self, ctx, book):
        ctx.qoute(book.instrument)


class LeavesOutAnArgument(Wrong):
    def err(self, ctx, book):
        ctx.order(book.instrument, px=book.bid_px, qty=1)


class FloatIntoAnInt(Wrong):
    def err(self, ctx, book):
        self.books = 1.5


class Overflows(Wrong):
    def err(self, ctx, book):
        self.books = 2**63


class DividesByZero(Wrong):
    def err(self, ctx, book):
        self.mean = 1 / (self.books - 2)


class OutsideAnArray(Wrong):
    def err(self, ctx, book):
        self.last[self.books] = 1


class ChangesAParameter(Wrong):
    def err(self, ctx, book):
        self.size = 2


class NoSide(Wrong):
    def err(self, ctx, book):
        book.level_px(3, 0)
