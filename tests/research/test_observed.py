"""What a venue's feed shows: quotes, trades by aggressor, depth, and the times they belong to; the table of facts."""

import math

import numpy as np
import pytest

from openbell._native import VenueCore
from openbell.errors import DecodeError
from openbell.research.estimate import Estimate
from openbell.research.facts import Fact, Sample, Verdict, facts
from openbell.research.observed import observe, records_of
from openbell.types import Side, Tif

BUY, SELL = Side.BUY, Side.SELL
MINUTE_NS = 60_000_000_000


class Desk:
    """A venue that one hand trades on, prices in ticks of 0.01."""

    def __init__(self):
        self.venue = VenueCore([("OBEL", 100, 100), ("RING", 100, 100)], 0, 1_000, 1, 100_000)
        self.account = self.venue.add_account(internal=True)
        self.venue.open_day(0)

    def enter(self, now_ns, side, px, qty, tif=Tif.DAY, instrument=0):
        return self.venue.submit(self.account, instrument, side, px * 100, qty, tif, now_ns)

    def records(self):
        return records_of(self.venue.itch_message, self.venue.itch_next - 1, "OBEL")

    def seen(self, start_ns, end_ns):
        return observe(self.records(), tick=100, start_ns=start_ns, end_ns=end_ns)


def test_quotes_and_trades_by_hand():
    desk = Desk()
    desk.enter(1, BUY, 99, 300)
    desk.enter(2, SELL, 101, 200)
    desk.enter(3, SELL, 102, 400)
    gone = desk.enter(4, BUY, 98, 100)
    desk.enter(5, BUY, 102, 500, Tif.IOC)  # sweeps 200 at 101 and 300 at 102
    desk.enter(6, SELL, 99, 100, Tif.IOC)
    desk.venue.cancel(gone, 7)
    seen = desk.seen(0, 10)

    quotes = zip(seen.quote_ns, seen.bid_px, seen.bid_qty, seen.ask_px, seen.ask_qty, strict=True)
    assert [tuple(map(int, q)) for q in quotes] == [
        (2, 99, 300, 101, 200), (5, 99, 300, 102, 100), (6, 99, 200, 102, 100),
    ]  # fmt: skip
    trades = zip(seen.trade_ns, seen.trade_sign, seen.trade_qty, seen.trade_mid, strict=True)
    assert [tuple(map(float, t)) for t in trades] == [(5, 1, 500, 100.0), (6, -1, 100, 100.5)]
    assert (list(seen.limit_ns), list(seen.cancel_ns)) == ([1, 2, 3, 4], [7])
    assert list(seen.mid_at(np.array([0, 2, 4, 5, 9]))) == [100.0, 100.0, 100.0, 100.5, 100.5]


def test_what_was_before_the_start_builds_the_book_and_is_not_counted():
    desk = Desk()
    desk.enter(1, BUY, 99, 300)
    desk.enter(2, SELL, 101, 200)
    desk.enter(3, BUY, 101, 100, Tif.IOC)
    desk.enter(12, BUY, 101, 50, Tif.IOC)
    desk.enter(20, BUY, 101, 50, Tif.IOC)
    seen = desk.seen(10, 20)

    assert (list(seen.quote_ns), list(seen.ask_qty)) == ([3, 12], [100, 50])
    assert list(seen.trade_ns) == [12]
    assert len(seen.limit_ns) == 0


def test_depth_is_the_mean_of_both_sides_from_the_opposite_best():
    desk = Desk()
    for px, qty in ((99, 300), (97, 100)):
        desk.enter(1, BUY, px, qty)
    for px, qty in ((101, 200), (102, 600)):
        desk.enter(1, SELL, px, qty)
    for now_ns in range(2, 100):
        desk.enter(now_ns, BUY, 99, 1)  # touches the best, so that there is a quote to sample at
    seen = desk.seen(50, 60)

    # Two ticks: 101 - 99, from both sides; three: 102 - 99; four: 101 - 97.
    assert seen.depth[0] == 0
    assert seen.depth[1] == pytest.approx((300 + 53 + 200) / 2, abs=8)
    assert list(seen.depth[2:5]) == [300, 50, 0]


def test_other_instruments_are_not_seen():
    desk = Desk()
    desk.enter(1, BUY, 99, 300, instrument=1)
    desk.enter(2, BUY, 98, 300)
    desk.enter(3, SELL, 101, 200)

    assert len(desk.seen(0, 10).limit_ns) == 2


def test_records_that_contradict_each_other_are_refused():
    desk = Desk()
    desk.enter(1, BUY, 99, 300)

    with pytest.raises(DecodeError, match="expected records of one book, found fault"):
        observe(np.concatenate([desk.records(), desk.records()]), tick=100, start_ns=0, end_ns=10)


# ---- the table ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimate", "verdict"),
    [
        (Estimate(0.5, 0.4, 0.6), Verdict.PASS),
        (Estimate(0.5), Verdict.PASS),
        (Estimate(0.5, -0.1, 0.9), Verdict.PASS),
        (Estimate(0.5, -0.1, 1.1), Verdict.UNSURE),
        (Estimate(1.2, 0.4, 2.0), Verdict.FAIL),
        (Estimate(math.inf), Verdict.FAIL),
        (Estimate(math.nan), Verdict.NOT_APPLICABLE),
    ],
)
def test_a_value_is_judged_by_its_range_and_by_what_is_known_of_it(estimate, verdict):
    assert Fact(1, "", estimate, (0.0, 1.0)).verdict == verdict


def test_the_table_has_all_twenty_numbers_in_order():
    desk = Desk()
    for minute in range(1, 200):
        now_ns = minute * MINUTE_NS
        desk.enter(now_ns, BUY, 90 + minute % 7, 100)
        desk.enter(now_ns, SELL, 100 + minute % 5, 100)
        desk.enter(now_ns + 1, BUY if minute % 2 else SELL, 100 if minute % 2 else 90, 50, Tif.IOC)
    rows = facts(Sample(desk.seen(0, 200 * MINUTE_NS), 60 * MINUTE_NS))

    assert sorted({fact.number for fact in rows}) == list(range(1, 21))
    assert [fact.number for fact in rows] == sorted(fact.number for fact in rows)
