"""Gueant, Lehalle and Fernandez-Tapia: the tables of both papers, and the systems behind them by another method."""

import math as system
import random

import numpy as np
import pytest

from openbell.models import gueant_lehalle as model

LIQUIDATION = {"gamma": 0.05, "k": 0.3, "arrival": 0.1, "left": 300.0, "q_max": 6, "final": 3.0}
MAKING = {"gamma": 0.01, "sigma": 0.3, "k": 0.3, "arrival": 0.9}


@pytest.mark.parametrize(
    ("sigma", "expected"),
    [
        (0.3, [10.6095, 7.8737, 6.1299, 4.8082, 3.7280, 2.8073]),
        (0.6, [9.6493, 6.0262, 3.6874, 1.9455, 0.5567, -0.5977]),
    ],
)
def test_liquidation_quotes_are_the_published_ones(sigma: float, expected: list[float]):
    assert model.liquidation_distances(sigma=sigma, **LIQUIDATION) == pytest.approx(expected, abs=1e-4)


def integrated(first: np.ndarray, system_matrix: np.ndarray, left: float, steps: int = 20_000) -> np.ndarray:
    """e^(matrix left) first by Runge and Kutta's steps of fourth order."""
    h, v = left / steps, first.astype(float)
    for _ in range(steps):
        a = system_matrix @ v
        b = system_matrix @ (v + 0.5 * h * a)
        c = system_matrix @ (v + 0.5 * h * b)
        d = system_matrix @ (v + h * c)
        v = v + h / 6 * (a + 2 * b + 2 * c + d)
    return v


def eta(gamma: float, k: float, arrival: float) -> float:
    return float(arrival * (1 + gamma / k) ** -(1 + k / gamma))


@pytest.mark.parametrize(("sigma", "mu"), [(0.3, 0.0), (0.6, 0.01), (0.1, -0.02)])
def test_liquidation_solves_the_system_of_the_paper(sigma: float, mu: float):
    gamma, k, arrival = 0.05, 0.3, 0.1
    q = np.arange(7)
    matrix = np.diag(-(0.5 * k * gamma * sigma**2 * q**2 - k * mu * q)) + np.diag(
        np.full(6, eta(gamma, k, arrival)), -1
    )
    w = integrated(np.exp(-k * 3.0 * q), matrix, 300.0)
    expected = np.log(w[1:] / w[:-1]) / k + system.log(1 + gamma / k) / gamma

    found = model.liquidation_distances(sigma=sigma, mu=mu, **LIQUIDATION)

    assert found == pytest.approx(expected.tolist(), abs=1e-9)


def test_base_and_slope_are_the_published_ones():
    assert model.half_spread(0.01, 0.3) == pytest.approx(3.278982, abs=5e-7)
    assert model.slope(**MAKING) == pytest.approx(0.0678658, abs=5e-8)


def test_asymptotic_quotes_are_the_published_formulas(rng: random.Random):
    for _ in range(300):
        gamma, sigma, k, arrival = (rng.uniform(0.01, 2) for _ in range(4))
        q, mid = rng.randint(-30, 30), rng.uniform(1, 100)
        base = 1 / gamma * system.log(1 + gamma / k)
        steep = system.sqrt(sigma**2 * gamma / (2 * k * arrival) * (1 + gamma / k) ** (1 + k / gamma))

        bid, ask = model.quotes(mid, q, model.half_spread(gamma, k), model.slope(gamma, sigma, k, arrival))

        assert bid == pytest.approx(mid - (base + (2 * q + 1) / 2 * steep), rel=1e-9, abs=1e-9)
        assert ask == pytest.approx(mid + (base - (2 * q - 1) / 2 * steep), rel=1e-9, abs=1e-9)


def test_quotes_of_a_long_horizon_are_the_stationary_ones_to_four_decimals():
    bid, ask = model.market_making_distances(**MAKING, left=600.0, q_max=30)
    still_bid, still_ask = model.stationary_distances(**MAKING, q_max=30)

    assert bid[:-1] == pytest.approx(still_bid[:-1], abs=5e-5)
    assert ask[1:] == pytest.approx(still_ask[1:], abs=5e-5)
    assert (bid[-1], ask[0]) == (still_bid[-1], still_ask[0]) == (system.inf, system.inf)


def test_bids_and_asks_mirror_each_other():
    for bid, ask in (
        model.market_making_distances(**MAKING, left=50.0, q_max=30),
        model.stationary_distances(**MAKING, q_max=30),
    ):
        assert bid[:-1] == pytest.approx(ask[:0:-1], abs=1e-9)


def test_market_making_solves_the_system_of_the_paper():
    gamma, sigma, k, arrival = MAKING.values()
    q = np.arange(-30, 31)
    beside = np.full(60, eta(gamma, k, arrival))
    matrix = np.diag(-0.5 * k * gamma * sigma**2 * q**2) + np.diag(beside, 1) + np.diag(beside, -1)
    v = integrated(np.ones(61), matrix, 20.0)
    base = system.log(1 + gamma / k) / gamma

    bid, ask = model.market_making_distances(**MAKING, left=20.0, q_max=30)

    assert bid[:-1] == pytest.approx((np.log(v[:-1] / v[1:]) / k + base).tolist(), abs=1e-9)
    assert ask[1:] == pytest.approx((np.log(v[1:] / v[:-1]) / k + base).tolist(), abs=1e-9)


def test_stationary_quotes_are_of_the_ground_state():
    gamma, sigma, k, arrival = MAKING.values()
    q = np.arange(-30, 31)
    beside = np.full(60, -eta(gamma, k, arrival))
    matrix = np.diag(0.5 * k * gamma * sigma**2 * q**2) + np.diag(beside, 1) + np.diag(beside, -1)
    ground = np.abs(np.linalg.eigh(matrix)[1][:, 0])
    middle = slice(10, 50)  # where the ground state is not lost in the rounding of the others
    expected = np.log(ground[:-1] / ground[1:]) / k + system.log(1 + gamma / k) / gamma

    bid, _ = model.stationary_distances(**MAKING, q_max=30)

    assert bid[:-1][middle] == pytest.approx(expected[middle].tolist(), abs=1e-9)


def test_the_approximation_holds_in_the_middle_and_fails_at_the_limit():
    bid, _ = model.stationary_distances(**MAKING, q_max=30)
    base, steep = model.half_spread(0.01, 0.3), model.slope(**MAKING)
    off = [abs(bid[q + 30] - model.distances(q, base, steep)[0]) for q in range(-30, 30)]

    assert max(off[25:35]) < 0.01
    assert off[59] > 0.5


@pytest.mark.parametrize("sigma", [1.0, 3.0])
def test_strong_inventory_risk_neither_overflows_nor_cancels(sigma: float):
    found = model.liquidation_distances(sigma=sigma, **LIQUIDATION)

    assert all(map(system.isfinite, found))
    assert found == sorted(found, reverse=True)
