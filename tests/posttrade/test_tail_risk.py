"""Value at risk against published figures, against simulation, and against itself."""

import math

import numpy as np
import pytest

from openbell.errors import ConfigError
from openbell.posttrade.tail_risk import (
    TailRisk,
    christoffersen,
    component,
    cornish_fisher,
    ewma_sigma,
    historical,
    kupiec,
    parametric,
)


def test_ten_million_at_one_point_two_percent_a_day():
    at = parametric(10_000_000, 0.012, 0.99)

    assert at.value_at_risk == pytest.approx(279_161.74, abs=0.01)
    assert at.expected_shortfall == pytest.approx(319_825.71, abs=0.01)


def test_ten_days_are_three_times_one():
    one, ten = parametric(1e6, 0.01), parametric(1e6, 0.01, horizon=10)

    assert ten.value_at_risk == pytest.approx(math.sqrt(10) * one.value_at_risk)


def test_history_counts_from_the_worst():
    returns = np.arange(-50, 50) / 1000

    assert historical(1000, returns, 0.95) == TailRisk(pytest.approx(46.0), pytest.approx(48.0))
    assert historical(1000, returns, 0.99) == TailRisk(pytest.approx(50.0), pytest.approx(50.0))


def test_equal_returns_have_their_own_size_as_sigma():
    assert ewma_sigma(np.full(200, -0.02)) == pytest.approx(0.02)


def test_the_newest_return_weighs_six_percent():
    returns = np.zeros(1000)
    returns[-1] = 0.1

    assert ewma_sigma(returns) == pytest.approx(0.1 * math.sqrt(0.06), rel=1e-6)


def test_normal_returns_need_no_bending():
    returns = np.random.default_rng(5).normal(0, 0.01, 400_000)

    bent, straight = cornish_fisher(1e6, returns), parametric(1e6, 0.01)

    assert bent.value_at_risk == pytest.approx(straight.value_at_risk, rel=0.02)
    assert bent.expected_shortfall == pytest.approx(straight.expected_shortfall, rel=0.02)


def test_fat_tails_are_bent_towards_what_happened():
    returns = np.random.default_rng(6).standard_t(8, 200_000) * 0.01

    bent, happened = cornish_fisher(1e6, returns, 0.99), historical(1e6, returns, 0.99)

    assert bent.value_at_risk == pytest.approx(happened.value_at_risk, rel=0.07)
    assert bent.value_at_risk > parametric(1e6, float(returns.std()), 0.99).value_at_risk


def test_a_value_that_never_moves_risks_nothing():
    assert cornish_fisher(1e6, np.zeros(10)) == TailRisk(0.0, 0.0)
    assert list(component(np.array([0.0, 0.0]), np.eye(2))) == [0.0, 0.0]


def test_components_add_up_to_the_whole():
    values = np.array([3e6, -2e6, 5e6])
    covariance = np.array([[4, 1, 0.5], [1, 9, -2], [0.5, -2, 1]]) * 1e-5
    sigma = math.sqrt(values @ covariance @ values)

    parts = component(values, covariance)

    assert parts.sum() == pytest.approx(parametric(1, sigma).value_at_risk)
    assert component(np.array([1e6]), np.array([[1e-4]]))[0] == pytest.approx(parametric(1e6, 0.01).value_at_risk)


def test_kupiec_of_his_own_example():
    """In 255 days at 99 %, six exceptions are accepted at the 5 % level and seven are not (his table 3)."""
    exceeded = np.zeros(255, bool)
    exceeded[:6] = True
    assert kupiec(exceeded).p_value > 0.05
    exceeded[:7] = True

    verdict = kupiec(exceeded)

    assert verdict.statistic == pytest.approx(5.316, abs=0.001)
    assert verdict.p_value == pytest.approx(0.021, abs=0.001)
    assert kupiec(np.zeros(255, bool)).statistic == pytest.approx(-2 * 255 * math.log(0.99))


def test_exceptions_in_a_row_are_found_where_their_number_is_right():
    apart, together = np.zeros(1000, bool), np.zeros(1000, bool)
    apart[50::100], together[500:510] = True, True

    assert kupiec(apart).p_value == kupiec(together).p_value > 0.9
    assert christoffersen(apart).p_value > 0.5
    assert christoffersen(together).p_value < 1e-6


def test_the_tests_keep_their_level():
    """Under the truth a p-value is below 5 % in about 5 % of cases."""
    rng = np.random.default_rng(7)
    rejected = sum(kupiec(rng.random(1000) < 0.05, 0.95).p_value < 0.05 for _ in range(1000))

    assert 30 <= rejected <= 75


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: parametric(1, 1, confidence=1.0),
        lambda: parametric(1, 1, confidence=0.4),
        lambda: historical(1, np.array([])),
        lambda: historical(1, np.array([0.1, float("nan")])),
        lambda: ewma_sigma(np.array([0.1]), decay=1.0),
        lambda: component(np.array([1.0]), np.eye(2)),
        lambda: kupiec(np.array([], bool)),
    ],
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ConfigError, match="expected"):
        wrong()
