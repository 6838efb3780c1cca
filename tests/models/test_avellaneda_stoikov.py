"""Avellaneda and Stoikov's quotes: their formulas, and their published simulation played with our quotes."""

import math as system
import random

import numpy as np
import pytest

from openbell.models import avellaneda_stoikov as model

# The paper's world: s 100, T 1, sigma 2, dt 0.005, k 1.5, A 140.
MID, SIGMA, K, ARRIVAL, STEPS = 100.0, 2.0, 1.5, 140.0, 200
DT = 1.0 / STEPS
Q_MAX = 60


def test_quotes_are_the_published_formulas(rng: random.Random):
    for _ in range(500):
        s, q = rng.uniform(1, 1000), rng.randint(-50, 50)
        gamma, sigma, k, left = (rng.uniform(0.001, 2) for _ in range(4))
        centre = s - q * gamma * sigma**2 * left
        wide = gamma * sigma**2 * left + 2 / gamma * system.log(1 + gamma / k)

        bid, ask = model.quotes(s, q, gamma, sigma, k, left)

        assert bid == pytest.approx(centre - wide / 2, abs=1e-9)
        assert ask == pytest.approx(centre + wide / 2, abs=1e-9)
        assert model.reservation_price(s, q, gamma, sigma, left) == pytest.approx(centre, abs=1e-9)
        assert model.spread(gamma, sigma, k, left) == pytest.approx(wide, abs=1e-9)


@pytest.mark.parametrize(("gamma", "spread"), [(0.1, 1.4908), (0.01, 1.3489), (0.5, 2.1507), (1.0, 3.0217)])
def test_average_spreads_are_the_published_ones(gamma: float, spread: float):
    assert model.average_spread(gamma, SIGMA, K, 1.0) == pytest.approx(spread, abs=5e-5)


def test_reservation_prices_without_a_horizon_leave_the_value_as_it_is(rng: random.Random):
    for _ in range(200):
        q_max = rng.randint(2, 40)
        q, gamma, sigma = rng.randint(1 - q_max, q_max - 1), rng.uniform(0.01, 1), rng.uniform(0.1, 3)
        omega = 0.5 * gamma**2 * sigma**2 * (q_max + 1) ** 2

        def log_value(x: float, q: int, gamma: float = gamma, sigma: float = sigma, omega: float = omega) -> float:
            return -gamma * (x + q * MID) - system.log(omega - 0.5 * gamma**2 * sigma**2 * q**2)

        bid, ask = model.endless_reservation_prices(MID, q, gamma, sigma, q_max)

        assert log_value(-bid, q + 1) == pytest.approx(log_value(0.0, q), abs=1e-9)
        assert log_value(ask, q - 1) == pytest.approx(log_value(0.0, q), abs=1e-9)


@pytest.mark.parametrize("q", [-10, 10, 11])
def test_a_full_inventory_has_no_price_for_more(q: int):
    with pytest.raises((ValueError, ZeroDivisionError)):
        model.endless_reservation_prices(MID, q, 0.1, SIGMA, 10)


def play(gamma: float, is_symmetric: bool, paths: int, seed: int) -> tuple[float, float, float, float]:
    """(mean profit, its sd, mean of the last inventory, its sd) in the paper's simulation."""
    rng = np.random.default_rng(seed)
    mid, cash, q = np.full(paths, MID), np.zeros(paths), np.zeros(paths, dtype=int)
    for step in range(STEPS):
        left = 1.0 - step * DT
        quotes = np.array([model.quotes(0.0, held, gamma, SIGMA, K, left) for held in range(-Q_MAX, Q_MAX + 1)])
        half = 0.5 * model.average_spread(gamma, SIGMA, K, 1.0)
        bid = np.full(paths, half) if is_symmetric else -quotes[q + Q_MAX, 0]
        ask = np.full(paths, half) if is_symmetric else quotes[q + Q_MAX, 1]
        # The rule that the published tables need: a fill with the probability rate * dt.
        bought = rng.random(paths) < np.minimum(ARRIVAL * np.exp(-K * bid) * DT, 1)
        sold = rng.random(paths) < np.minimum(ARRIVAL * np.exp(-K * ask) * DT, 1)
        cash += sold * (mid + ask) - bought * (mid - bid)
        q += bought.astype(int) - sold.astype(int)
        mid += SIGMA * np.sqrt(DT) * rng.choice([-1, 1], paths)
    profit = cash + q * mid
    return float(profit.mean()), float(profit.std()), float(q.mean()), float(q.std())


@pytest.mark.parametrize(
    ("is_symmetric", "profit", "profit_sd", "q_sd"), [(False, 64.89, 6.52, 2.93), (True, 68.20, 13.43, 8.40)]
)
def test_the_published_simulation_is_reproduced(
    is_symmetric: bool, profit: float, profit_sd: float, q_sd: float, seed: int
):
    found = play(0.1, is_symmetric, 20_000, seed)

    assert found[0] == pytest.approx(profit, abs=0.35)
    assert found[1] == pytest.approx(profit_sd, rel=0.03)
    assert found[2] == pytest.approx(0.0, abs=0.25)
    assert found[3] == pytest.approx(q_sd, rel=0.03)
