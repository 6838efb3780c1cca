"""What a node computes of its fees is what the exchange bills, to the cent."""

import random

import pytest

from openbell import _native, events
from openbell._native import FeeRules, Liquidity
from openbell.types import NO_STRATEGY, Type
from oracles.order_records import record

LETTER = {liquidity: chr(ord("A") + int(liquidity)) for liquidity in Liquidity}


def told(rules: FeeRules, tier: int) -> _native.Oms:
    """An OMS that has been told the exchange's schedule, one flag for each of its liquidities."""
    oms = _native.Oms(8, 1, 1)
    oms.on_started(record("Started", type=Type.STARTED, epoch=1))
    oms.set_instrument(record("Instrument", px_decimals=4, multiplier=1))
    for liquidity, letter in LETTER.items():
        per_lot, per_value, below, least, most = rules.terms(tier, liquidity)
        terms = {"value_below_px": below, "charge_min": least, "charge_max": most}
        oms.set_fee_rate(events.fee_rate(letter, per_lot=per_lot, per_value=per_value, **terms))
    return oms


def charged(oms: _native.Oms, liquidity: Liquidity, px: int, qty: int) -> int:
    before = oms.position(NO_STRATEGY, 0)["fees"]
    order = oms.reserve(0)
    oms.on_command(record("Order", type=Type.NEW_ORDER, cl_ord_id=order, side=1, px=px, qty=qty, version=1))
    fill = {"last_px": px, "last_qty": qty, "version": 1, "liquidity": ord(LETTER[liquidity])}
    oms.on_report(record("Report", type=Type.FILLED, cl_ord_id=order, **fill))
    return oms.position(NO_STRATEGY, 0)["fees"] - before


@pytest.mark.parametrize("split", [0, 10_000, 50_000])
def test_random_schedules_are_charged_as_the_exchange_bills_them(split: int, rng: random.Random):
    for _ in range(60):
        rates = [[rng.choice((0, rng.randint(-5_000, 5_000))) for _ in range(8)] for _ in range(4)]
        tiers = [(0, rates[0], rates[1]), (1_000, rates[2], rates[3])]
        rules = FeeRules(tiers, split, rng.choice((0, 1, 500)), rng.choice((0, 500, 20_000)))
        tier = rng.randrange(2)
        oms = told(rules, tier)
        for _ in range(20):
            liquidity = rng.choice(list(Liquidity))
            px, qty = rng.randint(1, 100_000), rng.choice((1, 100, rng.randint(1, 10**9)))
            assert charged(oms, liquidity, px, qty) == rules.fee(tier, liquidity, px, qty)


def test_a_state_keeps_the_schedule():
    oms = told(FeeRules([(0, [1_000] * 8, [0] * 8)]), 0)
    fresh = _native.Oms(8, 1, 1)
    fresh.load(oms.save())
    assert fresh.save() == oms.save()
    assert charged(fresh, Liquidity.TAKER, 100, 1_000) == 10_000


@pytest.mark.parametrize(
    ("instrument", "terms", "px", "qty"),
    [
        ({"px_decimals": 4, "multiplier": 0}, {"per_value": 1}, 100, 1),  # worth nothing that is known
        ({"px_decimals": 4, "multiplier": 1}, {"per_lot": -(2**62)}, 100, 2**40),
        ({"px_decimals": 28, "multiplier": 1}, {"per_lot": 2**62, "per_value": 1}, 100, 2**40),
        ({"px_decimals": 4, "multiplier": 2**40}, {"per_value": 2**40}, 2**48, 2**44),
        ({"px_decimals": 7, "multiplier": 2**20}, {"per_lot": 2**62, "per_value": 2**17}, 2**48, 2**44),
    ],
    ids=str,
)
def test_a_fee_that_64_bits_cannot_hold_is_the_most_there_is(instrument, terms, px, qty):
    oms = _native.Oms(8, 1, 1)
    oms.on_started(record("Started", type=Type.STARTED, epoch=1))
    oms.set_instrument(record("Instrument", **instrument))
    oms.set_fee_rate(events.fee_rate("", **terms))
    assert charged(oms, Liquidity.MAKER, px, qty) == 2**63 - 1
