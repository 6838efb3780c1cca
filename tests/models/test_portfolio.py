"""Sizes and weights: closed forms, optimality conditions, errors."""

import math as system
import random

import numpy as np
import pytest

from openbell.models import portfolio as model


def covariance_of(rng: random.Random, n: int) -> np.ndarray:
    factors = np.array([[rng.gauss(0, 1) for _ in range(n)] for _ in range(n + 2)])
    return factors.T @ factors / (n + 2) * 1e-4


@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_mean_variance_without_bounds_is_the_closed_form(n: int, rng: random.Random):
    for _ in range(20):
        covariance, mean = covariance_of(rng, n), np.array([rng.gauss(0, 1e-3) for _ in range(n)])
        weights = [0.0] * n

        model.mean_variance_weights(covariance.ravel().tolist(), mean.tolist(), weights, 4.0, -1e9, 1e9, 100_000)

        assert weights == pytest.approx((np.linalg.solve(covariance, mean) / 4.0).tolist(), rel=1e-6, abs=1e-8)


def test_bounded_weights_are_optimal(rng: random.Random):
    for _ in range(50):
        n = rng.randint(2, 8)
        covariance, mean = covariance_of(rng, n), np.array([rng.gauss(0, 1e-3) for _ in range(n)])
        weights = [0.0] * n

        model.mean_variance_weights(covariance.ravel().tolist(), mean.tolist(), weights, 5.0, 0.0, 0.4, 100_000)

        gain = mean - 5.0 * covariance @ np.array(weights)  # of a little more of each (Kuhn and Tucker)
        for weight, more in zip(weights, gain, strict=True):
            assert 0.0 <= weight <= 0.4
            assert (weight == 0.0 and more <= 0) or (weight == 0.4 and more >= 0) or abs(more) < 1e-12


def test_risk_parity_weights_contribute_their_budgets(rng: random.Random):
    for _ in range(50):
        n = rng.randint(1, 10)
        covariance = covariance_of(rng, n)
        shares = np.array([rng.uniform(0.1, 1) for _ in range(n)])
        budgets, weights = shares / shares.sum(), [1.0 / n] * n

        model.risk_parity_weights(covariance.ravel().tolist(), budgets.tolist(), weights, 10_000)

        held = np.array(weights)
        part = held * (covariance @ held) / (held @ covariance @ held)
        assert sum(weights) == pytest.approx(1.0, abs=1e-12)
        assert part.tolist() == pytest.approx(budgets.tolist(), abs=1e-9)


def test_uncorrelated_assets_get_risk_parity_by_inverse_volatility():
    weights = [0.5, 0.5]
    model.risk_parity_weights([0.04, 0.0, 0.0, 0.01], [0.5, 0.5], weights, 1000)
    assert weights == pytest.approx([1 / 3, 2 / 3], abs=1e-12)


def test_errors_say_what_was_expected():
    with pytest.raises(ValueError, match="variances above 0"):
        model.mean_variance_weights([0.0], [0.1], [0.0], 1.0, -1.0, 1.0, 10)
    with pytest.raises(ValueError, match="expected to converge"):
        model.mean_variance_weights([1.0, 3.0, 3.0, 1.0], [0.1, 0.2], [0.0, 0.0], 1.0, -1e300, 1e300, 50)
    with pytest.raises(ValueError, match="budgets and variances above 0"):
        model.risk_parity_weights([1.0, 0.0, 0.0, 1.0], [1.0, 0.0], [0.5, 0.5], 10)
    with pytest.raises(ValueError, match="expected to converge"):
        model.risk_parity_weights([1.0, 0.5, 0.5, 2.0], [0.5, 0.5], [0.9, 0.1], 1)
    with pytest.raises(ValueError, match="a variance above 0"):
        model.kelly_fraction(0.1, 0.0, 1.0, 1.0)


def test_kelly_and_volatility_targets():
    assert model.kelly_fraction(0.02, 0.04, 0.5, 2.0) == pytest.approx(0.25)
    assert model.kelly_fraction(-0.2, 0.01, 1.0, 2.0) == -2.0
    assert model.volatility_scale(0.1, 0.2, 3.0) == pytest.approx(0.5)
    assert model.volatility_scale(0.1, 0.01, 3.0) == 3.0
    assert model.volatility_scale(0.1, 0.0, 3.0) == 3.0


def test_the_kelly_fraction_grows_fastest():
    """Of a bet that wins or loses 1 % with the mean 0.05 %: no other fraction has a higher mean of log growth."""
    mean, size = 0.0005, 0.01
    up = 0.5 * (1 + mean / size)

    def growth(f: float) -> float:
        return up * system.log(1 + f * size) + (1 - up) * system.log(1 - f * size)

    best = model.kelly_fraction(mean, size * size, 1.0, 100.0)
    assert all(growth(best) >= growth(best * other) for other in (0.5, 0.9, 1.1, 1.5))
