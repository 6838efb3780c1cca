"""A spread that returns to its mean: dX = speed (mean - X) dt + sigma dW. All functions are *callback*.

G. Uhlenbeck and L. Ornstein, On the theory of the Brownian motion, Physical Review 36 (1930). Units: X in any, times in
any; `speed` 1 / time, `sigma` units of X / sqrt(time).
"""

from collections.abc import Sequence

from openbell import math


def half_life(speed: float) -> float:
    """The time in which half of a distance from the mean is expected to be gone: ln 2 / speed."""
    return math.log(2.0) / speed


def fit(values: Sequence[float], step: float) -> tuple[float, float, float]:
    """(mean, speed, sigma) most likely for values observed every `step`, given the first.

    The exact discretisation is an autoregression x' = a + b x + e with b = e^(-speed step), var e = sigma^2
    (1 - b^2) / (2 speed): least squares gives a and b. The speed is biased upwards in short samples, by about
    4 / (n step) (J. Yu, Journal of Econometrics 169, 2012).

    Raises:
        ValueError: fewer than 3 values, all equal, or the slope b is not between 0 and 1: nothing reverts.
    """
    n = len(values) - 1
    if n < 2:
        raise ValueError("ornstein_uhlenbeck.fit: expected 3 values or more, found fewer; wait for more")
    first, second = 0.0, 0.0
    for i in range(n):
        first += (values[i] - first) / (i + 1)
        second += (values[i + 1] - second) / (i + 1)
    squares, products = 0.0, 0.0
    for i in range(n):
        squares += (values[i] - first) * (values[i] - first)
        products += (values[i] - first) * (values[i + 1] - second)
    if squares <= 0.0 or products <= 0.0 or products >= squares:
        raise ValueError("ornstein_uhlenbeck.fit: expected values that return to a mean, found none that do")
    b = products / squares
    rest = 0.0
    for i in range(n):
        error = (values[i + 1] - second) - b * (values[i] - first)
        rest += error * error
    speed = -math.log(b) / step
    return (second - b * first) / (1.0 - b), speed, math.sqrt(rest / n * 2.0 * speed / (1.0 - b * b))


def cycle_time(low: float, high: float, speed: float, sigma: float) -> float:
    """The expected time from `low` to `high` and back, both measured from the mean.

    pi / speed (erfi(high sqrt(speed) / sigma) - erfi(low sqrt(speed) / sigma)). Source: W. Bertram, Analytic solutions
    for optimal statistical arbitrage trading, Physica A 389 (2010).
    """
    scale = math.sqrt(speed) / sigma
    return math.pi / speed * (_erfi(high * scale) - _erfi(low * scale))


def profit_rate(band: float, cost: float, speed: float, sigma: float) -> float:
    """Profit a unit of time of always being short from +`band` and long from -`band`, at `cost` a trade.

    A cycle has two trades and each earns 2 band - cost. Source: Bertram (2010).
    """
    return 2.0 * (2.0 * band - cost) / cycle_time(-band, band, speed, sigma)


def best_band(cost: float, speed: float, sigma: float) -> float:
    """The band of the highest `profit_rate`, to 1e-9 of the spread's deviation.

    Raises:
        ValueError: cost is not above 0: without cost every band is too wide; or it is above 10 deviations.
    """
    deviation = sigma / math.sqrt(2.0 * speed)
    if cost <= 0.0 or cost > 10.0 * deviation:
        raise ValueError("best_band: expected a cost above 0 and at most 10 deviations of the spread")
    low, high = 0.5 * cost, 0.5 * cost + 5.0 * deviation
    while high - low > 1e-9 * deviation:  # the rate rises to one maximum and falls: sections by thirds
        third = (high - low) / 3.0
        if profit_rate(low + third, cost, speed, sigma) < profit_rate(high - third, cost, speed, sigma):
            low += third
        else:
            high -= third
    return 0.5 * (low + high)


def _erfi(x: float) -> float:
    """2 / sqrt(pi) times the sum of x^(2n+1) / (n! (2n+1)): all terms of one sign."""
    if abs(x) > 20.0:
        raise ValueError("erfi: expected at most 20 deviations from the mean, found more; the cycle would never end")
    power, total, n = x, x, 0
    while abs(power) > 1e-17 * abs(total):
        n += 1
        power *= x * x / n
        total += power / (2 * n + 1)
    return 2.0 / math.sqrt(math.pi) * total
