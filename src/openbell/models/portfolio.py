"""How much of what: sizes from forecasts, variances and covariances. All functions are *callback*.

Means and variances are per period, of returns (fractions), of the same period; weights are fractions of capital. A
covariance is its rows one after another: n * n numbers.
"""

from collections.abc import MutableSequence, Sequence

from openbell import math


def kelly_fraction(mean: float, variance: float, part: float, limit: float) -> float:
    """`part` of mean / variance, the share of capital that grows fastest, within +-`limit`.

    Source: J. Kelly, A new interpretation of information rate, Bell System Technical Journal 35 (1956); for normal
    returns E. Thorp, The Kelly criterion (2006), section 7. `part` 0.5 is "half Kelly".
    """
    if variance <= 0.0:
        raise ValueError("kelly_fraction: expected a variance above 0, found 0 or less; wait for more returns")
    return min(limit, max(-limit, part * mean / variance))


def volatility_scale(target: float, observed: float, limit: float) -> float:
    """target / observed, at most `limit`: what to hold so that the position's volatility is the target.

    Both volatilities in the same units and of the same period. Source: T. Moskowitz, Y. Ooi, L. Pedersen, Time series
    momentum, Journal of Financial Economics 104 (2012), section 4.
    """
    if observed * limit <= target:
        return limit
    return target / observed


def mean_variance_weights(
    covariance: Sequence[float],
    mean: Sequence[float],
    weights: MutableSequence[float],
    aversion: float,
    low: float,
    high: float,
    rounds_max: int,
) -> int:
    """Set `weights` to those that maximise mean'w - aversion / 2 w'covariance w, low <= w <= high; returns the rounds.

    Starts from what `weights` hold. Source: H. Markowitz, Portfolio selection, Journal of Finance 7 (1952); by
    coordinates, each at its best given the others, which converges to the bounded optimum (projected Gauss-Seidel).

    Raises:
        ValueError: the covariance is not positive definite, or there was no convergence in `rounds_max`.
    """
    n = len(weights)
    for done in range(rounds_max):
        moved = 0.0
        for i in range(n):
            own = covariance[i * n + i]
            if own <= 0.0:
                raise ValueError("mean_variance_weights: expected variances above 0, found one of 0 or less")
            others = 0.0
            for j in range(n):
                if j != i:
                    others += covariance[i * n + j] * weights[j]
            best = min(high, max(low, (mean[i] / aversion - others) / own))
            moved = max(moved, abs(best - weights[i]))
            weights[i] = best
        if moved <= 1e-12:
            return done + 1
    raise ValueError("mean_variance_weights: expected to converge, found weights that move; is the covariance right?")


def risk_parity_weights(
    covariance: Sequence[float], budgets: Sequence[float], weights: MutableSequence[float], rounds_max: int
) -> int:
    """Set `weights`, positive and with the sum 1, so that i contributes `budgets[i]` of the variance; returns the
    rounds.

    Budgets are positive with the sum 1. Starts from what `weights` hold, which are above 0. Source: T. Griveau-Billion,
    J.-C. Richard, T. Roncalli, A fast algorithm for computing high-dimensional risk parity portfolios (2013),
    cyclical coordinate descent.

    Raises:
        ValueError: a variance, budget or first weight is not above 0, or there was no convergence in `rounds_max`.
    """
    n = len(weights)
    for i in range(n):
        if weights[i] <= 0.0 or budgets[i] <= 0.0 or covariance[i * n + i] <= 0.0:
            raise ValueError("risk_parity_weights: expected weights, budgets and variances above 0, found 0 or less")
    for done in range(rounds_max):
        moved = 0.0
        for i in range(n):
            own = covariance[i * n + i]
            others = 0.0
            for j in range(n):
                if j != i:
                    others += covariance[i * n + j] * weights[j]
            best = (math.sqrt(others * others + 4.0 * own * budgets[i]) - others) / (2.0 * own)
            moved = max(moved, abs(best - weights[i]) / best)
            weights[i] = best
        if moved <= 1e-13:
            total = 0.0
            for i in range(n):
                total += weights[i]
            for i in range(n):
                weights[i] = weights[i] / total
            return done + 1
    raise ValueError("risk_parity_weights: expected to converge, found weights that move; is the covariance right?")
