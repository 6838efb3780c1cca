"""Price bands against their oracle, and the rules one by one."""

import random
from dataclasses import astuple

import pytest

from openbell._native import BandRules, Bands
from openbell.errors import SnapshotError
from oracles.bands import NEVER, NO_BANDS, SECOND, OracleBands, OracleRules

CENT = ((0, 1), (10_000, 100))
TIER_1 = [(0, 7_500, 1_500, True), (7_500, 2_000, 0, True), (30_001, 500, 0, True)]
TIER_2 = [(0, 7_500, 1_500, True), (7_500, 2_000, 0, True), (30_001, 1_000, 0, False)]
RULES = OracleRules(TIER_1, wide_from_ns=55_000 * SECOND)
MIDNIGHT = 1_000_000 * SECOND
OPEN = MIDNIGHT + 34_200 * SECOND


class NativeBands:
    """The native bands, telling changes as the oracle does."""

    def __init__(self, rules: OracleRules, ticks=CENT, listed_px=0):
        self.native = Bands(BandRules(*astuple(rules)), ticks, listed_px)

    def next(self, now):
        change = self.native.next(now)
        return change and (change[0].name, *change[1:])

    def __getattr__(self, name):
        return getattr(self.native, name)


class Market:
    """A venue that applies what the bands say, and keeps what they said."""

    def __init__(self, bands, *, call_px=0):
        self.bands = bands
        self.changes = []
        self.wanted = (0, 0)
        self.call_px = call_px
        self.range = NO_BANDS
        self.now = 0

    def open(self, reference, now=OPEN):
        self.bands.open(reference, MIDNIGHT, now)
        return self.until(now)

    def until(self, now):
        """Apply everything due by `now`; the changes."""
        seen = len(self.changes)
        self.now = now
        while change := self.bands.next(now):
            self.changes.append(change)
            action, at, lo, hi, *_ = change
            if action in ("SET_BANDS", "REOPEN"):
                self.range = (lo, hi)
            if action == "END_CALL":
                self.bands.on_call_price(self.call_px)
            self.show(at)
        return self.changes[seen:]

    def show(self, at):
        """Tell the touch: what buyers and sellers want, kept within the bands."""
        lo, hi = self.range
        bid, ask = self.wanted
        self.bands.on_touch(min(bid, hi), max(ask, lo) if ask else 0, at)

    def trade(self, px, now):
        changes = self.until(now)
        self.bands.on_trade(px, now)
        return changes + self.until(now)

    def touch(self, bid, ask, now):
        changes = self.until(now)
        self.wanted = (bid, ask)
        self.show(now)
        return changes + self.until(now)


def market(rules=RULES, *, reference=100_000, listed_px=0, call_px=0):
    venue = Market(NativeBands(rules, CENT, listed_px), call_px=call_px)
    return venue, venue.open(reference)


def seconds(n):
    return OPEN + n * SECOND


@pytest.mark.parametrize(
    ("tier", "reference", "expected"),
    [
        (TIER_1, 100_000, (95_000, 105_000)),
        (TIER_1, 30_100, (28_600, 31_600)),  # 5 % of 3.01 is 0.1505
        (TIER_1, 30_000, (24_000, 36_000)),
        (TIER_1, 7_500, (6_000, 9_000)),
        (TIER_1, 7_499, (5_999, 8_999)),  # 0.15 is less than 75 %
        (TIER_1, 1_000, (250, 1_750)),  # 75 % is less than 0.15
        (TIER_2, 100_000, (90_000, 110_000)),
        (TIER_2, 30_000, (24_000, 36_000)),
        (TIER_1, 101_000, (96_000, 106_100)),  # 95 950 and 106 050: the higher of two equally near
        (TIER_1, 1, (1, 2)),  # never below the lowest tick
    ],
)
def test_width_follows_price_and_tier(tier, reference, expected):
    _, changes = market(OracleRules(tier), reference=reference)

    assert changes == [("SET_BANDS", OPEN, *expected, reference, 0, 0)]


@pytest.mark.parametrize(
    ("tier", "reference", "before", "after"),
    [
        (TIER_1, 100_000, (95_000, 105_000), (90_000, 110_000)),
        (TIER_1, 1_000, (250, 1_750), (1, 2_500)),
        (TIER_2, 30_000, (24_000, 36_000), (18_000, 42_000)),
        (TIER_2, 100_000, (90_000, 110_000), None),
    ],
)
def test_width_doubles_before_the_close_where_it_applies(tier, reference, before, after):
    venue, opened = market(OracleRules(tier, wide_from_ns=56_100 * SECOND), reference=reference)
    wide_at = MIDNIGHT + 56_100 * SECOND

    assert opened[0][2:4] == before
    assert venue.until(wide_at - 1) == []
    assert venue.until(wide_at + 5) == ([("SET_BANDS", wide_at, *after, reference, 0, 0)] if after else [])


def test_the_price_of_the_day_before_finds_the_width():
    _, changes = market(listed_px=29_000, reference=31_000)

    assert changes[0][2:4] == (24_800, 37_200)


