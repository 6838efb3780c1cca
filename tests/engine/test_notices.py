"""What a venue says besides orders, trades and states: strategies are told, and a halt of its systems stops trading."""

import numpy as np
import pytest
from tests.engine import desk as d
from tests.engine.desk import Desk

from openbell import events
from openbell.types import NO_INSTRUMENT, RECORDS, Check, TradingState, Type

HERE = 1
DROPPED, INVALIDATES = 32, 64
GAP_STALE = 3


@pytest.fixture
def quoting() -> Desk:
    return d.quoting_desk()


@pytest.mark.parametrize(
    "kind",
    [
        Type.IMBALANCE, Type.AUCTION_PRICES, Type.AUCTION_COLLAR, Type.DIRECT_LISTING, Type.BREAKER_LEVELS,
        Type.BREAKER, Type.SHORT_SALE, Type.PARTICIPANT, Type.IPO_QUOTING, Type.RETAIL_INTEREST, Type.FEED_CHECK,
    ],
)  # fmt: skip
def test_strategies_are_told_what_else_a_venue_says(quoting: Desk, kind: Type):
    said = d.market(kind, px=5, qty=-6, ref=7, order_id=8)

    quoting.feed(said)

    assert quoting.told is not None
    assert quoting.told["notices"] == said
    assert quoting.sent == []


def test_a_halt_of_the_venue_stops_trading_until_it_resumes(quoting: Desk):
    halted = d.market(Type.VENUE_HALT, flags=HERE, ref=TradingState.HALTED)
    resumed = d.market(Type.VENUE_HALT, flags=HERE, ref=TradingState.TRADING)

    quoting.feed(halted)
    assert [order["type"] for order in quoting.sent] == [Type.CANCEL_ORDER, Type.CANCEL_ORDER]
    assert quoting.engine.trading(0) == TradingState.HALTED
    quoting.feed(d.status(TradingState.QUOTE_ONLY))
    assert quoting.engine.trading(0) == TradingState.HALTED
    quoting.feed(resumed)
    assert quoting.engine.trading(0) == TradingState.QUOTE_ONLY


def test_a_halt_of_another_market_is_only_told(quoting: Desk):
    quoting.feed(d.market(Type.VENUE_HALT, ref=TradingState.HALTED))

    assert quoting.engine.trading(0) == TradingState.TRADING
    assert quoting.sent == []


def test_silence_takes_trust_from_the_books_until_the_feed_is_heard_again(quoting: Desk):
    def stale(kind: Type, code: int = 0) -> None:
        quoting.frame(events.control(kind, source=d.FEED, code=code, values=(9, 9)))

    stale(Type.GAP, GAP_STALE)
    assert not quoting.engine.is_book_valid(0)
    assert [order["type"] for order in quoting.sent] == [Type.CANCEL_ORDER, Type.CANCEL_ORDER]
    stale(Type.RECOVERED)
    assert quoting.engine.is_book_valid(0)


def checks(desk: Desk) -> list[tuple[Check, int]]:
    """The checks that strategies were told of by the last frame, with their flags."""
    assert desk.told is not None
    told = np.frombuffer(desk.told["notices"], RECORDS["Market"])
    return [(Check(int(r["ref"])), int(r["flags"])) for r in told if r["type"] == Type.FEED_CHECK]


def test_a_record_that_contradicts_the_book_is_told(quoting: Desk):
    quoting.feed(d.market(Type.BOOK_CANCEL, order_id=99, qty=1))

    assert checks(quoting) == [(Check.UNKNOWN_ORDER, DROPPED | INVALIDATES)]
    assert quoting.engine.check_count(Check.UNKNOWN_ORDER) == 1
    assert [order["type"] for order in quoting.sent] == [Type.CANCEL_ORDER, Type.CANCEL_ORDER]
    quoting.restored()


def test_a_crossed_book_is_told_and_not_valid_while_it_lasts(quoting: Desk):
    quoting.feed(d.add(60, d.BID, 1, buy=False), d.add(61, d.BID - 100, 1, buy=False))

    assert checks(quoting) == [(Check.CROSSED, INVALIDATES)]
    assert not quoting.engine.is_book_valid(0)
    assert [order["type"] for order in quoting.sent] == [Type.CANCEL_ORDER, Type.CANCEL_ORDER]
    quoting.restored()
    quoting.feed(d.market(Type.BOOK_CANCEL, order_id=61, qty=1))
    assert checks(quoting) == [(Check.LOCKED, 0)]
    assert quoting.engine.is_book_valid(0)


def test_a_frame_may_cross_in_its_middle(quoting: Desk):
    quoting.feed(d.add(60, d.BID - 100, 1, buy=False), d.market(Type.BOOK_CANCEL, order_id=60, qty=1))

    assert checks(quoting) == []
    assert quoting.engine.is_book_valid(0)


def test_a_book_that_crossed_in_a_pause_is_checked_when_trading_resumes(quoting: Desk):
    quoting.feed(d.status(TradingState.PAUSED))
    quoting.feed(d.add(60, d.BID - 100, 1, buy=False))
    assert checks(quoting) == []

    quoting.feed(d.status(TradingState.TRADING))

    assert checks(quoting) == [(Check.CROSSED, INVALIDATES)]


def test_a_check_of_the_edge_takes_trust_from_the_book(quoting: Desk):
    quoting.feed(d.market(Type.FEED_CHECK, ref=Check.MALFORMED, flags=INVALIDATES))

    assert not quoting.engine.is_book_valid(0)
    assert [order["type"] for order in quoting.sent] == [Type.CANCEL_ORDER, Type.CANCEL_ORDER]


def test_a_message_that_names_no_instrument_may_have_been_of_any():
    desk = d.trading_desk()

    desk.frame(d.market(Type.FEED_CHECK, NO_INSTRUMENT, ref=Check.MALFORMED, flags=INVALIDATES), source=d.FEED + 1)
    assert desk.engine.is_book_valid(0)  # another feed's
    desk.feed(d.market(Type.FEED_CHECK, NO_INSTRUMENT, ref=Check.MALFORMED, flags=INVALIDATES))

    assert [desk.engine.is_book_valid(n) for n in range(d.INSTRUMENTS_MAX)] == [False] * d.INSTRUMENTS_MAX
