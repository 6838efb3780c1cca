"""The market-wide circuit breaker: 7, 13 and 20 percent, each once a day."""

import random
from fractions import Fraction

import pytest

from openbell._native import CircuitBreaker

MINUTE = 60 * 10**9
MIDNIGHT = 1_000 * MINUTE
NOON = MIDNIGHT + 12 * 60 * MINUTE
LATE = MIDNIGHT + (15 * 60 + 25) * MINUTE
REST_OF_DAY = 2**63 - 1


def breaker(close=500_000):
    return CircuitBreaker(close, MIDNIGHT)


def test_levels_are_shares_of_the_close_before():
    assert breaker().levels == [465_000, 435_000, 400_000]
    assert breaker(433_333).levels == [402_999, 376_999, 346_666]


@pytest.mark.parametrize(
    ("value", "now", "halt"),
    [
        (465_001, NOON, None),
        (465_000, NOON, (1, NOON + 15 * MINUTE)),
        (435_000, NOON, (2, NOON + 15 * MINUTE)),
        (400_000, NOON, (3, REST_OF_DAY)),
        (0, NOON, (3, REST_OF_DAY)),
        (465_000, LATE - 1, (1, LATE - 1 + 15 * MINUTE)),
        (435_000, LATE, None),
        (400_000, LATE, (3, REST_OF_DAY)),
    ],
)
def test_a_fall_halts_by_its_depth_and_hour(value, now, halt):
    assert breaker().on_index(value, now) == halt


def test_a_level_halts_once_a_day():
    market = breaker()

    assert market.on_index(460_000, NOON)[0] == 1
    assert market.on_index(480_000, NOON + 1) is None
    assert market.on_index(465_000, NOON + 2) is None
    assert market.on_index(435_000, NOON + 3)[0] == 2
    assert (market.on_index(436_000, NOON + 4), market.breached) == (None, 2)


def test_a_level_breached_too_late_is_breached_all_the_same():
    market = breaker()

    assert (market.on_index(465_000, LATE), market.breached) == (None, 1)


def test_halts_of_random_walks_are_those_of_fractions(rng: random.Random):
    for _ in range(200):
        close = rng.randint(1, 10**9)
        market, deepest, value = breaker(close), 0, close
        for _ in range(50):
            value = max(0, value + rng.randint(-close // 25 - 1, close // 40 + 1))
            depth = sum(Fraction(close - value, close) >= fall for fall in (Fraction(n, 100) for n in (7, 13, 20)))
            halt = market.on_index(value, NOON)

            assert (halt[0] if halt else 0) == (depth if depth > deepest else 0), (close, value)
            deepest = max(deepest, depth)
        again = breaker(close)
        again.load(market.save())
        assert again.breached == market.breached == deepest