def test_the_reference_follows_a_mean_that_moved_by_one_percent_and_not_before_30_seconds():
    venue, _ = market()
    venue.trade(100_000, seconds(1))
    venue.trade(102_000, seconds(2))

    assert venue.until(seconds(30) - 1) == []
    assert venue.until(seconds(30)) == [("SET_BANDS", seconds(30), 96_000, 106_100, 101_000, 0, 0)]


def test_a_mean_that_moved_by_less_changes_nothing():
    venue, _ = market()
    venue.trade(100_000, seconds(1))
    venue.trade(101_998, seconds(2))  # the mean is 100 999

    assert venue.until(seconds(299)) == []


def test_trades_leave_the_mean_after_five_minutes():
    venue, _ = market()
    venue.trade(100_000, seconds(1))
    venue.trade(101_998, seconds(100))

    assert venue.until(seconds(301)) == []
    assert venue.until(seconds(302)) == [("SET_BANDS", seconds(302), 96_900, 107_100, 101_998, 0, 0)]
    assert venue.until(seconds(500)) == []
    assert venue.bands.next_due == MIDNIGHT + RULES.wide_from_ns


def test_a_trade_counts_once_whatever_its_price_was_before():
    venue, _ = market(reference=0)

    assert venue.trade(100_000, seconds(5)) == []
    assert venue.until(seconds(6)) == [("SET_BANDS", seconds(6), 95_000, 105_000, 100_000, 0, 0)]


def test_a_touch_at_the_band_for_15_seconds_pauses_trading():
    venue, _ = market()

    assert venue.touch(105_000, 0, seconds(10)) == [
        ("ENTER_LIMIT", seconds(10), 95_000, 105_000, 100_000, seconds(25), 0)
    ]
    assert venue.until(seconds(25) - 1) == []
    assert venue.until(seconds(25)) == [("PAUSE", seconds(25), 95_000, 105_000, 100_000, seconds(325), 0)]
    assert venue.until(seconds(325)) == [
        ("END_CALL", seconds(325), 95_000, 105_000, 100_000, 0, 0),
        ("REOPEN", seconds(325), 95_000, 105_000, 100_000, 0, 0),
        ("ENTER_LIMIT", seconds(325), 95_000, 105_000, 100_000, seconds(340), 0),
    ]


def test_a_touch_that_leaves_in_time_prevents_the_pause():
    venue, _ = market()
    venue.touch(94_000, 95_000, seconds(10))

    assert venue.touch(94_000, 95_100, seconds(25) - 1) == [
        ("LEAVE_LIMIT", seconds(25) - 1, 95_000, 105_000, 100_000, 0, 0)
    ]
    assert venue.until(seconds(60)) == []


def test_from_one_band_to_the_other_is_a_new_limit_state():
    venue, _ = market()
    venue.touch(105_000, 0, seconds(10))

    changes = venue.touch(0, 95_000, seconds(20))

    assert [c[:2] for c in changes] == [("LEAVE_LIMIT", seconds(20)), ("ENTER_LIMIT", seconds(20))]
    assert venue.until(seconds(34)) == []


def test_bands_stand_still_in_the_limit_state():
    venue, _ = market()
    venue.trade(103_000, seconds(28))
    venue.touch(105_000, 0, seconds(29))

    assert venue.until(seconds(40)) == []
    assert venue.touch(104_000, 0, seconds(41)) == [("LEAVE_LIMIT", seconds(41), 95_000, 105_000, 100_000, 0, 0)]
    assert venue.until(seconds(42)) == [("SET_BANDS", seconds(42), 97_900, 108_200, 103_000, 0, 0)]


def test_a_price_outside_the_collar_extends_the_call_and_doubles_the_collar():
    venue, _ = market(call_px=120_000)
    venue.touch(105_000, 0, seconds(0))
    venue.wanted = (0, 0)

    assert venue.until(seconds(15 + 300 + 300 + 300)) == [
        ("PAUSE", seconds(15), 95_000, 105_000, 100_000, seconds(315), 0),
        ("END_CALL", seconds(315), 95_000, 105_000, 100_000, 0, 0),
        ("EXTEND", seconds(315), 90_000, 110_000, 100_000, seconds(615), 1),
        ("END_CALL", seconds(615), 90_000, 110_000, 100_000, 0, 1),
        ("EXTEND", seconds(615), 80_000, 120_000, 100_000, seconds(915), 2),
        ("END_CALL", seconds(915), 80_000, 120_000, 100_000, 0, 2),
        ("REOPEN", seconds(915), 114_000, 126_000, 120_000, 0, 0),
    ]


def test_a_collar_doubled_for_ever_holds_every_price():
    venue, _ = market(call_px=2_000_000_000)
    venue.touch(105_000, 0, seconds(0))
    venue.wanted = (0, 0)

    changes = venue.until(seconds(15 + 300 * 60))

    assert [c[0] for c in changes].count("EXTEND") == 19
    assert changes[-1][:2] == ("REOPEN", seconds(15 + 300 * 20))
    assert all(c[2] >= 1 for c in changes)


