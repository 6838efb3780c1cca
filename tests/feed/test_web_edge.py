"""The checks of the edge on a web venue's feed: marked, halted, put aside, and never a flood."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from openbell.errors import DecodeError
from openbell.feed.market_records import GAP_STALE, Listing
from openbell.feed.web_feed import NEVER, BookState, Checks, Policy, WebFeed
from openbell.types import RECORDS, Check, Type

LISTING = Listing(0, "A-B", 1, 0, tick=5, lot=2, px_low=100, px_high=200, qty_max=50)
TS = 7
SECOND = 1_000_000_000


class Spoken(WebFeed):
    """A venue whose messages are Python's: levels, a trade, a sign of life, or something that cannot be read."""

    def _take(self, raw: bytes) -> None:
        if raw == b"pong":
            return
        raise DecodeError(f"expected a message, found {len(raw)} bytes")

    def _forget(self, symbol: str) -> None:
        pass

    def say(self, *bids: tuple[int, int], ts: int = TS) -> bool:
        return self._change_book("A-B", list(bids), [], ts=ts, update=1)

    def trade(self, px: int, qty: int, ts: int = TS) -> None:
        self._trade("A-B", True, px, qty, ts=ts, trade_id=1)

    def quote(self, ts: int = TS) -> None:
        self._quote("A-B", (110, 4), (120, 4), ts=ts, update=1)

    def build(self) -> None:
        assert self._replace_book("A-B", [(110, 4)], [], ts=0, update=1)
        self._recover("A-B", ts=0, update=1)


def spoken(**checks: Any) -> Spoken:
    feed = Spoken([LISTING], checks=Checks(**checks))
    feed.start(1)
    feed.take_frames()
    return feed


def kinds(feed: WebFeed) -> list[Type]:
    return [Type(raw[at]) for size, raw in feed.take_frames() for at in range(0, len(raw), size)]


@pytest.mark.parametrize(
    ("level", "check"),
    [((95, 10), Check.PX_BAND), ((205, 10), Check.PX_BAND), ((101, 10), Check.PX_TICK), ((150, 52), Check.QTY_BAND),
     ((150, 3), Check.QTY_LOT)],
)  # fmt: skip
def test_an_odd_level_is_told_once_a_message_and_applied(level: tuple[int, int], check: Check):
    feed = spoken()

    assert feed.say((110, 4), level, level)

    frames = feed.take_frames()
    (said,) = np.frombuffer(frames[0][1], RECORDS["Market"])
    assert (said["type"], said["ref"], said["px"], said["qty"], said["flags"]) == (Type.FEED_CHECK, check, *level, 0)
    assert len(frames[1][1]) == 3 * 48
    assert feed.counters.faults == {check.name.lower(): 1}


def test_a_level_that_leaves_is_never_odd():
    feed = spoken()

    assert feed.say((95, 0))

    assert feed.counters.faults == {}


def test_an_odd_trade_is_told_or_kept_out():
    told, halted = spoken(), spoken(px_band=Policy.HALT)
    for feed in (told, halted):
        feed.trade(95, 10)

    assert kinds(told) == [Type.FEED_CHECK, Type.TRADE]
    assert Type.TRADE not in kinds(halted)


def test_only_what_leaves_the_book_right_can_be_marked():
    with pytest.raises(ValueError, match="expected RESYNC or HALT for negative"):
        Checks(px_band=Policy.MARK, negative=Policy.MARK)


def test_what_cannot_be_read_is_put_aside_and_a_flood_of_it_is_counted():
    feed = spoken(malformed=Policy.HALT)
    for number in range(100):
        feed.on_message(b"%03d" % number + bytes(200), TS)

    frames: list[Any] = [raw for size, raw in feed.take_frames() if size == 128 and raw[0] == Type.QUARANTINED]
    assert len(frames) == 64
    aside = np.frombuffer(frames[2], RECORDS["Quarantined"])[0]
    assert (aside["check"], aside["length"], aside["count"]) == (Check.MALFORMED, 104, 3)
    assert bytes(aside["bytes"])[:3] == b"002"
    assert feed.counters.malformed == 100


