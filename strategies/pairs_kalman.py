"""A cointegrated pair whose hedge ratio a Kalman filter follows.

E. Chan, Algorithmic Trading (2013), chapter 3; R. Elliott, J. van der Hoek, W. Malcolm, Pairs trading, Quantitative
Finance 5 (2005): y = intercept + slope x with slowly moving coefficients; what y is off, divided by what the filter
thinks that can be, is the score that is traded. The filter is openbell.models.kalman.

Expect: in at `entry` deviations against the error, out near 0; y first, then x on its fills, by the ratio of the moment
of entry. It loses where the pair comes apart for good, which the filter calls a new intercept.
"""

from openbell import Context, math, param
from openbell.models import kalman
from openbell.strategy.legs import Leg
from openbell.strategy.taking import Taker, is_open, is_working, mid_of, take

LOOK = 1
MILLISECOND = 1_000_000


class PairsKalman(Taker):
    """Two instruments: y, then x, in the order the feed announces them. Prices in the filter are in their currency."""

    NEEDS = 2

    look_ms: int = param(1_000, ge=1, le=3_600_000, unit="ms", doc="between two looks at the pair")
    drift: float = param(1e-10, ge=0.0, le=1.0, unit="px^2", doc="variance that the coefficients gain a look")
    noise: float = param(1e-4, ge=1e-12, le=1e6, unit="px^2", doc="variance of y around the line")
    warm_looks: int = param(60, ge=2, le=1_000_000, unit="looks", doc="before the first trade")
    entry: float = param(2.0, ge=0.1, le=100.0, unit="deviations", doc="score that opens")
    edge: float = param(0.0, ge=0.0, le=1e6, unit="px", doc="y must be off by so much too: the costs of a trade")
    exit: float = param(0.3, ge=0.0, le=100.0, unit="deviations", doc="score that closes")
    limit_ms: int = param(500, ge=1, le=3_600_000, unit="ms", doc="y without its x: then y is closed if x is not open")

    intercept: float = 0.0
    slope: float = 0.0
    p_ii: float = 1.0
    p_is: float = 0.0
    p_ss: float = 1.0
    looks: int = 0
    off: float = 0.0  # y less what was expected of it
    score: float = 0.0
    wanted: int = 0  # lots of y
    ratio: float = 0.0  # lots of x for one of y, since the entry
    leg: Leg = Leg()

    def on_start(self, ctx: Context) -> None:
        """A new day; what the filter knows stays."""
        self.closing.reset()
        ctx.set_timer(LOOK, ctx.now_ns + self.look_ms * MILLISECOND)

    def on_timer(self, ctx: Context, timer_id: int) -> None:
        """Look at the pair; or a leg has been missing for too long."""
        if timer_id == LOOK:
            ctx.set_timer(LOOK, ctx.now_ns + self.look_ms * MILLISECOND)
            self.look(ctx)
        self.go_on(ctx)

    def look(self, ctx: Context) -> None:
        """One observation, and what it says to do."""
        if len(ctx.instruments) < 2:
            return
        of_y, of_x = ctx.book(ctx.instruments[0]), ctx.book(ctx.instruments[1])
        if not is_open(of_y) or not is_open(of_x):
            return
        y = mid_of(of_y) * math.pow(10.0, -float(of_y.px_decimals))
        x = mid_of(of_x) * math.pow(10.0, -float(of_x.px_decimals))
        if self.looks == 0:
            self.slope = y / x
        error, variance = kalman.innovation(
            self.intercept, self.slope, self.p_ii, self.p_is, self.p_ss, x, y, self.drift, self.noise
        )
        self.intercept, self.slope, self.p_ii, self.p_is, self.p_ss = kalman.updated(
            self.intercept, self.slope, self.p_ii, self.p_is, self.p_ss, x, y, self.drift, self.noise
        )
        self.looks += 1
        self.off = error
        self.score = error / math.sqrt(variance)
        self.choose(ctx)

    def choose(self, ctx: Context) -> None:
        """In against the error, out once it is gone."""
        if self.looks <= self.warm_looks:
            return
        is_far = abs(self.score) >= self.entry and abs(self.off) >= self.edge
        is_over = self.score <= self.exit if self.wanted < 0 else self.score >= -self.exit
        if self.wanted != 0 and is_over:
            self.wanted = 0
        elif self.wanted == 0 and is_far and self.is_flat(ctx):
            self.wanted = -self.size if self.score > 0.0 else self.size
            self.ratio = self.slope

    def is_flat(self, ctx: Context):
        """Whether the last trade is over."""
        return ctx.position(ctx.instruments[0]) == 0 and ctx.position(ctx.instruments[1]) == 0

    def step(self, ctx: Context) -> None:
        """X for the y that is held, then y."""
        y, x = ctx.instruments[0], ctx.instruments[1]
        held = ctx.position(y)
        x_left = -round(self.ratio * float(held)) - ctx.position(x)
        if self.leg.settle(ctx, 0, x, x_left, 0, y, -held, self.limit_ms * MILLISECOND) or is_working(ctx, y):
            return
        if take(ctx, y, self.wanted - held) != 0:
            self.pause(ctx)
