"""A market maker who dislikes inventory, after Avellaneda and Stoikov.

M. Avellaneda, S. Stoikov, High-frequency trading in a limit order book, Quantitative Finance 8 (2008): the reservation
price (section 2.2; without a horizon 2.3) and the spread (section 3.2). The formulas are openbell.models'.

Expect: quotes around the mid of the others, moved against the inventory, the more so the longer it must still be held.
Beside symmetric quotes of the same width: about the same profit per lot and a third of the inventory's deviation
(2.9 for 8.4 in the paper's own world). It earns the spread and loses to those who know where the price goes.
"""

from openbell import BookView, Context, Report, Strategy, math, param
from openbell.models import avellaneda_stoikov as model
from openbell.strategy.indicators import TimeEma
from openbell.strategy.taking import Closing, clip_of, is_open, others_ask, others_bid, tick_above, tick_below

SECOND = 1_000_000_000
LOOKS_LEAST = 20


class AvellanedaStoikov(Strategy):
    """One quote a side. Prices of the model are in ticks, times in seconds, inventory in clips of `size`."""

    gamma: float = param(0.01, ge=1e-6, le=10.0, unit="1/tick", doc="risk aversion")
    k: float = param(0.5, ge=1e-3, le=100.0, unit="1/tick", doc="decay of the fill rate with the distance from mid")
    sigma: float = param(0.0, ge=0.0, le=1e3, unit="ticks/sqrt(s)", doc="volatility; 0: as measured")
    half_life_s: float = param(60.0, ge=1.0, le=86_400.0, unit="s", doc="of the measured variance")
    horizon_s: float = param(60.0, ge=0.0, le=86_400.0, unit="s", doc="T, begun again when it is over; 0: none")
    size: int = param(100, ge=1, le=1_000_000, unit="lots", doc="a clip: quantity of each quote")
    clips_max: int = param(5, ge=1, le=1_000, unit="clips", doc="inventory beyond which only the other side is quoted")

    variance: TimeEma = TimeEma(half_life_ns=60 * SECOND)
    started_ns: int = 0
    looked_ns: int = 0
    looked_mid: float = 0.0
    closing: Closing = Closing()

    def on_start(self, ctx: Context) -> None:
        """The horizon begins."""
        self.closing.reset()
        self.started_ns = ctx.now_ns
        self.looked_ns = 0
        self.variance.half_life_ns = int(self.half_life_s * 1e9)

    def on_book(self, ctx: Context, book: BookView) -> None:
        """Quote what the model says, on the tick, never through the market."""
        if self.closing.go_on(ctx, self.size):
            return
        bid, ask = others_bid(book), others_ask(book)
        if not is_open(book) or bid == 0 or ask <= bid:
            ctx.quote(book.instrument)
            return
        mid = 0.5 * float(bid + ask) / float(book.tick)
        self.measure(ctx.now_ns, mid)
        if self.sigma == 0.0 and self.variance.count < LOOKS_LEAST:
            return
        position = ctx.position(book.instrument)
        model_bid, model_ask = self.quotes(mid, float(position) / float(self.size), ctx.now_ns)
        bid_px = min(math.floor(model_bid) * book.tick, tick_above(ask, book.tick) - book.tick)
        ask_px = max(math.ceil(model_ask) * book.tick, tick_below(bid, book.tick) + book.tick)
        held_max = self.clips_max * self.size
        bid_qty = clip_of(self.size, held_max - position, book.lot) if bid_px > 0 else 0
        ask_qty = clip_of(self.size, held_max + position, book.lot)
        ctx.quote(book.instrument, bid_px=bid_px, bid_qty=bid_qty, ask_px=ask_px, ask_qty=ask_qty)

    def measure(self, now_ns, mid):
        """Once a second, the squared move a second."""
        passed_ns = now_ns - self.looked_ns
        if passed_ns < SECOND:
            return
        if self.looked_ns > 0:
            move = mid - self.looked_mid
            self.variance.update(now_ns, move * move * 1e9 / float(passed_ns))
        self.looked_ns = now_ns
        self.looked_mid = mid

    def quotes(self, mid, q, now_ns):
        """(bid, ask) of the model, in ticks."""
        sigma = self.sigma if self.sigma > 0.0 else math.sqrt(self.variance.value)
        limit = float(self.clips_max)
        q = min(limit, max(-limit, q))
        if self.horizon_s > 0.0:
            left = self.horizon_s - math.fmod(float(now_ns - self.started_ns) * 1e-9, self.horizon_s)
            bid, ask = model.quotes(mid, q, self.gamma, sigma, self.k, left)
        else:
            bid, ask = self.endless_quotes(mid, q, max(sigma, 1e-6), limit + 1.0)
        return max(0.0, bid), min(2.0 * mid, ask)

    def endless_quotes(self, mid, q, sigma, q_max):
        """The same without a horizon: around each side's own reservation price."""
        bid, ask = model.endless_reservation_prices(mid, q, self.gamma, sigma, q_max)
        half = 0.5 * model.spread(self.gamma, sigma, self.k, 0.0)
        return bid - half, ask + half

    def on_order(self, ctx: Context, report: Report) -> None:
        """At the end: go on once quotes are away."""
        self.closing.go_on(ctx, self.size)

    def on_fill(self, ctx: Context, fill: Report) -> None:
        """The same."""
        self.closing.go_on(ctx, self.size)

    def on_stop(self, ctx: Context) -> None:
        """Pull the quotes and close what is held."""
        self.closing.begin(ctx, self.size)
