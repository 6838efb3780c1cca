"""Indicators: declared state with the arithmetic of well known averages, the same code in both speeds.

An indicator is a field of a strategy. It is journalled, restored and undone with the rest of its state:

    class Trend(Strategy):
        fast: Ema = Ema(span=20.0)
        mids: RollingStd = rolling_std(500)

        def on_book(self, ctx, book):
            mid = 0.5 * float(book.bid_px + book.ask_px)
            if self.fast.update(mid) > mid and self.mids.is_ready():
                ...

Each `update` costs the same, whatever the window. `value` is the last result; it is 0 before there is one.
Definitions, sources and how each stays exact: docs/indicators.md.
"""

from __future__ import annotations

import functools

from openbell import math
from openbell.strategy.fields import Array, State
from openbell.strategy.rows import array

__all__ = [
    "Ema",
    "OrderFlow",
    "RollingMean",
    "RollingStd",
    "RollingVolatility",
    "RollingVwap",
    "TimeEma",
    "Vwap",
    "imbalance",
    "microprice",
    "rolling_mean",
    "rolling_std",
    "rolling_volatility",
    "rolling_vwap",
]


class Ema(State):
    """An exponential moving average in observations: value += alpha (x - value), from the first observation on.

    Give one of `alpha`, `span` (alpha = 2 / (span + 1)) and `half_life` (alpha = 1 - 2^(-1 / half_life)), in
    observations. As Polars' `ewm_mean(adjust=False)`.
    """

    span: float = 0.0
    half_life: float = 0.0
    alpha: float = 0.0
    value: float = 0.0
    count: int = 0

    def update(self, x: float) -> float:
        """One more observation; returns the average.

        Raises:
            ValueError: the first time, where no alpha follows from what was given.
        """
        if self.count == 0:
            self._set_alpha()
            self.value = x
        else:
            self.value += self.alpha * (x - self.value)
        self.count += 1
        return self.value

    def _set_alpha(self) -> None:
        if self.half_life > 0.0:
            self.alpha = -math.expm1(-math.log(2.0) / self.half_life)
        elif self.span >= 1.0:
            self.alpha = 2.0 / (self.span + 1.0)
        if self.alpha <= 0.0 or self.alpha > 1.0:
            raise ValueError("Ema: expected alpha from 0 to 1, span of 1 or more, or half_life above 0; found none")


class TimeEma(State):
    """An exponential moving average in time: what was known `half_life_ns` ago weighs half.

    An observation has the weight 1 - 2^(-(time since the one before) / half-life), as in Polars' `ewm_mean_by`: at the
    time of the one before, or earlier, it changes nothing.
    """

    half_life_ns: int = 0
    value: float = 0.0
    last_ns: int = 0
    count: int = 0

    def update(self, now_ns: int, x: float) -> float:
        """An observation at `now_ns`; returns the average.

        Raises:
            ValueError: the half-life is not above 0.
        """
        if self.half_life_ns <= 0:
            raise ValueError("TimeEma: expected a half_life_ns above 0, found 0 or less")
        if self.count == 0:
            self.value = x
            self.last_ns = now_ns
        elif now_ns > self.last_ns:
            halves = float(now_ns - self.last_ns) / float(self.half_life_ns)
            self.value -= math.expm1(-math.log(2.0) * halves) * (x - self.value)
            self.last_ns = now_ns
        self.count += 1
        return self.value


class RollingMean(State):
    """The mean of the last observations, as many as `values` holds; made by `rolling_mean(window)`.

    The sum is kept in two parts, so that what an observation adds is what it takes away when it leaves.
    """

    values: Array[float] = array(float, 1)
    value: float = 0.0
    count: int = 0
    at: int = 0
    total: float = 0.0
    rest: float = 0.0

    def update(self, x: float) -> float:
        """One more observation, in place of the oldest; returns the mean."""
        if self.is_ready():
            self.total, self.rest = added(self.total, self.rest, -self.values[self.at])
        else:
            self.count += 1
        self.total, self.rest = added(self.total, self.rest, x)
        self.values[self.at] = x
        self.at = following(self.at, len(self.values))
        self.value = (self.total + self.rest) / float(self.count)
        return self.value

    def is_ready(self) -> bool:
        """Whether the window is full."""
        return self.count == len(self.values)


