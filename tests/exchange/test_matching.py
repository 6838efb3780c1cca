"""What a caller of the matching engine holds in hand: references, answers, what can be seen.

The rules of the book are in tests/scenarios, random sequences in test_engine_random.py.
"""

import pytest
from tests.exchange.matching_venue import BUY, SELL, Venue

from openbell._native import (
    Auction,
    Cause,
    InstrumentRules,
    MatchingEngine,
    OrderType,
    Phase,
    PostOnly,
    Priority,
    Refusal,
    Terms,
)
from openbell.errors import ConfigError
from openbell.types import Tif


def test_partial_fill_leaves_the_rest_at_the_front():
    venue = Venue()
    first, second = venue.sell(50, 1000), venue.sell(50, 1000)

    taker = venue.buy(30, 1000)
    assert venue.trades() == [(first, taker, 1000, 30)]
    assert venue.queue(SELL) == [(first, 20), (second, 50)]

    taker = venue.buy(40, 1000)
    assert venue.trades() == [(first, taker, 1000, 20), (second, taker, 1000, 20)]


def test_smaller_size_keeps_the_place_and_a_larger_one_loses_it():
    venue = Venue()
    first, second = venue.sell(50, 1000), venue.sell(50, 1000)

    assert venue.replace(first, 20, 1000) == first
    grown = venue.replace(first, 21, 1000)

    assert venue.queue(SELL) == [(second, 50), (grown, 21)]
    assert [(e.kind, Priority(e.priority)) for e in venue.events()[-2:]] == [
        ("replaced", Priority.KEPT),
        ("replaced", Priority.LOST),
    ]


def test_a_dead_reference_is_never_mistaken_for_the_order_that_took_its_slot():
    venue = Venue(orders_max=1)
    dead = venue.sell(50, 1000)
    assert venue.cancel(dead)
    alive = venue.sell(50, 1000)

    assert not venue.cancel(dead)
    assert venue.engine.replace(dead, Terms(999, 50)) == (0, Refusal.NOT_LIVE)
    assert venue.queue(SELL) == [(alive, 50)]


def test_the_reference_on_the_feed_of_a_later_slice_is_no_order():
    venue = Venue()
    iceberg = venue.sell(50, 1000, display=10)
    venue.buy(10, 1000)

    ((shown, px, qty),) = venue.engine.displayed(0, SELL)

    assert (px, qty) == (1000, 10)
    assert shown != iceberg
    assert not venue.cancel(shown)
    assert venue.engine.leaves(iceberg) == 40


def test_a_full_engine_refuses_but_replaces():
    venue = Venue(orders_max=1)
    only = venue.sell(50, 1000)

    assert venue.try_order(BUY, 50, 900) == (0, Refusal.FULL)
    assert venue.replace(only, 60, 1001)
    assert venue.events()[-1].kind == "replaced"


def test_refuse_says_what_submit_would_answer_and_does_nothing():
    venue = Venue(phase=Phase.OPENING_CALL)
    before = venue.engine.state_hash()

    assert venue.engine.refuse(0, BUY, Terms(1000, 10, tif=Tif.IOC)) == Refusal.PHASE_NOT_ALLOWED
    assert venue.engine.refuse(0, BUY, Terms(1000, 10)) == Refusal.NONE
    assert (venue.engine.state_hash(), venue.events()) == (before, [])


def test_touch_shows_what_is_displayed_and_depth_all_that_is_open():
    venue = Venue()
    venue.buy(50, 1000, display=10)
    venue.buy(70, 1000, display=0)
    venue.buy(5, 1001, display=0)

    assert venue.engine.touch(0, BUY) == (1000, 10)
    assert venue.engine.touch(0, SELL) == (0, 0)
    assert [venue.engine.depth_qty(0, BUY, px) for px in (1001, 1000, 999)] == [5, 120, 0]


def test_mass_cancel_takes_what_is_asked_for_oldest_first():
    venue = Venue(instruments=2)
    mine = [venue.buy(1, 1000), venue.sell(1, 1010, on=1), venue.buy(1, 1001), venue.sell(1, 1020)]
    parked = venue.buy(1, type=OrderType.PEGGED, peg=2, on=1)
    theirs = venue.buy(1, 1002, account=2)
    venue.events()

    assert venue.engine.mass_cancel(1, instrument=0, side=BUY, cause=Cause.SUPERVISORY) == 2
    assert [(e.ref, Cause(e.cause)) for e in venue.events()] == [
        (mine[0], Cause.SUPERVISORY),
        (mine[2], Cause.SUPERVISORY),
    ]
    assert venue.engine.mass_cancel(1) == 3
    assert [e.ref for e in venue.events()] == [mine[1], mine[3], parked]
    assert venue.engine.mass_cancel(1) == venue.engine.mass_cancel(7) == 0
    assert venue.queue(BUY) == [(theirs, 1)]


