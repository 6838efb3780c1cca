"""A portfolio of three, brought back to its weights by the clock.

Two ways to weights, both of openbell.models.portfolio: H. Markowitz, Portfolio selection, Journal of Finance 7 (1952),
mean and variance under bounds; and equal shares of the risk, S. Maillard, T. Roncalli, J. Teiletche, The properties of
equally weighted risk contribution portfolios, Journal of Portfolio Management 36 (2010). Means and covariances are
exponential averages of the returns between two looks.

Expect: no view on prices but the averages; risk parity always long and slow, mean-variance bolder and noisier the
shorter the averages; orders only where a weight is off by more than `band`, because trading costs more than the last
percent of a weight is worth.
"""

from openbell import Array, BookView, Context, array, math, param
from openbell.models import portfolio
from openbell.strategy.taking import Taker, is_open, is_working, mid_of, take

ASSETS = 3
LOOK = 1
MILLISECOND = 1_000_000
ROUNDS_MAX = 10_000


class Rebalancer(Taker):
    """Three instruments; for more, change ASSETS. Weights are of capital, what they leave is cash."""

    NEEDS = ASSETS

    is_risk_parity: bool = param(True, doc="False: mean and variance")
    look_ms: int = param(1_000, ge=1, le=86_400_000, unit="ms", doc="between two looks at the prices")
    span: float = param(120.0, ge=2.0, le=1_000_000.0, unit="looks", doc="of the averages")
    warm_looks: int = param(60, ge=3, le=1_000_000, unit="looks", doc="before the first trade")
    every_looks: int = param(30, ge=1, le=1_000_000, unit="looks", doc="from one rebalancing to the next")
    shrink: float = param(0.2, ge=0.0, le=1.0, doc="how much of the covariances is not believed")
    aversion: float = param(10.0, ge=0.01, le=1e9, doc="of mean-variance: variance that a unit of return is worth")
    belief: float = param(0.1, ge=0.0, le=1.0, doc="of mean-variance: how much of the averages is believed")
    weight_max: float = param(0.5, ge=0.01, le=10.0, doc="of one asset; mean-variance goes short as far")
    band: float = param(0.02, ge=0.0, le=1.0, doc="a weight that is off by less is left alone")
    capital: float = param(100_000.0, ge=1.0, le=1e12, unit="money", doc="that weights are of")

    prices: Array = array(float, ASSETS)
    returns: Array = array(float, ASSETS)
    means: Array = array(float, ASSETS)
    averages: Array = array(float, ASSETS * ASSETS)
    covariance: Array = array(float, ASSETS * ASSETS)
    weights: Array = array(float, ASSETS)
    budgets: Array = array(float, ASSETS)
    wanted: Array = array(int, ASSETS)  # lots
    looks: int = 0
    rebalanced: int = 0

    def on_start(self, ctx: Context) -> None:
        """A new day; the averages stay."""
        self.closing.reset()
        ctx.set_timer(LOOK, ctx.now_ns + self.look_ms * MILLISECOND)

    def on_timer(self, ctx: Context, timer_id: int) -> None:
        """Look at the prices; now and then at the weights."""
        ctx.set_timer(LOOK, ctx.now_ns + self.look_ms * MILLISECOND)
        if self.can_look(ctx):
            self.look(ctx)
            if self.looks > self.warm_looks and self.looks % self.every_looks == 0:
                self.rebalance(ctx)
        self.go_on(ctx)

    def can_look(self, ctx: Context):
        """Whether all three trade."""
        if len(ctx.instruments) < ASSETS:
            return False
        for i in range(ASSETS):  # noqa: SIM110  all() is not in the compiled subset
            if not is_open(ctx.book(ctx.instruments[i])):
                return False
        return True

    def look(self, ctx: Context) -> None:
        """One more return of each, into the averages."""
        for i in range(ASSETS):
            book = ctx.book(ctx.instruments[i])
            price = mid_of(book) * math.pow(10.0, -float(book.px_decimals))
            self.returns[i] = price / self.prices[i] - 1.0 if self.looks > 0 else 0.0
            self.prices[i] = price
        new = 2.0 / (self.span + 1.0) if self.looks > 1 else 1.0
        for i in range(ASSETS):
            self.means[i] += new * (self.returns[i] - self.means[i])
            for j in range(ASSETS):
                at = i * ASSETS + j
                self.averages[at] += new * (self.returns[i] * self.returns[j] - self.averages[at])
        self.looks += 1

    def rebalance(self, ctx: Context) -> None:
        """New weights, and the lots that they are; what is close enough stays."""
        if not self.shrink_covariance():
            return
        self.rebalanced += 1
        if self.is_risk_parity:
            self.share_risk()
        else:
            self.trade_off()
        for i in range(ASSETS):
            lots = round(self.weights[i] * self.capital / self.prices[i])
            held = ctx.position(ctx.instruments[i])
            off = float(abs(lots - held)) * self.prices[i] / self.capital
            self.wanted[i] = lots if off > self.band else held

    def shrink_covariance(self):
        """Covariances, drawn towards 0; False while a price has not moved at all."""
        for i in range(ASSETS):
            if self.averages[i * ASSETS + i] <= 1e-18:
                return False
            for j in range(ASSETS):
                at = i * ASSETS + j
                self.covariance[at] = self.averages[at] if i == j else (1.0 - self.shrink) * self.averages[at]
        return True

    def share_risk(self):
        """Every asset the same share of the variance; together `weight_max` each at most."""
        for i in range(ASSETS):
            self.budgets[i] = 1.0 / float(ASSETS)
            self.weights[i] = 1.0 / float(ASSETS)
        portfolio.risk_parity_weights(self.covariance, self.budgets, self.weights, ROUNDS_MAX)
        for i in range(ASSETS):
            self.weights[i] = min(self.weight_max, self.weights[i])

    def trade_off(self):
        """Mean less variance, within the bounds; returns of a look against variances of a look."""
        for i in range(ASSETS):
            self.weights[i] = 0.0
            self.budgets[i] = self.belief * self.means[i]
        portfolio.mean_variance_weights(
            self.covariance,
            self.budgets,
            self.weights,
            self.aversion,
            -self.weight_max,
            self.weight_max,
            ROUNDS_MAX,
        )

    def step(self, ctx: Context) -> None:
        """One clip in each asset towards what is wanted."""
        for i in range(ASSETS):
            instrument = ctx.instruments[i]
            left = self.wanted[i] - ctx.position(instrument)
            if left != 0 and not is_working(ctx, instrument):
                self.pause(ctx)
                take(ctx, instrument, max(-self.size, min(self.size, left)))

    def on_book(self, ctx: Context, book: BookView) -> None:
        """Go on with what is not done."""
        if self.rebalanced > 0:
            self.go_on(ctx)