def test_after_a_reopening_the_mean_begins_anew():
    venue, _ = market(call_px=104_000)
    venue.trade(100_000, seconds(1))
    venue.touch(105_000, 0, seconds(10))
    venue.wanted = (0, 0)
    venue.until(seconds(325))

    assert venue.bands.reference == 104_000
    assert venue.trade(104_100, seconds(326)) == []
    assert venue.until(seconds(400)) == []


def test_stopped_bands_say_nothing_until_trading_opens_again():
    venue, _ = market()
    venue.touch(105_000, 0, seconds(1))
    venue.bands.stop()

    assert (venue.until(seconds(100)), venue.bands.next_due) == ([], NEVER)
    assert venue.open(200_000, seconds(101)) == [("SET_BANDS", seconds(101), 190_000, 210_000, 200_000, 0, 0)]


def test_without_widths_there_are_no_bands():
    _, changes = market(OracleRules([]), reference=100_000)

    assert changes == []


def random_rules(rng):
    return OracleRules(
        rng.choice((TIER_1, TIER_2, [(0, 100, 0, True)], [(0, 150, 0, False)])),
        rng.choice((NEVER, rng.randint(34_200, 34_700) * SECOND)),
        rng.choice((1, 3, 20, 60)),
        rng.choice((1, 20, 100)),
        rng.choice((0, 5, 30)) * SECOND,
        rng.choice((1, 5, 15)) * SECOND + rng.choice((0, 7)),
        rng.choice((1, 20, 60)) * SECOND,
        rng.choice((5, 100, 500)),
    )


def random_day(rng, venues, *, lookers):
    """Drive all venues through one day; the last ones are also looked at in between."""
    now = OPEN
    value = rng.choice((900, 5_000, 25_000, 100_000))
    opening = rng.choice((0, value))
    for venue in venues:
        venue.open(opening, now)
    for _ in range(60):
        gap = rng.choice((0, 1, rng.randint(0, SECOND), rng.randint(0, 20) * SECOND, rng.randint(0, 25 * SECOND)))
        value = max(2, value + rng.choice((0, 1, 1, 8)) * rng.randint(-value // 60 - 1, value // 60 + 1))
        looks = sorted(now + rng.randint(0, gap) for _ in range(3))
        now += gap
        what, spread, call_px = rng.random(), rng.randint(0, value // 50), rng.choice((0, value, value * 2))
        for index, venue in enumerate(venues):
            venue.call_px = call_px
            for look in looks if index >= len(venues) - lookers else ():
                venue.until(look)
            if what < 0.5:
                venue.trade(value, now)
            elif what < 0.97:
                venue.touch(value - spread, value + spread, now)
            elif what < 0.985:
                venue.until(now)
                venue.bands.stop()
                venue.range = NO_BANDS
            else:
                venue.until(now)
                venue.open(value, now)


@pytest.mark.parametrize("block", range(8))
def test_random_days_make_bands_and_oracle_say_the_same(block, seed):
    for case in range(40):
        rng = random.Random(f"{seed} {block} {case}")
        rules, listed = random_rules(rng), rng.choice((0, 5_000, 25_000, 90_000))
        native = Market(NativeBands(rules, CENT, listed))
        oracle = Market(OracleBands(rules, CENT, listed))

        random_day(rng, [native, oracle], lookers=0)

        assert native.changes == oracle.changes, f"{seed} {block} {case}"
        assert native.bands.reference == oracle.bands.reference


def test_what_the_bands_do_does_not_depend_on_how_often_somebody_looks(seed):
    actions = set()
    for case in range(60):
        rng = random.Random(f"{seed} {case}")
        rules = random_rules(rng)
        rarely, often = (Market(NativeBands(rules)) for _ in range(2))

        random_day(rng, [rarely, often], lookers=1)

        assert rarely.changes == often.changes, f"{seed} {case}"
        assert rarely.bands.save() == often.bands.save()
        actions |= {change[0] for change in rarely.changes}
    assert actions == {"SET_BANDS", "ENTER_LIMIT", "LEAVE_LIMIT", "PAUSE", "END_CALL", "EXTEND", "REOPEN"}


def test_saved_bands_go_on_where_they_were(seed):
    for case in range(30):
        rng = random.Random(f"{seed} {case}")
        rules = random_rules(rng)
        venue = Market(NativeBands(rules))
        random_day(rng, [venue], lookers=0)
        again = Market(NativeBands(rules))
        again.bands.load(venue.bands.save())
        again.wanted, again.range, again.call_px = venue.wanted, venue.range, venue.call_px
        end = venue.now + 1_000 * SECOND

        assert again.until(end) == venue.until(end), f"{seed} {case}"
        assert again.bands.save() == venue.bands.save()


def test_a_snapshot_of_another_window_is_refused():
    venue, _ = market()
    other = NativeBands(OracleRules(TIER_1, window_s=60))

    with pytest.raises(SnapshotError, match="expected bands with a window of 60 s, found 300"):
        other.load(venue.bands.save())
    with pytest.raises(SnapshotError, match="ends early"):
        venue.bands.load(venue.bands.save()[:-1])
