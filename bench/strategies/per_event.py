"""Looks at the touch on every event and requotes once in a hundred: the callbacks of the backtest figures."""

from openbell import Strategy, param


class PerEvent(Strategy):
    """Every `every`-th frame joins both touches with one lot; keeps nothing of its own."""

    every: int = param(100, ge=1, unit="frames")

    def on_book(self, ctx, book):
        """Read the touch, and now and then requote."""
        bid, ask = book.bid_px, book.ask_px
        if ctx.seq % self.every == 0 and bid and ask:
            ctx.quote(book.instrument, bid_px=bid, bid_qty=1, ask_px=ask, ask_qty=1)

    def on_trade(self, ctx, trade):
        """Be called."""


class PerEventCounted(Strategy):
    """The same, counting its callbacks in declared state: journalled whenever it changes, so at every event."""

    every: int = param(100, ge=1, unit="callbacks")
    books: int = 0
    trades: int = 0

    def on_book(self, ctx, book):
        """Read the touch, and now and then requote."""
        self.books += 1
        bid, ask = book.bid_px, book.ask_px
        if self.books % self.every == 0 and bid and ask:
            ctx.quote(book.instrument, bid_px=bid, bid_qty=1, ask_px=ask, ask_qty=1)

    def on_trade(self, ctx, trade):
        """Count."""
        self.trades += 1
