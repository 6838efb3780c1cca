"""A strategy sees a venue that tells levels as one that tells orders: touch, depth, validity, once a frame."""

import numpy as np

from feed.web_market import LISTING, SYMBOL, Market
from openbell import Strategy, events
from openbell import _native as native
from openbell.feed.binance import BinanceFeed
from openbell.feed.market_records import Listing
from openbell.types import BUY, RECORDS, SELL, Type

FEED = 16


SEEN = []


class Recorder(Strategy):
    """Remembers what every on_book saw."""

    def on_book(self, _, book):
        touch = (book.bid_px, book.bid_qty, book.ask_px, book.ask_qty)
        SEEN.append((book.instrument, book.is_valid, touch, book.depth(BUY, 3), book.depth(SELL, 3)))


class Node:
    """An engine behind feeds, frame by frame."""

    def __init__(self):
        capacity = native.EngineCapacity()
        capacity.instruments_max = 4
        self.probe = native.EngineProbe(capacity)
        self.strategies = native.StrategyHost()
        self.strategies.add(1, "recorder", Recorder(), [SYMBOL, "ETHUSDT"])
        self.seq = 0
        self.take([(128, events.started(node=1, epoch=1, now_ns=1, seed=1))])

    def take(self, frames):
        """Give frames to the engine; what on_book saw of them."""
        before = len(SEEN)
        for _, raw in frames:
            self.seq += 1
            self.probe.decide(raw, self.seq, 1_000 * self.seq, FEED, self.seq, b"", self.strategies)
        return SEEN[before:]


def shown(market):
    bids, asks = market.sides()
    touch = (bids[0] if bids else (0, 0)) + (asks[0] if asks else (0, 0))
    return touch, [(*level, 0) for level in bids[:3]], [(*level, 0) for level in asks[:3]]


def test_every_update_is_one_on_book_that_sees_the_whole_of_it(rng):
    market, node = Market(rng), Node()
    feed = BinanceFeed([LISTING], is_futures=False)
    feed.start(1)
    feed.on_message(market.update(), 2)
    assert all(not is_valid for _, is_valid, *_ in node.take(feed.take_frames()))
    feed.on_snapshot(SYMBOL, market.snapshot(), 3)
    feed.on_message(market.update(), 4)
    seen = node.take(feed.take_frames())
    assert [is_valid for _, is_valid, *_ in seen] == [False, True, True]  # snapshot, Recovered, update
    for ts in range(5, 100):
        feed.on_message(market.update(), ts)
        seen = node.take(feed.take_frames())
        assert [s[2:] for s in seen] == [shown(market)]
        assert seen[0][1]


def test_a_gap_makes_the_book_of_its_own_instrument_invalid_and_no_other(rng):
    other = Listing(1, "ETHUSDT", 2, 3)
    market, node = Market(rng), Node()
    feed = BinanceFeed([LISTING, other], is_futures=False)
    feed.start(1)
    feed.on_message(market.update(), 2)
    feed.on_snapshot(SYMBOL, market.snapshot(), 3)
    feed.on_snapshot("ETHUSDT", b'{"lastUpdateId":5,"bids":[["1.00","1.000"]],"asks":[]}', 3)
    node.take(feed.take_frames())
    market.update()

    feed.on_message(market.update(), 4)
    seen = node.take(feed.take_frames())

    assert [(instrument, is_valid) for instrument, is_valid, *_ in seen] == [(0, False)]
    feed.on_snapshot(SYMBOL, market.snapshot(), 5)
    seen = node.take(feed.take_frames())
    assert seen[-1][:2] == (0, True)
    assert seen[-1][2:] == shown(market)


def test_quotes_alone_are_a_book_and_say_it_only_when_they_change():
    node = Node()
    feed = BinanceFeed([Listing(0, SYMBOL, 2, 3, has_depth=False)], is_futures=False)
    feed.start(1)
    for update, bid in ((1, "9.00"), (2, "9.00"), (3, "8.00")):
        raw = f'{{"u":{update},"s":"BTCUSDT","b":"{bid}","B":"1.000","a":"9.50","A":"2.000"}}'
        feed.on_message(raw.encode(), update)
    seen = node.take(feed.take_frames())
    assert [s[1:3] for s in seen] == [(True, (900, 1000, 950, 2000)), (True, (800, 1000, 950, 2000))]
    assert seen[-1][3] == [(800, 1000, 0)]


def test_a_level_for_a_book_by_order_is_a_fault_that_a_clear_mends():
    node = Node()
    instrument = LISTING.record(1)
    rows = np.zeros(3, RECORDS["Market"])
    rows["type"] = [Type.BOOK_ADD, Type.BOOK_LEVEL, Type.BOOK_CLEAR]
    rows["order_id"], rows["px"], rows["qty"], rows["flags"] = 1, 100, 5, 1
    seen = node.take([(128, instrument), *((48, row.tobytes()) for row in rows)])
    assert [is_valid for _, is_valid, *_ in seen] == [True, False, False]
    assert node.probe.engine.book_faults == 1


def test_an_engine_restored_with_books_by_price_goes_on_alike(rng):
    market, node = Market(rng), Node()
    feed = BinanceFeed([LISTING], is_futures=False)
    feed.start(1)
    feed.on_message(market.update(), 2)
    feed.on_snapshot(SYMBOL, market.snapshot(), 3)
    node.take(feed.take_frames())

    fresh = Node()
    fresh.probe.engine.load(node.probe.engine.save())
    fresh.seq = node.seq

    assert fresh.probe.engine.state_hash == node.probe.engine.state_hash
    for ts in range(4, 20):
        feed.on_message(market.update(), ts)
        frames = feed.take_frames()
        assert fresh.take(frames) == node.take(frames)
    assert fresh.probe.engine.state_hash == node.probe.engine.state_hash
