"""A first market maker: quotes both sides of the touch and leans away from its inventory."""

from openbell import BookView, Context, Report, Strategy, param
from openbell.strategy.taking import Closing, tick_above, tick_below


class MarketMaker(Strategy):
    """Joins both touches; the more it holds, the further the side that would add to it steps back."""

    size: int = param(100, ge=1, unit="lots", doc="quantity shown on each side")
    max_position: int = param(1_000, ge=1, unit="lots", doc="beyond it only the reducing side is quoted")
    skew_ticks: int = param(2, ge=0, unit="ticks", doc="how far the adding side steps back at max_position")
    min_spread_ticks: int = param(1, ge=1, unit="ticks", doc="no quotes in a tighter market")
    fills: int = 0
    volume: int = 0
    closing: Closing = Closing()

    def on_start(self, ctx: Context) -> None:
        """A new day."""
        self.closing.reset()

    def on_book(self, ctx: Context, book: BookView) -> None:
        """Requote from the touch; pull when the book cannot be trusted."""
        if self.closing.is_on:
            self.closing.go_on(ctx, self.size)
            return
        tick = book.tick
        bid, ask = tick_below(book.bid_px, tick), tick_above(book.ask_px, tick)
        if not book.is_valid or not bid or not ask or ask - bid < self.min_spread_ticks * tick:
            ctx.quote(book.instrument)
            return
        position = ctx.position(book.instrument)
        lean = self.skew_ticks * abs(position) // self.max_position * tick
        ctx.quote(
            book.instrument,
            bid_px=bid - (lean if position > 0 else 0),
            bid_qty=self.size if position < self.max_position else 0,
            ask_px=ask + (lean if position < 0 else 0),
            ask_qty=self.size if position > -self.max_position else 0,
        )

    def on_fill(self, ctx: Context, fill: Report) -> None:
        """Keep count across restarts."""
        self.fills += 1
        self.volume += fill.last_qty
        self.closing.go_on(ctx, self.size)

    def on_order(self, ctx: Context, report: Report) -> None:
        """At the end: go on once quotes are away."""
        self.closing.go_on(ctx, self.size)

    def on_stop(self, ctx: Context) -> None:
        """Pull the quotes and close what is held."""
        self.closing.begin(ctx, self.size)
