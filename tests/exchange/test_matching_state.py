"""Snapshots of the matching engine: what is restored goes on as if nothing had happened."""

import random

import pytest
from tests.exchange.matching_venue import BUY, SELL, Venue

from openbell._native import InstrumentRules, MatchingEngine, OrderType, Peg, Phase, SelfTrade
from openbell.errors import SnapshotError
from openbell.types import Tif


def trade_at_random(venue: Venue, rng: random.Random, operations: int) -> list[tuple[int, ...]]:
    """Something of everything; the events."""
    refs: list[int] = []
    for _ in range(operations):
        side, on = rng.choice((BUY, SELL)), rng.randrange(2)
        if refs and rng.random() < 0.3:
            venue.cancel(refs.pop(rng.randrange(len(refs))), rng.choice((0, 0, 1)))
            continue
        px, qty = rng.randint(990, 1010), rng.randint(1, 30)
        terms = rng.choice(
            (
                {"px": px},
                {"px": px, "display": rng.randint(0, qty)},
                {"px": px, "display": 0, "min_qty": qty},
                {"px": px, "group": 1, "self_trade": SelfTrade.DECREMENT},
                {"px": px, "tif": Tif.AT_CLOSE},
                {"type": OrderType.PEGGED, "peg": rng.choice((Peg.PRIMARY, Peg.MID, Peg.MARKET)), "peg_offset": -1},
                {"type": OrderType.STOP, "stop_px": px},
            )
        )
        ref, _ = venue.try_order(side, qty, on=on, account=rng.randint(1, 4), **terms)
        refs += [ref] if ref else []
    return venue.engine.take_events()


@pytest.mark.parametrize("run", range(10))
def test_a_restored_engine_goes_on_as_the_saved_one(run: int, seed: int):
    rng = random.Random(f"{seed} {run}")
    venue = Venue(instruments=2, orders_max=200, allocation=run % 2, grants_top=True)
    trade_at_random(venue, rng, 300)
    if run % 3 == 0:
        venue.engine.set_bands(0, 995, 1005)
        venue.engine.set_phase(1, Phase.REOPENING_CALL)
    venue.events()

    other = venue.restored()

    assert other.engine.state_hash() == venue.engine.state_hash()
    assert other.engine.save() == venue.engine.save()
    state = rng.getstate()
    expected = trade_at_random(venue, rng, 300)
    rng.setstate(state)
    assert trade_at_random(other, rng, 300) == expected
    for engine in (venue.engine, other.engine):
        engine.set_phase(1, Phase.CONTINUOUS)
        engine.set_phase(0, Phase.CLOSED, with_closing_auction=True)
        engine.audit()
    assert other.engine.take_events() == venue.engine.take_events()
    assert other.engine.state_hash() == venue.engine.state_hash()


def test_the_state_says_which_slot_is_next():
    """The same book, but another slot is free first: the next references differ, and so do the states."""
    one, other = Venue(), Venue()
    for venue, order in ((one, (0, 1)), (other, (1, 0))):
        refs = [venue.buy(1, 1000), venue.buy(1, 1000)]
        for n in order:
            venue.cancel(refs[n])

    assert one.engine.state_hash() != other.engine.state_hash()
    assert one.buy(1, 1000) != other.buy(1, 1000)


def test_every_prefix_of_a_snapshot_is_refused():
    venue = Venue()
    venue.buy(10, 1000, display=3)
    venue.sell(10, 1010)
    state = venue.engine.save()

    for length in range(len(state)):
        with pytest.raises(SnapshotError):
            MatchingEngine(venue.rules, venue.orders_max).load(state[:length])


@pytest.mark.parametrize(
    ("rules", "orders_max", "message"),
    [(1, 8, "expected 8 orders_max, found 1024"), (2, 1024, "expected 2 instruments, found 1")],
)
def test_a_snapshot_of_another_configuration_is_refused(rules, orders_max, message):
    state = Venue().engine.save()

    with pytest.raises(SnapshotError, match=message):
        MatchingEngine([InstrumentRules("OBEL")] * rules, orders_max).load(state)


def test_an_engine_that_has_traded_loads_nothing():
    venue = Venue()
    venue.buy(10, 1000)

    with pytest.raises(SnapshotError, match="expected an engine that has taken no order, found 1"):
        venue.engine.load(venue.engine.save())
