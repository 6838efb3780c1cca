"""Spreads that revert and hedge ratios that drift: published numbers, and filters against their plain forms."""

import math as system
import random

import numpy as np
import pytest

from openbell.models import kalman
from openbell.models import ornstein_uhlenbeck as ou


@pytest.mark.parametrize(("band", "time"), [(0.5, 3.8639), (1.0, 10.3699)])
def test_cycles_take_the_published_time(band: float, time: float):
    assert ou.cycle_time(-band, band, 1.0, 1.0) == pytest.approx(time, abs=5e-5)


@pytest.mark.parametrize(("cost", "band", "rate"), [(0.1, 0.434, 0.4681), (0.3, 0.640, 0.3740)])
def test_the_best_band_is_the_published_one(cost: float, band: float, rate: float):
    best = ou.best_band(cost, 1.0, 1.0)

    # The maximum is flat: at the published band the rate is the published one too, to all its digits.
    assert best == pytest.approx(band, abs=2e-3)
    assert ou.profit_rate(band, cost, 1.0, 1.0) == pytest.approx(rate, abs=5e-5)
    assert ou.profit_rate(best, cost, 1.0, 1.0) == pytest.approx(rate, abs=5e-5)


def test_bands_scale_with_the_process():
    assert ou.best_band(0.1 * 3, 4.0, 2.0 * 3) == pytest.approx(3 * ou.best_band(0.1, 4.0, 2.0), rel=1e-6)
    assert ou.cycle_time(-1.5, 1.5, 2.0, 3.0 * system.sqrt(2)) == pytest.approx(3.8639 / 2, abs=5e-5)


def path(rng: random.Random, n: int, mean: float, speed: float, sigma: float, step: float) -> list[float]:
    b = system.exp(-speed * step)
    spread = sigma * system.sqrt((1 - b * b) / (2 * speed))
    values = [mean]
    for _ in range(n):
        values.append(mean + b * (values[-1] - mean) + rng.gauss(0, spread))
    return values


def test_the_fitted_half_life_is_within_two_standard_errors(rng: random.Random):
    n, step, speed = 20_000, 0.1, 0.7
    mean, found, sigma = ou.fit(path(rng, n, 5.0, speed, 0.4, step), step)
    error = system.sqrt(2 * speed / (n * step))

    assert abs(found - speed) < 2 * error
    assert ou.half_life(found) == pytest.approx(system.log(2) / speed, abs=2 * error * system.log(2) / speed**2)
    assert mean == pytest.approx(5.0, abs=2 * 0.4 / speed / system.sqrt(n * step))
    assert sigma == pytest.approx(0.4, rel=0.02)


def test_the_fit_is_least_squares(rng: random.Random):
    values = np.array(path(rng, 500, -2.0, 1.3, 0.8, 0.2))
    b, a = np.polyfit(values[:-1], values[1:], 1)

    mean, speed, _ = ou.fit(values.tolist(), 0.2)

    assert (mean, speed) == (pytest.approx(a / (1 - b), rel=1e-9), pytest.approx(-system.log(b) / 0.2, rel=1e-9))


@pytest.mark.parametrize("values", [[1.0, 2.0], [3.0] * 10, [float(n) ** 2 for n in range(20)]])
def test_what_does_not_revert_is_refused(values: list[float]):
    with pytest.raises(ValueError, match="expected"):
        ou.fit(values, 1.0)


def plain_update(
    state: np.ndarray, p: np.ndarray, x: float, y: float, drift: float, noise: float
) -> tuple[np.ndarray, np.ndarray]:
    """The textbook's filter, in matrices."""
    h = np.array([1.0, x])
    p = p + drift * np.eye(2)
    gain = p @ h / (h @ p @ h + noise)
    return state + gain * (y - h @ state), (np.eye(2) - np.outer(gain, h)) @ p


def test_the_filter_is_that_of_the_textbook(rng: random.Random):
    drift, noise = 1e-5, 0.01
    estimate = (0.0, 1.0, 1.0, 0.0, 1.0)
    state, p = np.array([0.0, 1.0]), np.eye(2)
    for _ in range(2000):
        x = 10 + rng.gauss(0, 1)
        y = 0.5 + 1.7 * x + rng.gauss(0, 0.1)
        expected = y - state[0] - state[1] * x
        error, variance = kalman.innovation(*estimate, x, y, drift, noise)
        assert error == pytest.approx(expected, abs=1e-7)
        assert variance > noise

        estimate = kalman.updated(*estimate, x, y, drift, noise)
        state, p = plain_update(state, p, x, y, drift, noise)

        assert estimate[:2] == pytest.approx(tuple(state), abs=1e-7)
        assert estimate[2:] == pytest.approx((p[0, 0], p[0, 1], p[1, 1]), rel=1e-4, abs=1e-8)


def test_the_filter_finds_a_hedge_ratio_that_moves_and_stays_positive(rng: random.Random):
    estimate = (0.0, 0.0, 1.0, 0.0, 1.0)
    slope = 1.0
    for _ in range(20_000):
        slope += rng.gauss(0, 0.001)
        x = rng.gauss(0, 1)
        estimate = kalman.updated(*estimate, x, 2.0 + slope * x + rng.gauss(0, 0.1), 1e-6, 0.01)
        assert estimate[2] > 0 and estimate[2] * estimate[4] > estimate[3] ** 2

    assert estimate[1] == pytest.approx(slope, abs=0.05)
    assert estimate[0] == pytest.approx(2.0, abs=0.05)
