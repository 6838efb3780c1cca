"""Each rule of pre-trade risk by name, then all of them at random against the slow twin."""

import random
from dataclasses import replace

import pytest

from openbell import _native
from openbell.types import NO_INSTRUMENT, NO_STRATEGY, ArmState, KillLevel, Reason, TradingState, Type
from oracles import risk as oracle
from oracles.arming import NODE
from oracles.order_records import ACCOUNT, commands_of, record

BUY, SELL = 1, 2
INT64_MAX = 2**63 - 1
TRADING = TradingState.TRADING
LIMITS = {
    "order_qty_max": 500,
    "order_notional_max": 50_000_000,
    "position_max": 1_000,
    "collar_bps": 100,
    "open_orders_max": 3,
}
FLAT = (0, 0, 0, 0)
# A stock at 10.00 by 10.02, in 1e-4 dollars, one-cent ticks, round lots of 1.
CALM = oracle.View({"tick": 100, "lot": 1}, (100_000, 300, 100_200, 400), True, TRADING, FLAT, FLAT)


def armed(state=ArmState.FULL, **limits):
    risk = _native.Risk(2, 2)
    risk.arm(state)
    assert risk.set_limits(record("Limits", strategy=ACCOUNT, instrument=0, **(LIMITS | limits)))
    return risk


def order(side=BUY, px=100_000, qty=100, kind=Type.NEW_ORDER, **fields):
    return {"type": kind, "side": side, "px": px, "qty": qty, **fields}


def check(risk, o, view=CALM, leaves=None, repeat=1):
    instrument = None if view.instrument is None else record("Instrument", type=Type.INSTRUMENT, **view.instrument)
    return risk.check(
        record("Order", **o),
        o["qty"] if leaves is None else leaves,
        instrument,
        view.touch,
        view.book_valid,
        view.trading,
        view.account,
        view.strategy,
        repeat,
    )


def test_an_ordinary_quote_passes():
    assert check(armed(), order()) == (Reason.NONE, 0, 0)


def test_risk_starts_off_and_refuses():
    assert check(_native.Risk(2, 2), order()) == (Reason.NOT_ARMED, ArmState.REDUCE_ONLY, ArmState.OFF)


@pytest.mark.parametrize("state", [ArmState.OFF, ArmState.SHADOW, ArmState.CANCEL_ONLY])
def test_states_below_reduce_only_let_nothing_new_through(state):
    assert check(armed(state), order())[0] == Reason.NOT_ARMED


def test_a_kill_stays_until_released_and_is_never_lowered():
    risk = armed()
    risk.kill(KillLevel.HARD)
    risk.kill(KillLevel.SOFT)
    risk.arm(ArmState.FULL)

    assert check(risk, order()) == (Reason.KILLED, 0, KillLevel.HARD)

    risk.arm(ArmState.FULL, after_kill=True)
    assert check(risk, order())[0] == Reason.NONE


def test_reduce_only_sells_what_is_held_and_no_more():
    long_300 = replace(CALM, account=(300, 0, 200, 2), strategy=(300, 0, 200, 2))
    risk = armed(ArmState.REDUCE_ONLY)

    assert check(risk, order(SELL, qty=100), long_300)[0] == Reason.NONE
    assert check(risk, order(SELL, qty=101), long_300) == (Reason.REDUCE_ONLY, 300, 301)
    assert check(risk, order(BUY, qty=1), long_300) == (Reason.REDUCE_ONLY, 0, 1)


def test_missing_limits_refuse():
    risk = _native.Risk(2, 2)
    risk.arm(ArmState.FULL)
    assert check(risk, order()) == (Reason.NO_LIMITS, 1, 0)


def test_limits_of_zero_allow_zero():
    assert check(armed(order_qty_max=0), order(qty=1)) == (Reason.ORDER_QTY, 0, 1)


def test_limits_of_ids_beyond_the_capacity_are_not_taken():
    risk = _native.Risk(2, 2)
    assert not risk.set_limits(record("Limits", strategy=2, instrument=0))
    assert not risk.set_limits(record("Limits", strategy=ACCOUNT, instrument=2))


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        (replace(CALM, instrument=None), Reason.NO_INSTRUMENT),
        (replace(CALM, trading=TradingState.UNKNOWN), Reason.NOT_TRADING),
        (replace(CALM, trading=TradingState.HALTED), Reason.NOT_TRADING),
        (replace(CALM, book_valid=False), Reason.BOOK_NOT_VALID),
        (replace(CALM, touch=(0, 0, 0, 0)), Reason.NO_REFERENCE),
    ],
)
def test_without_a_market_nothing_passes(view, reason):
    assert check(armed(), order(), view)[0] == reason