class RollingStd(State):
    """Mean and standard deviation of the last observations; made by `rolling_std(window)`. n - 1 in the denominator.

    `shift` (the mean, measured from `origin`) and `squares` (the sum of squared distances from it) follow each
    replacement by Welford's rule. Beside them runs a fresh set that only ever adds; when the window has gone round it
    is that of the whole window and takes their place. So an error lives for one window, however long the strategy
    runs, and the origin, an observation of the window before, keeps the numbers small. Equal observations, as many as
    the window holds, have no deviation, exactly.
    """

    values: Array[float] = array(float, 2)
    value: float = 0.0
    mean: float = 0.0
    origin: float = 0.0
    shift: float = 0.0
    squares: float = 0.0
    fresh_origin: float = 0.0
    fresh_shift: float = 0.0
    fresh_squares: float = 0.0
    count: int = 0
    at: int = 0
    last: float = 0.0
    equal: int = 0

    def update(self, x: float) -> float:
        """One more observation, in place of the oldest; returns the standard deviation."""
        self._add_fresh(x)
        if self.is_ready():
            self._replace(self.values[self.at] - self.origin, x - self.origin)
        else:
            self.count += 1
            self._take_fresh()
        self.values[self.at] = x
        self.at = following(self.at, len(self.values))
        if self.at == 0:
            self._take_fresh()
        if x != self.last:
            self.equal = 0
        self.equal += 1
        self.last = x
        self.mean = self.origin + self.shift
        self.value = math.sqrt(self.variance())
        return self.value

    def variance(self) -> float:
        """The square of `value`."""
        if self.count < 2 or self.equal >= self.count:
            return 0.0
        return max(0.0, self.squares) / float(self.count - 1)

    def score(self, x: float) -> float:
        """How many standard deviations `x` lies above the mean; 0 while there is no deviation."""
        if self.value <= 0.0:
            return 0.0
        return (x - self.mean) / self.value

    def is_ready(self) -> bool:
        """Whether the window is full."""
        return self.count == len(self.values)

    def _replace(self, old: float, new: float) -> None:
        before = self.shift
        self.shift += (new - old) / float(self.count)
        self.squares += (new - old) * ((new - self.shift) + (old - before))

    def _add_fresh(self, x: float) -> None:
        if self.at == 0:
            self.fresh_origin = x
            self.fresh_shift = 0.0
            self.fresh_squares = 0.0
        new = x - self.fresh_origin
        before = self.fresh_shift
        self.fresh_shift += (new - before) / float(self.at + 1)
        self.fresh_squares += (new - before) * (new - self.fresh_shift)

    def _take_fresh(self) -> None:
        self.origin = self.fresh_origin
        self.shift = self.fresh_shift
        self.squares = self.fresh_squares


class RollingVolatility(State):
    """The standard deviation of the last log returns, per observation; made by `rolling_volatility(window)`.

    The window is of returns, one less than prices. Times the root of the observations in a year it is annualised.
    """

    returns: RollingStd = RollingStd()
    last: float = 0.0
    value: float = 0.0

    def update(self, price: float) -> float:
        """One more price; returns the volatility.

        Raises:
            ValueError: the price is not above 0.
        """
        if price <= 0.0:
            raise ValueError("RollingVolatility: expected a price above 0, found 0 or less")
        if self.last > 0.0:
            self.value = self.returns.update(math.log(price / self.last))
        self.last = price
        return self.value

    def is_ready(self) -> bool:
        """Whether the window of returns is full."""
        return self.returns.is_ready()


class Vwap(State):
    """The volume-weighted average price since the start or the last `reset`, in the units of the prices."""

    value: float = 0.0
    total: float = 0.0
    rest: float = 0.0
    volume: int = 0

    def update(self, px: int, qty: int) -> float:
        """One more print; returns the average."""
        self.total, self.rest = added(self.total, self.rest, float(px) * float(qty))
        self.volume += qty
        if self.volume != 0:
            self.value = (self.total + self.rest) / float(self.volume)
        return self.value

    def reset(self) -> None:
        """Start again."""
        self.value = 0.0
        self.total = 0.0
        self.rest = 0.0
        self.volume = 0


class RollingVwap(State):
    """The volume-weighted average price of the last prints; made by `rolling_vwap(window)`."""

    prices: Array[int] = array(int, 1)
    quantities: Array[int] = array(int, 1)
    value: float = 0.0
    count: int = 0
    at: int = 0
    total: float = 0.0
    rest: float = 0.0
    volume: int = 0

    def update(self, px: int, qty: int) -> float:
        """One more print, in place of the oldest; returns the average."""
        if self.is_ready():
            gone = float(self.prices[self.at]) * float(self.quantities[self.at])
            self.total, self.rest = added(self.total, self.rest, -gone)
            self.volume -= self.quantities[self.at]
        else:
            self.count += 1
        self.total, self.rest = added(self.total, self.rest, float(px) * float(qty))
        self.volume += qty
        self.prices[self.at] = px
        self.quantities[self.at] = qty
        self.at = following(self.at, len(self.prices))
        if self.volume != 0:
            self.value = (self.total + self.rest) / float(self.volume)
        return self.value

    def is_ready(self) -> bool:
        """Whether the window is full."""
        return self.count == len(self.prices)


