"""Value at risk and expected shortfall, and whether they have kept their word.

All losses are positive numbers in money. `returns` are per period as fractions of value; `horizon` is in periods and
scales by its square root, which is right only for returns that are independent.

Sources: J.P. Morgan/Reuters, RiskMetrics Technical Document, 4th ed., 1996 (EWMA); L. Favre and J.-A. Galeano,
"Mean-Modified Value-at-Risk Optimization with Hedge Funds", J. Alternative Investments 5 (2002) (Cornish-Fisher);
P. Kupiec, "Techniques for Verifying the Accuracy of Risk Measurement Models", J. Derivatives 3 (1995);
P. Christoffersen, "Evaluating Interval Forecasts", Int. Economic Review 39 (1998).
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from openbell.errors import ConfigError

Floats = NDArray[np.float64]
EWMA_LAMBDA = 0.94
_NORMAL = NormalDist()


class TailRisk(NamedTuple):
    """The loss that is not exceeded with the stated confidence, and the mean loss where it is."""

    value_at_risk: float
    expected_shortfall: float


class Verdict(NamedTuple):
    """A likelihood-ratio test: `statistic` is chi-squared with `freedom` degrees, `p_value` its tail."""

    statistic: float
    freedom: int
    p_value: float


def parametric(value: float, sigma: float, confidence: float = 0.99, horizon: float = 1.0) -> TailRisk:
    """Of normal returns with standard deviation `sigma` a period and no drift."""
    z = _quantile(confidence)
    scale = value * sigma * math.sqrt(horizon)
    return TailRisk(z * scale, _NORMAL.pdf(z) / (1 - confidence) * scale)


def ewma_sigma(returns: Floats, decay: float = EWMA_LAMBDA) -> float:
    """The standard deviation that weighs the newest return most; the mean counts as zero."""
    returns = _finite(returns)
    if not 0 < decay < 1:
        raise ConfigError(f"expected a decay between 0 and 1, found {decay}")
    weights = (1 - decay) * decay ** np.arange(len(returns) - 1, -1, -1)
    return float(math.sqrt(np.sum(weights * returns**2) / np.sum(weights)))


def historical(value: float, returns: Floats, confidence: float = 0.99, horizon: float = 1.0) -> TailRisk:
    """Of what has happened: the loss at rank ceil(n x (1 - confidence)) from the worst, and the mean down to it."""
    _quantile(confidence)
    worst_first = np.sort(_finite(returns))
    rank = max(1, math.ceil(len(worst_first) * (1 - confidence) - 1e-9))
    scale = value * math.sqrt(horizon)
    return TailRisk(-float(worst_first[rank - 1]) * scale, -float(worst_first[:rank].mean()) * scale)


def cornish_fisher(value: float, returns: Floats, confidence: float = 0.99, horizon: float = 1.0) -> TailRisk:
    """Normal quantiles bent by skewness and kurtosis of `returns`; the shortfall integrates the bent tail."""
    returns = _finite(returns)
    mean, sigma = float(returns.mean()), float(returns.std())
    if sigma == 0:
        return TailRisk(max(0.0, -mean * value), max(0.0, -mean * value))
    standard = (returns - mean) / sigma
    skew, excess = float((standard**3).mean()), float((standard**4).mean() - 3)
    tail = 1 - confidence
    points = (np.arange(TAIL_POINTS) + 0.5) / TAIL_POINTS * tail
    bent = np.array([_bent(-_quantile(1 - p), skew, excess) for p in points])
    scale = value * math.sqrt(horizon) * sigma
    drift = mean * value * horizon
    at = _bent(-_quantile(confidence), skew, excess)
    return TailRisk(-at * scale - drift, -float(bent.mean()) * scale - drift)


TAIL_POINTS = 2_000
"""Steps of the integral over the tail."""


def component(values: Floats, covariance: Floats, confidence: float = 0.99, horizon: float = 1.0) -> Floats:
    """What each position adds to the parametric value at risk of the whole; the parts sum to it.

    `values` are signed money by position, `covariance` that of their returns a period.
    """
    values, covariance = np.asarray(values, float), np.asarray(covariance, float)
    if covariance.shape != (len(values), len(values)):
        raise ConfigError(f"expected a covariance of {len(values)} x {len(values)}, found {covariance.shape}")
    spread = covariance @ values
    sigma = math.sqrt(max(0.0, float(values @ spread)))
    if sigma == 0:
        return np.zeros(len(values))
    return _quantile(confidence) * math.sqrt(horizon) * values * spread / sigma


def kupiec(exceeded: NDArray[np.bool_], confidence: float = 0.99) -> Verdict:
    """Were losses beyond the value at risk as frequent as promised? (unconditional coverage)"""
    n, hits = len(exceeded), int(np.count_nonzero(exceeded))
    expected = 1 - confidence
    if n == 0:
        raise ConfigError("expected at least one period, found none")
    statistic = -2 * (_likelihood(n - hits, hits, expected) - _likelihood(n - hits, hits, hits / n))
    return _verdict(statistic, 1)


def christoffersen(exceeded: NDArray[np.bool_], confidence: float = 0.99) -> Verdict:
    """The same, and did they come singly? (conditional coverage: frequency and independence)"""
    exceeded = np.asarray(exceeded, bool)
    before, after = exceeded[:-1], exceeded[1:]
    calm, hit = int(np.sum(~before & ~after)), int(np.sum(~before & after))
    ended, again = int(np.sum(before & ~after)), int(np.sum(before & after))
    pooled = (hit + again) / max(1, len(after))
    apart = _likelihood(calm, hit, hit / max(1, calm + hit)) + _likelihood(ended, again, again / max(1, ended + again))
    independence = -2 * (_likelihood(calm + ended, hit + again, pooled) - apart)
    return _verdict(kupiec(exceeded, confidence).statistic + independence, 2)


def _likelihood(misses: int, hits: int, p: float) -> float:
    """Log-likelihood of independent hits; 0 x log 0 is 0."""
    return (misses * math.log(1 - p) if misses else 0.0) + (hits * math.log(p) if hits else 0.0)


def _verdict(statistic: float, freedom: int) -> Verdict:
    """The tails of chi-squared for 1 and 2 degrees are elementary."""
    statistic = max(0.0, statistic)
    p_value = math.erfc(math.sqrt(statistic / 2)) if freedom == 1 else math.exp(-statistic / 2)
    return Verdict(statistic, freedom, p_value)


def _bent(z: float, skew: float, excess: float) -> float:
    return (
        z + (z**2 - 1) * skew / 6 + (z**3 - 3 * z) * excess / 24 - (2 * z**3 - 5 * z) * skew**2 / 36
    )  # fmt: skip


def _quantile(confidence: float) -> float:
    if not 0.5 < confidence < 1:
        raise ConfigError(f"expected a confidence between 0.5 and 1, found {confidence}")
    return _NORMAL.inv_cdf(confidence)


def _finite(returns: Floats) -> Floats:
    returns = np.asarray(returns, float)
    if len(returns) == 0 or not np.isfinite(returns).all():
        raise ConfigError("expected finite returns, found none, or some that are not")
    return returns
