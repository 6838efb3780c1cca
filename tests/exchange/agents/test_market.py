"""The seam: a venue, and a market of plain lists, are the same to an agent."""

import random

import pytest
from tests.exchange.agents.slow_market import SlowMarket

from openbell._native import VenueCore
from openbell.exchange.agents.market import BUY, SELL, VenueMarket


def venue_market(lot=100, **more):
    venue = VenueCore([("OBEL", 100, lot)], 0, 100_000, 1, 1_000_000)
    account = venue.add_account(internal=True)
    venue.open_day(0)
    return venue, VenueMarket(venue, account, 0, tick_px=100, lot=lot, **more)


@pytest.mark.parametrize("seed", range(5))
def test_a_venue_does_what_plain_lists_do(seed):
    rng = random.Random(seed)
    slow, (_, fast) = SlowMarket(), venue_market()
    pairs = []
    for now_ns in range(2_000):
        what, side, px, qty = rng.random(), rng.choice((BUY, SELL)), rng.randint(-1, 20), rng.randint(1, 5)
        if what < 0.6:
            pairs.append((slow.limit(side, px, qty, now_ns), fast.limit(side, px, qty, now_ns)))
            assert bool(pairs[-1][0]) == bool(pairs[-1][1]), f"seed {seed}"
        elif what < 0.8:
            limit = rng.choice((None, max(px, 1)))
            slow.take(side, limit, qty, now_ns)
            fast.take(side, limit, qty, now_ns)
        elif pairs:
            a, b = rng.choice(pairs)
            assert (slow.leaves(a), slow.cancel(a, now_ns)) == (fast.leaves(b), fast.cancel(b, now_ns)), f"seed {seed}"
        assert [slow.touch(s) for s in (BUY, SELL)] == [fast.touch(s) for s in (BUY, SELL)], f"seed {seed}"
    assert len(slow.prints) > 100


def test_a_part_of_a_lot_counts_as_one_until_it_is_gone():
    venue, market = venue_market()
    order = market.limit(BUY, 50, 2, 1)
    venue.submit(0, 0, SELL, 50_00, 150, 1, 2)

    assert (market.leaves(order), market.touch(BUY)) == (1, (50, 1))


def test_flow_time_runs_speed_times_as_fast_as_the_venues():
    venue, market = venue_market(start_ns=1_000, speed=4.0)
    market.limit(BUY, 50, 1, 1_000 + 800)

    assert int.from_bytes(venue.itch_message(venue.itch_next - 1)[5:11], "big") == 1_000 + 200
