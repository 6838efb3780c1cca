"""A market maker under an inventory limit, after Gueant, Lehalle and Fernandez-Tapia.

O. Gueant, C.-A. Lehalle, J. Fernandez-Tapia, Dealing with the inventory risk, Mathematics and Financial Economics 7
(2013), section 4: the closed form of the asymptotic quotes, which hold as long as the horizon is not near. They are an
approximation in the middle of the limits; the exact table is `models.gueant_lehalle.stationary_distances`.

Expect: a constant half spread, and both quotes moved by the same distance for each clip held; no clock. A side that
would go beyond the limit is not quoted.
"""

from openbell import BookView, Context, Report, Strategy, math, param
from openbell.models import gueant_lehalle as model
from openbell.strategy.taking import Closing, clip_of, is_open, others_ask, others_bid, tick_above, tick_below


class GueantLehalleTapia(Strategy):
    """One quote a side. Prices of the model are in ticks, times in seconds, inventory in clips of `size`."""

    gamma: float = param(0.01, ge=1e-6, le=10.0, unit="1/tick", doc="risk aversion")
    sigma: float = param(1.0, ge=0.0, le=1e3, unit="ticks/sqrt(s)", doc="volatility of the mid")
    arrival: float = param(0.9, ge=1e-6, le=1e6, unit="1/s", doc="A: fills at the mid")
    k: float = param(0.3, ge=1e-3, le=100.0, unit="1/tick", doc="decay of the fill rate with the distance from mid")
    size: int = param(100, ge=1, le=1_000_000, unit="lots", doc="a clip: quantity of each quote")
    clips_max: int = param(10, ge=1, le=1_000, unit="clips", doc="Q: inventory beyond which a side is not quoted")

    base: float = 0.0  # half spread, ticks
    per_clip: float = 0.0  # what one clip of inventory moves both quotes, ticks
    closing: Closing = Closing()

    def on_start(self, ctx: Context) -> None:
        """The two numbers of the closed form."""
        self.closing.reset()
        self.base = model.half_spread(self.gamma, self.k)
        self.per_clip = model.slope(self.gamma, self.sigma, self.k, self.arrival)

    def on_book(self, ctx: Context, book: BookView) -> None:
        """Quote what the model says, on the tick, never through the market."""
        if self.closing.go_on(ctx, self.size):
            return
        bid, ask = others_bid(book), others_ask(book)
        if not is_open(book) or bid == 0 or ask <= bid:
            ctx.quote(book.instrument)
            return
        position = ctx.position(book.instrument)
        held = min(float(self.clips_max), max(-float(self.clips_max), float(position) / float(self.size)))
        mid = 0.5 * float(bid + ask) / float(book.tick)
        model_bid, model_ask = model.quotes(mid, held, self.base, self.per_clip)
        bid_px = min(math.floor(max(0.0, model_bid)) * book.tick, tick_above(ask, book.tick) - book.tick)
        ask_px = max(math.ceil(min(2.0 * mid, model_ask)) * book.tick, tick_below(bid, book.tick) + book.tick)
        held_max = self.clips_max * self.size
        bid_qty = clip_of(self.size, held_max - position, book.lot) if bid_px > 0 else 0
        ask_qty = clip_of(self.size, held_max + position, book.lot)
        ctx.quote(book.instrument, bid_px=bid_px, bid_qty=bid_qty, ask_px=ask_px, ask_qty=ask_qty)

    def on_order(self, ctx: Context, report: Report) -> None:
        """At the end: go on once quotes are away."""
        self.closing.go_on(ctx, self.size)

    def on_fill(self, ctx: Context, fill: Report) -> None:
        """The same."""
        self.closing.go_on(ctx, self.size)

    def on_stop(self, ctx: Context) -> None:
        """Pull the quotes and close what is held."""
        self.closing.begin(ctx, self.size)
