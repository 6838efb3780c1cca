"""A market maker under an inventory limit, after Gueant, Lehalle and Fernandez-Tapia.

O. Gueant, C.-A. Lehalle, J. Fernandez-Tapia, Dealing with the inventory risk, Mathematics and Financial Economics 7
(2013), theorem 2: the exact quotes far from the horizon, for every inventory up to the limit, worked out at the start
as in `models.gueant_lehalle.stationary_distances`; the closed form of section 4 is wrong near the limit.

Expect: a constant half spread, and both quotes moved the same way for each clip held, more for those near the limit; no
clock. A side that would go beyond the limit is not quoted.
"""

from openbell import Array, BookView, Context, Report, State, Strategy, array, math, param
from openbell.models import gueant_lehalle as model
from openbell.strategy.taking import Closing, clip_of, is_open, others_ask, others_bid, tick_above, tick_below

CLIPS_MAX = 64
ROUNDS = 40  # each makes the error a fifth of what it was, or less
TINY = 1e-290  # below it a float has too few bits


class Exact(State):
    """What inventory adds to the half spread: ground state of the exact system, by inverse iteration.

    (alpha q^2 + 2 eta) v_q - eta (v_{q-1} + v_{q+1}) = w_q, which is positive definite; v_q = v_{-q}, so half of it is
    enough. Row by row from the limit to the middle and back.
    """

    weights: Array[float] = array(float, CLIPS_MAX + 1)  # v_q
    pivots: Array[float] = array(float, CLIPS_MAX + 1)
    rises: Array[float] = array(float, CLIPS_MAX)  # ln(v_q / v_{q+1}) / k, ticks

    def solve(self, alpha: float, eta: float, k: float, clips: int) -> None:
        """For q up to `clips`."""
        for q in range(clips, -1, -1):
            self.weights[q] = 1.0 if q == 0 else 0.0  # so that far ones, which may be 1e-200, begin small
            self.pivots[q] = alpha * float(q * q) + 2.0 * eta
            if q < clips:
                self.pivots[q] -= self.beside(eta, q) * eta / self.pivots[q + 1]
        for _ in range(ROUNDS):
            self.improve(eta, clips)
        for q in range(clips):
            high = self.weights[q + 1]
            ratio = self.weights[q] / high if high > TINY else self.pivots[q + 1] / eta  # so far out they are one
            self.rises[q] = math.log(ratio) / k

    def improve(self, eta: float, clips: int) -> None:
        """One round: the solution for the weights there are, the largest of them 1."""
        for q in range(clips - 1, -1, -1):
            self.weights[q] += self.beside(eta, q) / self.pivots[q + 1] * self.weights[q + 1]
        self.weights[0] /= self.pivots[0]
        for q in range(1, clips + 1):
            self.weights[q] = (self.weights[q] + eta * self.weights[q - 1]) / self.pivots[q]
        largest = self.weights[0]
        for q in range(clips + 1):
            self.weights[q] /= largest

    def beside(self, eta: float, q: int) -> float:
        """What row q has of v_{q+1}: in the middle of v_{-1} too."""
        return 2.0 * eta if q == 0 else eta

    def lean(self, held: float, clips: int) -> float:
        """What is added to the bid's distance at `held` clips, and at -`held` to the ask's, ticks.

        Between whole clips on a straight line; at the limit, where that side is not quoted, that of a clip before it.
        """
        q = min(float(clips - 1), max(-float(clips), held))
        below = math.floor(q)
        at = self.step(below)
        part = q - float(below)
        return at + part * (self.step(below + 1) - at) if part > 0.0 else at

    def step(self, q: int) -> float:
        """The same for a whole number of clips."""
        return self.rises[q] if q >= 0 else -self.rises[-q - 1]


class GueantLehalleTapia(Strategy):
    """One quote a side. Prices of the model are in ticks, times in seconds, inventory in clips of `size`."""

    gamma: float = param(0.01, ge=1e-6, le=10.0, unit="1/tick", doc="risk aversion")
    sigma: float = param(1.0, ge=0.0, le=1e3, unit="ticks/sqrt(s)", doc="volatility of the mid")
    arrival: float = param(0.9, ge=1e-6, le=1e6, unit="1/s", doc="A: fills at the mid")
    k: float = param(0.3, ge=1e-3, le=100.0, unit="1/tick", doc="decay of the fill rate with the distance from mid")
    size: int = param(100, ge=1, le=1_000_000, unit="lots", doc="a clip: quantity of each quote")
    clips_max: int = param(10, ge=1, le=CLIPS_MAX, unit="clips", doc="Q: inventory beyond which a side is not quoted")

    base: float = 0.0  # half spread, ticks
    exact: Exact = Exact()
    closing: Closing = Closing()

    def on_start(self, ctx: Context) -> None:
        """The half spread, and the table of what inventory adds to it."""
        self.closing.reset()
        self.base = model.half_spread(self.gamma, self.k)
        alpha = 0.5 * self.k * self.gamma * self.sigma * self.sigma
        eta = self.arrival * math.pow(1.0 + self.gamma / self.k, -(1.0 + self.k / self.gamma))
        self.exact.solve(alpha, eta, self.k, self.clips_max)

    def on_book(self, ctx: Context, book: BookView) -> None:
        """Quote what the model says, on the tick, never through the market."""
        if self.closing.go_on(ctx, self.size):
            return
        bid, ask = others_bid(book), others_ask(book)
        if not is_open(book) or bid == 0 or ask <= bid:
            ctx.quote(book.instrument)
            return
        position = ctx.position(book.instrument)
        held = float(position) / float(self.size)
        mid = 0.5 * float(bid + ask) / float(book.tick)
        model_bid = mid - self.base - self.exact.lean(held, self.clips_max)
        model_ask = mid + self.base + self.exact.lean(-held, self.clips_max)
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
