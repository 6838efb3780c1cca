"""What a venue says besides orders, trades and states: strategies are told, and a halt of its systems stops trading."""

import pytest
from tests.engine import desk as d
from tests.engine.desk import Desk

from openbell import events
from openbell.types import TradingState, Type

HERE = 1
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
