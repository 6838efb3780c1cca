"""Hyperliquid: every message is the book."""

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from openbell.backtest.web_lines import web_lines
from openbell.feed.hyperliquid import HyperliquidFeed
from openbell.feed.market_records import Listing
from openbell.feed.web_feed import BookState
from openbell.types import RECORDS, Type

LISTING = Listing(0, "BTC", 1, 5)


def test_after_every_message_the_book_is_the_last_one(shared_data):
    feed = HyperliquidFeed([LISTING])
    feed.start(1)
    trades = 0
    for line in web_lines(shared_data / "crypto_ws_captures" / "hyperliquid_btcusd_20250126.gz"):
        feed.on_message(line.body, line.ts_recv)
        message = json.loads(line.body)
        if message["channel"] == "l2Book":
            bid, ask = (side[0] for side in message["data"]["levels"])
            expected = (bid["px"], 1), (bid["sz"], 5), (ask["px"], 1), (ask["sz"], 5)
            assert feed.touch("BTC") == tuple(round(float(text) * 10**decimals) for text, decimals in expected)
        else:
            trades += len(message["data"])
    assert (feed.counters.snapshots, feed.counters.trades, feed.counters.malformed) == (46, trades, 0)
    assert feed.states["BTC"] is BookState.VALID
    told = [
        Type(int(r["type"]))
        for size, raw in feed.take_frames()
        if size == 48
        for r in np.frombuffer(raw, RECORDS["Market"])
    ]
    assert (told.count(Type.BOOK_CLEAR), told.count(Type.BOOK_LEVEL), told.count(Type.TRADE)) == (46, 46 * 40, trades)


def message(time, px="10.0"):
    levels = [[{"px": px, "sz": "1.5", "n": 1}], [{"px": "11.0", "sz": "2.5", "n": 1}]]
    return json.dumps({"channel": "l2Book", "data": {"coin": "BTC", "levels": levels, "time": time}}).encode()


def test_an_older_book_is_dropped_and_a_crossed_one_is_mended_by_the_next():
    feed = HyperliquidFeed([LISTING])
    feed.on_message(message(5), 1)
    feed.on_message(message(4, "9.0"), 2)
    assert (feed.counters.old, feed.touch("BTC")[0]) == (1, 100)
    feed.on_message(message(6, "11.0"), 3)
    assert (feed.states["BTC"], feed.counters.faults) == (BookState.WAITING, {"crossed": 1})
    feed.on_message(message(7), 4)
    assert feed.states["BTC"] is BookState.VALID


@settings(deadline=None)
@given(st.binary(max_size=80) | st.sampled_from([message(1), message(2), message(1, "x")]).flatmap(
    lambda raw: st.integers(0, len(raw)).map(lambda n: raw[:n])
))  # fmt: skip
def test_any_bytes_leave_the_feed_alive(raw):
    feed = HyperliquidFeed([LISTING])
    feed.on_message(raw, 1)
    assert feed.counters.messages == 1
