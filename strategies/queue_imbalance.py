"""A maker who stands in the longer queue and leaves the shorter one before it is gone.

M. Gould, J. Bonart, Queue imbalance as a one-tick-ahead price predictor in a limit order book, Market Microstructure
and Liquidity 2 (2016): the side with less at the touch is the one the price moves through next. The skew of Cartea,
Donnelly and Jaimungal, Enhancing trading strategies with order book signals, Applied Mathematical Finance 25 (2018).

Expect: both touches joined while the queues are even; the threatened side a few ticks back, or pulled, when they are
not. It pays where the spread is one tick and the queues are long, and has little to say where they are thin.
"""

from openbell import BookView, Context, Report, Strategy, param
from openbell.strategy.indicators import imbalance
from openbell.strategy.taking import Closing, clip_of, is_open, others_ask, others_bid, tick_above, tick_below
from openbell.types import Side


class QueueImbalance(Strategy):
    """One quote a side, at the touch of the others."""

    lean: float = param(0.5, ge=0.0, le=1.0, doc="imbalance, -1 to 1, from which the threatened side steps back")
    leave: float = param(0.8, ge=0.0, le=1.0, doc="imbalance from which it is pulled")
    step_ticks: int = param(1, ge=0, le=1_000, unit="ticks", doc="how far it steps back")
    size: int = param(100, ge=1, le=1_000_000, unit="lots", doc="quantity of each quote")
    position_max: int = param(1_000, ge=1, le=10_000_000, unit="lots", doc="most to hold, either way")

    closing: Closing = Closing()

    def on_start(self, ctx: Context) -> None:
        """A new day."""
        self.closing.reset()

    def on_book(self, ctx: Context, book: BookView) -> None:
        """Requote from the queues of the others."""
        if self.closing.go_on(ctx, self.size):
            return
        bid, ask = others_bid(book), others_ask(book)
        if not is_open(book) or bid == 0 or ask <= bid:
            ctx.quote(book.instrument)
            return
        pressure = imbalance(book.others_qty(Side.BUY), book.others_qty(Side.SELL))
        position = ctx.position(book.instrument)
        bid_px = tick_below(bid, book.tick) - self.back(-pressure) * book.tick
        ask_px = tick_above(ask, book.tick) + self.back(pressure) * book.tick
        bid_qty = clip_of(self.size, self.position_max - position, book.lot)
        ask_qty = clip_of(self.size, self.position_max + position, book.lot)
        if -pressure >= self.leave or bid_px <= 0:
            bid_qty = 0
        if pressure >= self.leave:
            ask_qty = 0
        ctx.quote(book.instrument, bid_px=bid_px, bid_qty=bid_qty, ask_px=ask_px, ask_qty=ask_qty)

    def back(self, threat):
        """Ticks behind the touch under a threat from -1 to 1."""
        return self.step_ticks if threat >= self.lean else 0

    def on_order(self, ctx: Context, report: Report) -> None:
        """At the end: go on once quotes are away."""
        self.closing.go_on(ctx, self.size)

    def on_fill(self, ctx: Context, fill: Report) -> None:
        """The same."""
        self.closing.go_on(ctx, self.size)

    def on_stop(self, ctx: Context) -> None:
        """Pull the quotes and close what is held."""
        self.closing.begin(ctx, self.size)
