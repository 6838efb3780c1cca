"""Trades for hours without an end: the strategy of the soak."""

from openbell import Strategy, param


class Steady(Strategy):
    """Joins both touches every `every`-th frame with one lot; the side that adds to a full position is left out."""

    every: int = param(100, ge=1, unit="frames")
    max_position: int = param(50, ge=1, unit="lots")
    quotes: int = 0

    def on_book(self, ctx, book):
        """Requote now and then, from a book that can be trusted."""
        if ctx.seq % self.every or not (book.is_valid and book.bid_px and book.ask_px):
            return
        self.quotes += 1
        position = ctx.position(book.instrument)
        ctx.quote(
            book.instrument,
            bid_px=book.bid_px,
            bid_qty=1 if position < self.max_position else 0,
            ask_px=book.ask_px,
            ask_qty=1 if position > -self.max_position else 0,
        )