class OrderFlow(State):
    """Order-flow imbalance: the sum of e_n over changes of the touch since the last `take`, in lots.

    Before the first update the book is empty. A quantity of 0 is an empty side, worse than any price. Source: R. Cont,
    A. Kukanov, S. Stoikov, The price impact of order book events, Journal of Financial Econometrics 12 (2014),
    equation 4; as in openbell.research.features, but for changes that come and go within one frame.
    """

    bid_px: int = 0
    bid_qty: int = 0
    ask_px: int = 0
    ask_qty: int = 0
    value: int = 0

    def update(self, bid_px: int, bid_qty: int, ask_px: int, ask_qty: int) -> int:
        """The touch as it is now; returns the sum so far."""
        bids = side_flow(self.bid_px, self.bid_qty, bid_px, bid_qty)
        asks = side_flow(-self.ask_px, self.ask_qty, -ask_px, ask_qty)  # a lower ask is the better one
        self.value += bids - asks
        self.bid_px = bid_px
        self.bid_qty = bid_qty
        self.ask_px = ask_px
        self.ask_qty = ask_qty
        return self.value

    def take(self) -> int:
        """The sum, which starts again from 0."""
        value = self.value
        self.value = 0
        return value


def imbalance(bid_qty: int, ask_qty: int) -> float:
    """(bids - asks) / (bids + asks), from -1 to 1; 0 of an empty book. Of the touch, or of sums over levels."""
    if bid_qty + ask_qty == 0:
        return 0.0
    return float(bid_qty - ask_qty) / float(bid_qty + ask_qty)


def microprice(bid_px: int, bid_qty: int, ask_px: int, ask_qty: int) -> float:
    """The mean of the best prices, each weighted by the opposite quantity; 0 without both sides.

    The first approximation of S. Stoikov, The micro-price, Quantitative Finance 18 (2018).
    """
    if bid_qty <= 0 or ask_qty <= 0:
        return 0.0
    return float(bid_px) + float(ask_px - bid_px) * (float(bid_qty) / float(bid_qty + ask_qty))


def side_flow(before_px: int, before_qty: int, px: int, qty: int) -> int:
    """What came (or went, negative) at the best price of a side, where a higher price is the better one."""
    if before_qty == 0 or qty == 0 or px == before_px:
        return qty - before_qty
    if px > before_px:
        return qty
    return -before_qty


def added(total: float, rest: float, x: float) -> tuple[float, float]:
    """total + rest + x as (total, rest): the sum, and what its rounding left.

    A. Neumaier, Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen, ZAMM 54 (1974).
    """
    new = total + x
    if abs(total) >= abs(x):
        rest += (total - new) + x
    else:
        rest += (x - new) + total
    return new, rest


def following(at: int, length: int) -> int:
    """The place after `at` in a ring."""
    if at + 1 == length:
        return 0
    return at + 1


@functools.cache
def _mean_of(window: int) -> type[RollingMean]:
    class RollingMeanOf(RollingMean):
        values: Array[float] = array(float, window)

    return RollingMeanOf


@functools.cache
def _std_of(window: int) -> type[RollingStd]:
    class RollingStdOf(RollingStd):
        values: Array[float] = array(float, window)

    return RollingStdOf


@functools.cache
def _volatility_of(window: int) -> type[RollingVolatility]:
    class RollingVolatilityOf(RollingVolatility):
        returns: RollingStd = rolling_std(window)

    return RollingVolatilityOf


@functools.cache
def _vwap_of(window: int) -> type[RollingVwap]:
    class RollingVwapOf(RollingVwap):
        prices: Array[int] = array(int, window)
        quantities: Array[int] = array(int, window)

    return RollingVwapOf


def rolling_mean(window: int) -> RollingMean:
    """A rolling mean of `window` observations, 1 or more."""
    return _mean_of(window)()


def rolling_std(window: int) -> RollingStd:
    """A rolling mean and standard deviation of `window` observations, 2 or more."""
    return _std_of(window)()


def rolling_volatility(window: int) -> RollingVolatility:
    """A rolling volatility of `window` returns, 2 or more."""
    return _volatility_of(window)()


def rolling_vwap(window: int) -> RollingVwap:
    """A rolling volume-weighted average price of `window` prints, 1 or more."""
    return _vwap_of(window)()