def test_orders_of_a_shadow_book_rest_beside_each_other():
    venue = Venue(matches=False)
    venue.sell(10, 1000)
    venue.buy(10, 1010)
    venue.buy(10)
    venue.buy(10, 1010, tif=Tif.IOC)
    venue.buy(10, 1020, post_only=PostOnly.REJECT)

    assert venue.trades() == []
    assert (venue.engine.touch(0, BUY), venue.engine.touch(0, SELL)) == ((1020, 10), (1000, 10))
    venue.engine.set_phase(0, Phase.CLOSED, with_closing_auction=True)
    assert [(e.px, e.qty) for e in venue.events() if e.kind == "crossed"] == [(0, 0)]


def test_pro_rata_shares_as_the_notice_of_the_exchange_says():
    """CME: resting 10 (TOP), 5, 20, 50, 75; 60 come. One-lot shares go to the pass in time order."""
    venue = Venue(allocation=1, grants_top=True, min_allocation=2)
    makers = [venue.sell(qty, 1000) for qty in (10, 5, 20, 50, 75)]

    venue.buy(60, 1000)

    filled = [qty for _, _, _, qty in venue.trades()]
    assert filled == [10, 3, 6, 16, 25]
    assert venue.queue(SELL) == [(makers[1], 2), (makers[2], 14), (makers[3], 34), (makers[4], 50)]


@pytest.mark.parametrize(
    ("bids", "asks", "reference", "expected"),
    [
        ([(103, 20), (102, 35), (101, 30), (100, 25), (99, 50)], [(98, 15), (99, 20), (100, 40), (101, 45), (102, 30)],
         100, (101, 85, -35)),
        ([(102, 100)], [(98, 100)], 101, (101, 100, 0)),
        ([(102, 150)], [(98, 100)], 100, (102, 100, 50)),
        ([(102, 100)], [(98, 150)], 100, (98, 100, -50)),
    ],
)  # fmt: skip
def test_published_auctions_cross_in_the_engine(bids, asks, reference, expected):
    venue = Venue(phase=Phase.OPENING_CALL, listed_px=reference)
    for px, qty in bids:
        venue.buy(qty, px)
    for px, qty in asks:
        venue.sell(qty, px)

    px, volume, surplus = venue.engine.indicative(0, Auction.OPENING)
    venue.engine.set_phase(0, Phase.CONTINUOUS)

    assert (px, volume, surplus) == expected
    assert [(e.px, e.qty) for e in venue.events() if e.kind == "crossed"] == [(px, volume)]
    venue.engine.audit()


def test_an_imbalance_message_counts_between_the_touch_before_the_close():
    venue = Venue(listed_px=1000)
    venue.buy(100, 995)
    venue.sell(100, 1005)
    venue.buy(300, tif=Tif.AT_CLOSE)
    venue.sell(50, 1003, tif=Tif.AT_CLOSE)

    far_px, near_px, reference_px, paired, imbalance = venue.engine.indication(0)

    assert (far_px, near_px) == (1003, 1005)
    assert (reference_px, paired, imbalance) == (1005, 150, 150)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"ticks": []}, "ticks: expected 1 to 8 steps, found 0"),
        ({"ticks": [(5, 1)]}, "the first step from 0, found 5"),
        ({"ticks": [(0, 0)]}, "a positive tick, found 0"),
        ({"ticks": [(0, 10), (15, 5)]}, "a multiple of the tick before, found 15"),
        ({"ticks": [(0, 1), (10, 4)]}, "a multiple of its tick, found 10"),
        ({"lot": 0}, "lot: expected 1 or more, found 0"),
        ({"fifo_percent": 101}, "fifo_percent: expected 0 to 100, found 101"),
        ({"qty_max": 0}, "qty_max: expected 1 to"),
    ],
)
def test_rules_that_cannot_be_are_named(rules, message):
    with pytest.raises(ConfigError, match=f"'OBEL'.*{message}"):
        MatchingEngine([InstrumentRules("OBEL", **rules)], 10)


@pytest.mark.parametrize("orders_max", [0, 1 << 24])
def test_orders_max_has_a_limit(orders_max):
    with pytest.raises(ConfigError, match="orders_max: expected 1 to 16777215"):
        MatchingEngine([InstrumentRules("OBEL")], orders_max)


@pytest.mark.parametrize("bands", [(1001, 1000), (-1, 1000), (990, 1005)])
def test_bands_that_cannot_be_change_nothing(bands):
    venue = Venue(ticks=[(0, 10)])
    before = venue.engine.state_hash()

    with pytest.raises(ConfigError, match="two prices on the tick, the lower first"):
        venue.engine.set_bands(0, *bands)
    assert venue.engine.state_hash() == before