@pytest.mark.parametrize("stream", ["say", "trade", "quote"])
def test_a_clock_that_goes_back_is_told_beyond_its_tolerance(stream: str):
    feed = spoken(clock_back_ns=10)
    args = {"say": [(110, 4)], "trade": [110, 4], "quote": []}[stream]

    for ts in (100, 90, 79, 85):
        getattr(feed, stream)(*args, ts=ts)

    said = [raw for size, raw in feed.take_frames() if raw[0] == Type.FEED_CHECK]
    (told,) = np.frombuffer(b"".join(said), RECORDS["Market"])
    assert (told["ref"], told["px"], told["qty"], told["ts_event"]) == (Check.CLOCK_BACK, 0, 11, 79)
    assert feed.counters.faults == {"clock_back": 1}


def test_each_stream_has_a_clock_and_an_untold_time_is_none():
    feed = spoken()

    feed.say((110, 4), ts=100)
    feed.trade(110, 4, ts=50)
    feed.quote(ts=0)
    feed.quote(ts=20)

    assert feed.counters.faults == {}


def test_a_clock_that_goes_back_can_cost_the_book():
    feed = spoken(clock_back=Policy.RESYNC)
    feed.build()

    assert feed.say((110, 4), ts=100)
    assert not feed.say((111, 4), ts=99)

    assert feed.states["A-B"] is BookState.WAITING
    assert feed.touch("A-B")[0] == 110
    assert feed.take_wanted() == ["A-B"]


def test_silence_makes_a_book_not_valid_until_anything_is_heard():
    feed = spoken(stale_ns=SECOND)
    feed.build()
    feed.take_frames()

    feed.on_time(SECOND)
    assert feed.take_frames() == []
    assert feed.silent_at_ns == SECOND + 1
    feed.on_time(SECOND + 1)
    (gap,) = [np.frombuffer(raw, RECORDS["Control"])[0] for _, raw in feed.take_frames()]
    assert (gap["type"], gap["code"], gap["instrument"], gap["ts_event"]) == (Type.GAP, GAP_STALE, 0, SECOND + 1)
    assert feed.states["A-B"] is BookState.SILENT
    feed.on_time(10 * SECOND)
    assert feed.take_frames() == []

    feed.on_message(b"pong", 11 * SECOND)

    assert kinds(feed) == [Type.RECOVERED]
    assert feed.states["A-B"] is BookState.VALID
    assert feed.silent_at_ns == 12 * SECOND
    assert feed.counters.silences == 1


def test_a_silence_nobody_watched_is_told_before_the_message_that_ends_it():
    feed = spoken(stale_ns=SECOND)
    feed.build()
    feed.take_frames()

    feed.on_message(b"pong", 5 * SECOND)

    assert kinds(feed) == [Type.GAP, Type.RECOVERED]


def test_a_silent_connection_that_breaks_waits_for_a_snapshot():
    feed = spoken(stale_ns=SECOND)
    feed.build()
    feed.on_time(2 * SECOND)
    feed.take_frames()

    feed.on_disconnect(3 * SECOND)
    feed.on_message(b"pong", 4 * SECOND)

    assert kinds(feed) == [Type.GAP]
    assert feed.states["A-B"] is BookState.WAITING


def test_quotes_alone_are_silent_too_and_a_book_that_waits_stays_so():
    quotes = replace(LISTING, instrument=1, symbol="C-D", has_depth=False)
    feed = Spoken([LISTING, quotes], checks=Checks(stale_ns=SECOND))
    feed.start(1)
    feed.take_frames()

    feed.on_time(2 * SECOND)
    feed.on_message(b"pong", 3 * SECOND)

    rows = [np.frombuffer(raw, RECORDS["Control"])[0] for _, raw in feed.take_frames()]
    assert [(row["type"], row["instrument"]) for row in rows] == [(Type.GAP, 1), (Type.RECOVERED, 1)]


def test_nothing_is_silent_before_the_start_or_where_nobody_minds():
    begun, never = Spoken([LISTING]), spoken(stale_ns=0)

    for feed in (begun, never):
        assert feed.silent_at_ns == NEVER
        feed.on_time(NEVER - 1)
        assert feed.take_frames() == []


def test_times_of_the_checks_are_not_negative():
    with pytest.raises(ValueError, match="expected times of 0 ns or more, found -1 and 5"):
        Checks(clock_back_ns=-1, stale_ns=5)