@pytest.mark.parametrize(
    ("o", "refusal"),
    [
        (order(px=0), (Reason.PRICE_NOT_POSITIVE, 1, 0)),
        (order(px=-100), (Reason.PRICE_NOT_POSITIVE, 1, -100)),
        (order(px=100_050), (Reason.PRICE_TICK, 100, 100_050)),
        (order(qty=0), (Reason.QTY_NOT_POSITIVE, 1, 0)),
        (order(qty=501), (Reason.ORDER_QTY, 500, 501)),
        (order(strategy=2), (Reason.UNKNOWN_STRATEGY, 2, 2)),
        (order(px=2**62), (Reason.PRICE_TICK, 100, 2**62)),
        (order(px=2**62 // 100 * 100), (Reason.WOULD_OVERFLOW, 2**48, 2**62 // 100 * 100)),
        (order(qty=INT64_MAX), (Reason.WOULD_OVERFLOW, 2**44, INT64_MAX)),
    ],
)
def test_malformed_orders_are_refused_with_what_was_found(o, refusal):
    assert check(armed(), o) == refusal


def test_price_and_quantity_swapped_as_at_mizuho_is_refused():
    assert check(armed(order_qty_max=10**9), order(SELL, px=100, qty=61_000_000))[0] == Reason.ORDER_NOTIONAL


def test_the_collar_is_measured_from_the_price_a_taker_would_meet():
    risk = armed(collar_bps=100, order_notional_max=INT64_MAX)
    at_limit = 101_200  # 1 % above the ask of 100 200 is 101 202

    assert check(risk, order(BUY, px=at_limit))[0] == Reason.NONE
    assert check(risk, order(BUY, px=at_limit + 100)) == (Reason.PRICE_COLLAR, 100, 110)
    assert check(risk, order(SELL, px=99_000))[0] == Reason.NONE
    assert check(risk, order(SELL, px=98_900)) == (Reason.PRICE_COLLAR, 100, 110)


def test_with_one_side_of_the_book_empty_the_other_is_the_reference():
    only_bids = replace(CALM, touch=(100_000, 300, 0, 0))
    assert check(armed(), order(BUY, px=101_000), only_bids)[0] == Reason.NONE
    assert check(armed(), order(BUY, px=101_100), only_bids)[0] == Reason.PRICE_COLLAR


def test_the_position_limit_counts_every_open_order_of_the_side():
    busy = replace(CALM, account=(600, 300, 900, 2))
    assert check(armed(), order(BUY, qty=100), busy)[0] == Reason.NONE
    assert check(armed(), order(BUY, qty=101), busy) == (Reason.POSITION, 1_000, 1_001)
    assert check(armed(), order(SELL, qty=500), busy)[0] == Reason.NONE


def test_a_replace_adds_only_what_it_opens_more():
    full = replace(CALM, account=(500, 500, 0, 3))
    change = {"kind": Type.REPLACE_ORDER, "prev_px": 100_000, "prev_qty": 300}

    # 100 of 300 executed, 200 open; the new total leaves 200, then 201 open.
    assert check(armed(), order(qty=300, **change), full, leaves=200)[0] == Reason.NONE
    assert check(armed(), order(qty=301, **change), full, leaves=201) == (Reason.POSITION, 1_000, 1_001)


def test_a_strategy_has_its_own_limits_within_the_account():
    risk = armed()
    risk.set_limits(record("Limits", strategy=1, instrument=0, **(LIMITS | {"position_max": 50, "collar_bps": 30})))

    assert check(risk, order(qty=51, strategy=0))[0] == Reason.NONE
    assert check(risk, order(qty=51, strategy=1)) == (Reason.POSITION, 50, 51)
    assert check(risk, order(px=100_600, strategy=1)) == (Reason.PRICE_COLLAR, 30, 40)


def test_the_fourth_open_order_is_one_too_many_but_a_replace_is_not():
    three = replace(CALM, account=(0, 300, 0, 3))
    assert check(armed(), order(), three) == (Reason.OPEN_ORDERS, 3, 4)
    assert check(armed(), order(kind=Type.REPLACE_ORDER, prev_qty=100), three)[0] == Reason.NONE


def test_saved_risk_comes_back_killed_and_armed_with_the_same_limits():
    risk = armed(ArmState.LIMITED, version=7)
    risk.kill(KillLevel.SOFT)
    saved, fresh = risk.save(), _native.Risk(2, 2)
    fresh.load(saved)

    assert fresh.save() == saved
    assert (fresh.killed, fresh.armed, fresh.limits_version(ACCOUNT, 0)) == (KillLevel.SOFT, ArmState.LIMITED, 7)


EDGES = [0, 1, -1, 99, 100, 101, 2**44, 2**44 + 1, 2**48, 2**62, INT64_MAX, -(2**63)]


def random_int(rng, *usual):
    return rng.choice(EDGES) if rng.random() < 0.08 else rng.choice(usual)


def random_exposure(rng):
    return (
        random_int(rng, 0, 50, -50, 300),
        max(0, random_int(rng, 0, 10, 100)),
        max(0, random_int(rng, 0, 10, 100)),
        rng.randint(0, 4),
    )


def test_random_orders_agree_with_the_slow_twin(rng: random.Random):
    reasons = set()
    for _ in range(10_000):
        native, twin = _native.Risk(2, 2), oracle.Risk(2, 2)
        twin.arming.of(NODE).armed = rng.choice(
            [ArmState.FULL] * 8 + [ArmState.LIMITED, ArmState.REDUCE_ONLY, ArmState.REDUCE_ONLY, ArmState.SHADOW]
        )
        native.arm(twin.arming.of(NODE).armed)
        for scope in (NODE, (0, NO_INSTRUMENT), (NO_STRATEGY, 0)):
            facts = twin.arming.of(scope)
            if scope != NODE:
                facts.armed = rng.choice([ArmState.FULL] * 8 + [ArmState.LIMITED, ArmState.REDUCE_ONLY])
                native.arm(facts.armed, *scope)
            facts.killed = rng.choice([KillLevel.NONE] * 30 + [KillLevel.SOFT, KillLevel.CORD])
            native.kill(facts.killed, *scope)
        for who in (None, 0):
            if rng.random() < (0.95 if who is None else 0.5):
                limits = {
                    "order_qty_max": random_int(rng, 100, 200, 200),
                    "order_notional_max": random_int(rng, 20_000, 40_000),
                    "position_max": random_int(rng, 100, 400, 500),
                    "collar_bps": random_int(rng, 100, 200, 500),
                    "open_orders_max": rng.randint(2, 6),
                }
                twin.limits[who, 0] = limits
                native.set_limits(record("Limits", strategy=ACCOUNT if who is None else who, instrument=0, **limits))
        touch = rng.choice(
            [(100, 5, 101, 5)] * 5 + [(100, 5, 0, 0), (0, 0, 101, 5), (0, 0, 0, 0), (2**47, 1, 2**47 + 1, 1)]
        )
        view = oracle.View(
            rng.choice(
                [{"tick": 1, "lot": 1}, {"tick": 1, "lot": 10}, {"tick": 5, "lot": 1}, None][: rng.choice([2, 3, 4])]
            ),
            touch,
            rng.random() < 0.97,
            rng.choice([TRADING] * 20 + [TradingState.PAUSED]),
            random_exposure(rng),
            random_exposure(rng),
        )
        o = {
            "type": rng.choice([Type.NEW_ORDER, Type.REPLACE_ORDER]),
            "side": rng.choice([BUY, SELL]),
            "px": random_int(rng, 99, 100, 101, 103, 105),
            "qty": random_int(rng, 10, 50, 100, 200, 333),
            "prev_qty": random_int(rng, 10, 50, 100),
            "instrument": 0,
            "strategy": rng.choice([0, 0, 0, 1, 2]),
        }
        leaves = o["qty"] if o["type"] == Type.NEW_ORDER else min(o["qty"], random_int(rng, 10, 20, 50))

        found = check(native, o, view, leaves)

        assert found == twin.check(commands_of(record("Order", **o))[0], leaves, view), (o, leaves, view, twin)
        reasons.add(found[0])
    assert len(reasons) == 21  # every reason that risk gives, and none
