"""Reads the touch, its position and two parameters: the callback of the strategy figures."""

from openbell import Strategy, param


class Deaf(Strategy):
    """Is never called: what the measurement itself costs."""


class TouchDecides(Strategy):
    """Decides by touch, position and two parameters, and never finds a reason to quote."""

    size: int = param(1, ge=1, unit="lots")
    max_position: int = param(10, ge=1, unit="lots")

    def on_book(self, ctx, book):
        """Quote only where the book is crossed by a dollar, which no venue shows."""
        bid, ask = book.bid_px, book.ask_px
        position = ctx.position(book.instrument)
        if bid and ask and bid > ask + 10_000 and -self.max_position < position < self.max_position:
            ctx.quote(book.instrument, bid_px=bid, bid_qty=self.size, ask_px=ask, ask_qty=self.size)


class TouchQuotes(Strategy):
    """Joins both touches within its position limits, on every callback: an intent each, orders where it changed."""

    size: int = param(1, ge=1, unit="lots")
    max_position: int = param(10, ge=1, unit="lots")

    def on_book(self, ctx, book):
        """Requote."""
        position = ctx.position(book.instrument)
        ctx.quote(
            book.instrument,
            bid_px=book.bid_px,
            bid_qty=self.size if position < self.max_position and book.bid_px else 0,
            ask_px=book.ask_px,
            ask_qty=self.size if position > -self.max_position and book.ask_px else 0,
        )
