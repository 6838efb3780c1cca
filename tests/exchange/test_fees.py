"""What a fill costs: golden tables, bounds, rounding, and the oracle."""

import random

import pytest

from openbell._native import FeeRules, Liquidity
from openbell.errors import InvariantError
from oracles.fees import OracleFees

MAKER, TAKER = Liquidity.MAKER, Liquidity.TAKER
NONE = [0] * 8
# Maker, hidden, mid; taker, mid; opening, closing, reopening: 0.0020 is paid for making, 0.0030 charged for taking.
STANDARD = (0, [-2_000, -1_000, -1_200, 3_000, 2_500, 1_500, 1_000, 500], [0, 0, 0, 3_000, 0, 0, 0, 0])
BEST = (10_000_000, [-3_200, -1_500, -1_600, 2_900, 2_000, 1_000, 500, 0], [-500, 0, 0, 2_500, 0, 0, 0, 0])
TIERS = [STANDARD, BEST]


@pytest.mark.parametrize(
    ("tier", "liquidity", "qty", "expected"),
    [
        (0, "MAKER", 100, -2_000),
        (0, "HIDDEN_MAKER", 100, -1_000),
        (0, "MID_MAKER", 100, -1_200),
        (0, "TAKER", 100, 3_000),
        (0, "MID_TAKER", 100, 2_500),
        (0, "OPENING", 100, 1_500),
        (0, "CLOSING", 100, 1_000),
        (0, "REOPENING", 100, 500),
        (1, "MAKER", 100, -3_200),
        (1, "TAKER", 300, 8_700),
        (1, "REOPENING", 100, 0),
        (0, "TAKER", 1, 30),
        (0, "TAKER", 999_999, 29_999_970),
    ],
)
def test_golden_table(tier: int, liquidity: str, qty: int, expected: int):
    assert FeeRules(TIERS).fee(tier, Liquidity[liquidity], 100_000, qty) == expected


@pytest.mark.parametrize(
    ("rate", "qty", "expected"),
    [(149, 1, 1), (150, 1, 2), (151, 1, 2), (-149, 1, -1), (-150, 1, -2), (-50, 1, -1), (50, 1, 1), (49, 1, 0)],
)
def test_halves_are_rounded_away_from_zero(rate: int, qty: int, expected: int):
    assert FeeRules([(0, [rate] * 8, NONE)]).fee(0, TAKER, 100_000, qty) == expected


def test_low_prices_are_charged_by_value():
    rules = FeeRules(TIERS, value_below_px=10_000)

    assert rules.fee(0, TAKER, 10_000, 1_000) == 30_000  # 1.00: 0.003 a share
    assert rules.fee(0, TAKER, 9_999, 1_000) == 29_997  # 0.9999: 0.3 % of 999.90
    assert rules.fee(1, MAKER, 5_000, 1_000) == -2_500


def test_a_charge_has_a_least_and_both_have_a_most():
    rules = FeeRules(TIERS, charge_min=100, charge_max=5_000)

    assert rules.fee(0, TAKER, 100_000, 1) == 100
    assert rules.fee(0, TAKER, 100_000, 1_000) == 5_000
    assert rules.fee(0, MAKER, 100_000, 1) == -20
    assert rules.fee(0, MAKER, 100_000, 1_000) == -5_000
    assert rules.fee(1, Liquidity.REOPENING, 100_000, 1) == 0


@pytest.mark.parametrize(("volume", "tier"), [(0, 0), (9_999_999, 0), (10_000_000, 1), (2**62, 1)])
def test_volume_finds_the_tier(volume: int, tier: int):
    assert FeeRules(TIERS).tier(volume) == tier


def test_a_fee_beyond_64_bits_is_an_error_and_not_a_number():
    rules = FeeRules([(0, [10**6] * 8, [10**6] * 8)], value_below_px=2**62)

    with pytest.raises(InvariantError, match=r"expected a fee within 64 bits, found more for 9\d+ shares"):
        rules.fee(0, TAKER, 2**62 - 1, 2**63 - 1)
    with pytest.raises(InvariantError, match="expected a fee within 64 bits"):
        rules.fee(0, TAKER, 2**62, 2**63 - 1)
    assert rules.fee(0, TAKER, 2**62, 2**49) == 2**49 * 10_000


def test_random_tables_make_fees_and_oracle_say_the_same(rng: random.Random):
    for _ in range(300):
        rates = [[rng.choice((0, rng.randint(-5_000, 5_000))) for _ in range(8)] for _ in range(6)]
        floors = [0, *sorted(rng.sample(range(1, 1_000), 2))]
        tiers = [(floors[n], rates[2 * n], rates[2 * n + 1]) for n in range(3)]
        bounds = (rng.choice((0, 10_000, 50_000)), rng.choice((0, 1, 500)), rng.choice((0, 500, 20_000)))
        native, oracle = FeeRules(tiers, *bounds), OracleFees(tiers, *bounds)
        for _ in range(30):
            volume, liquidity = rng.randint(0, 1_200), rng.choice(list(Liquidity))
            px, qty = rng.randint(1, 100_000), rng.choice((1, 100, rng.randint(1, 10**9)))
            tier = native.tier(volume)

            assert tier == oracle.tier(volume)
            fill = (tier, liquidity, px, qty)
            assert native.fee(*fill) == oracle.fee(*fill), (tiers, bounds, fill)
