"""Arbitrage in two and three legs: no edge, no trade; the second leg on the first one's fill; leg risk ends in time."""

import math

import pytest
from tests.strategies.floor import CENT, Asked, Floor, asked_of, reference

from openbell.types import Side

BUY, SELL = Side.BUY, Side.SELL
MS = 1_000_000
FIRST, SECOND_VENUE = 0, 1
SIZE = 100


def venues(**params) -> Floor:
    """Two venues at the same price."""
    floor = Floor(reference("cross_exchange", edge_ticks=2, **params), ticks=(CENT, CENT))
    for venue in (FIRST, SECOND_VENUE):
        floor.book(10_000, 10_001, instrument=venue)
    return floor


def apart(floor: Floor) -> None:
    """The second venue bids two ticks above the first one's offer."""
    floor.book(10_003, 10_004, instrument=SECOND_VENUE)


def only_order(floor: Floor) -> dict:
    (order,) = floor.new_orders()
    return order


def test_without_an_edge_nothing_is_traded():
    floor = venues()
    floor.book(10_001, 10_002, instrument=SECOND_VENUE)
    floor.book(10_002, 10_003, instrument=SECOND_VENUE)

    assert floor.asked() == []


def test_the_second_leg_goes_on_the_fill_of_the_first_and_in_its_quantity():
    floor = venues()
    apart(floor)
    first = only_order(floor)
    assert asked_of(first) == Asked(FIRST, BUY, 10_001, SIZE)

    floor.fill(first, qty=60)

    second = only_order(floor)
    assert asked_of(second) == Asked(SECOND_VENUE, SELL, 10_003, 60)
    floor.fill(second)
    assert (floor.position(FIRST), floor.position(SECOND_VENUE)) == (60, -60)
    assert floor.strategy.leg.since_ns == 0


def test_no_more_is_traded_than_both_venues_show_or_the_limit_leaves():
    floor = venues(position_max=100)
    floor.book(10_000, 10_001, ask_qty=70, instrument=FIRST)
    apart(floor)
    first = only_order(floor)
    assert first["qty"] == 70
    floor.fill(first)
    floor.fill(only_order(floor))

    assert only_order(floor)["qty"] == 30


def test_quantities_are_whole_lots_and_what_is_less_is_nobodys_leg():
    floor = Floor(reference("cross_exchange", edge_ticks=2, size=250), ticks=(CENT, CENT), lot=100)
    floor.book(10_000, 10_001, instrument=FIRST)
    apart(floor)
    first = only_order(floor)
    assert first["qty"] == 200

    floor.fill(first, qty=150)  # the venue may split a lot

    second = only_order(floor)
    assert second["qty"] == 100
    floor.fill(second)
    assert floor.strategy.leg.since_ns == 0
    assert not floor.refused


def test_a_second_leg_that_runs_away_is_waited_for_and_then_taken_at_any_price():
    floor = venues(limit_ms=500, chase_ticks=1)
    apart(floor)
    floor.fill(only_order(floor))
    floor.miss(only_order(floor))
    floor.pass_ns(20 * MS)

    floor.book(9_990, 9_992, instrument=SECOND_VENUE)  # ten ticks below what was paid
    assert floor.asked() == []
    floor.pass_ns(500 * MS)

    late = only_order(floor)
    assert asked_of(late) == Asked(SECOND_VENUE, SELL, 9_990, SIZE)
    floor.fill(late)
    assert 0 < floor.strategy.leg.longest_ns <= 600 * MS


def test_where_the_second_venue_is_halted_the_first_leg_is_taken_back_in_time():
    floor = venues(limit_ms=500)
    apart(floor)
    first = only_order(floor)
    floor.close_book(SECOND_VENUE)
    floor.fill(first)
    assert floor.asked() == []

    floor.pass_ns(500 * MS)

    back = only_order(floor)
    assert asked_of(back) == Asked(FIRST, SELL, 10_000, SIZE)
    floor.fill(back)
    assert floor.position(FIRST) == 0


def test_a_leg_that_finds_nobody_is_not_sent_again_at_once():
    floor = venues()
    apart(floor)
    floor.fill(only_order(floor))
    floor.miss(only_order(floor))

    floor.book(10_003, 10_004, bid_qty=400, instrument=SECOND_VENUE)
    assert floor.asked() == []
    floor.pass_ns(20 * MS)
    floor.book(10_003, 10_004, bid_qty=300, instrument=SECOND_VENUE)

    assert only_order(floor)["qty"] == SIZE


