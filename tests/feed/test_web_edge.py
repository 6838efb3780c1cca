"""The checks of the edge on a web venue's feed: marked, halted, put aside, and never a flood."""

from typing import Any

import numpy as np
import pytest

from openbell.errors import DecodeError
from openbell.feed.market_records import Listing
from openbell.feed.web_feed import Checks, Policy, WebFeed
from openbell.types import RECORDS, Check, Type

LISTING = Listing(0, "A-B", 1, 0, tick=5, lot=2, px_low=100, px_high=200, qty_max=50)
TS = 7


class Spoken(WebFeed):
    """A venue whose messages are Python's: levels, a trade, or something that cannot be read."""

    def _take(self, raw: bytes) -> None:
        raise DecodeError(f"expected a message, found {len(raw)} bytes")

    def _forget(self, symbol: str) -> None:
        pass

    def say(self, *bids: tuple[int, int]) -> bool:
        return self._change_book("A-B", list(bids), [], ts=TS, update=1)

    def trade(self, px: int, qty: int) -> None:
        self._trade("A-B", True, px, qty, ts=TS, trade_id=1)


def spoken(**policies: Policy) -> Spoken:
    feed = Spoken([LISTING], checks=Checks(**policies))
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