def held_basis(**params) -> Floor:
    """Spot at 100.00, a future that was 20 bps dear and is sold."""
    floor = Floor(reference("basis", entry_bps=10.0, **params), ticks=(CENT, CENT))
    floor.book(10_000, 10_001, instrument=0)
    floor.book(10_020, 10_021, instrument=1)
    first = only_order(floor)
    assert asked_of(first) == Asked(1, SELL, 10_020, SIZE)
    floor.fill(first)
    second = only_order(floor)
    assert asked_of(second) == Asked(0, BUY, 10_001, SIZE)
    floor.fill(second)
    return floor


def test_a_dear_future_is_sold_against_its_spot_and_bought_back_at_fair():
    floor = held_basis(position_max=SIZE)

    floor.book(10_005, 10_006, instrument=1)
    assert floor.asked() == []
    floor.book(9_999, 10_000, instrument=1)

    floor.fill_all()
    assert (floor.position(0), floor.position(1)) == (0, 0)


def test_fair_is_the_spot_carried_to_the_futures_end():
    year_s = 365 * 86_400
    floor = Floor(reference("basis", entry_bps=10.0, rate=0.05, expiry_s=year_s), ticks=(CENT, CENT))
    fair = 10_000.5 * math.exp(0.05)
    floor.book(10_000, 10_001, instrument=0)

    floor.book(math.floor(fair) - 1, math.ceil(fair) + 1, instrument=1)
    assert floor.asked() == []
    floor.book(math.floor(fair) + 15, math.floor(fair) + 16, instrument=1)

    assert asked_of(only_order(floor)).side == SELL


def test_before_a_futures_end_both_legs_are_closed():
    floor = held_basis(expiry_s=10_000, last_s=3_600, position_max=SIZE)

    floor.now = 7_000 * 1_000_000_000
    floor.book(10_020, 10_022, instrument=1)

    floor.fill_all()
    assert (floor.position(0), floor.position(1)) == (0, 0)


CROSS, B, A = 0, 1, 2
"""2.0000 B for an A, 25.00 C for a B, 50.00 C for an A."""


def triangle(**params) -> Floor:
    floor = Floor(reference("triangular", edge_bps=10.0, **params), ticks=(1, CENT, CENT))
    floor.book(199.99, 200.01, instrument=CROSS)
    floor.book(2_500, 2_501, instrument=B)
    floor.book(5_000, 5_001, instrument=A)
    return floor


def test_three_prices_that_agree_are_left_alone():
    floor = triangle()
    floor.book(5_003, 5_004, instrument=A)

    assert floor.asked() == []


def test_a_dear_direct_price_is_sold_and_bought_by_way_of_b():
    floor = triangle()

    floor.book(5_020, 5_021, instrument=A)

    first = only_order(floor)
    assert asked_of(first) == Asked(CROSS, BUY, 200.01, SIZE)
    floor.fill(first)
    others = floor.new_orders()
    assert [asked_of(o) for o in others] == [Asked(A, SELL, 5_020, SIZE), Asked(B, BUY, 2_501, 2 * SIZE)]
    for order in others:
        floor.fill(order)
    assert [floor.position(n) for n in (CROSS, B, A)] == [SIZE, 2 * SIZE, -SIZE]


def test_a_cheap_direct_price_goes_round_the_other_way():
    floor = triangle()

    floor.book(4_980, 4_981, instrument=A)
    floor.fill_all()

    assert [floor.position(n) for n in (CROSS, B, A)] == [-500, -1_000, 500]


def test_a_third_leg_that_is_missing_is_taken_at_any_price_after_its_time():
    floor = triangle(limit_ms=300, chase_bps=1.0)
    floor.book(5_020, 5_021, instrument=A)
    floor.fill(only_order(floor))
    of_a, of_b = floor.new_orders()
    floor.fill(of_a)
    floor.miss(of_b)
    floor.pass_ns(20 * MS)
    floor.book(2_510, 2_511, instrument=B)
    assert floor.asked() == []

    floor.pass_ns(300 * MS)

    assert asked_of(only_order(floor)) == Asked(B, BUY, 2_511, 2 * SIZE)


@pytest.mark.parametrize("make", [held_basis, triangle, venues])
def test_whoever_is_stopped_closes_every_leg(make):
    floor = make()
    if make is triangle:
        floor.book(5_020, 5_021, instrument=A)
        floor.fill(only_order(floor))  # and the other two are on their way
    if make is venues:
        apart(floor)
        floor.fill(only_order(floor))

    floor.stop()
    floor.fill_all()

    assert all(floor.position(n) == 0 for n in range(len(floor.ticks)))
    assert not floor.open_orders()
