"""Binance's book of a seeded market: in order, with holes, duplicates, reordering, bad messages; and any bytes."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feed.web_market import LISTING, SYMBOL, Market, text
from openbell.feed.binance import BinanceFeed
from openbell.feed.market_records import Listing
from openbell.feed.web_feed import BookState, Checks, Policy
from openbell.types import BUY, RECORDS, SELL, Type

BOTH = pytest.mark.parametrize("is_futures", [False, True], ids=["spot", "usdm"])


class Reader:
    """What a strategy would know: it applies the frames and nothing else."""

    def __init__(self):
        self.is_valid = True
        self.sides = {BUY: {}, SELL: {}}
        self.types = []

    def take(self, feed):
        for size, raw in feed.take_frames():
            name = "Market" if size == 48 else "Control"
            for r in np.frombuffer(raw, RECORDS[name]):
                self.types.append(Type(int(r["type"])))
                self._apply(r)

    def _apply(self, r):
        kind = Type(int(r["type"]))
        if kind in (Type.GAP, Type.RECOVERED):
            self.is_valid = kind == Type.RECOVERED
        elif kind == Type.BOOK_CLEAR:
            self.sides = {BUY: {}, SELL: {}}
        elif kind == Type.BOOK_LEVEL:
            side = self.sides[BUY if r["flags"] & 1 else SELL]
            side.pop(int(r["px"]), None)
            if r["qty"]:
                side[int(r["px"])] = int(r["qty"])

    def book(self):
        return sorted(self.sides[BUY].items(), reverse=True), sorted(self.sides[SELL].items())


def started(market, checks=None):
    feed = BinanceFeed([LISTING], is_futures=market.is_futures, checks=checks)
    feed.start(1)
    return feed


def valid(market, checks=None):
    """A feed with a valid book, and its reader."""
    feed, reader = started(market, checks), Reader()
    feed.on_message(market.update(), 2)
    feed.on_snapshot(SYMBOL, market.snapshot(), 3)
    feed.on_message(market.update(), 4)
    reader.take(feed)
    assert feed.states[SYMBOL] is BookState.VALID
    assert feed.take_wanted() == []
    return feed, reader


@BOTH
def test_book_of_snapshot_and_updates_is_the_markets(rng, is_futures):
    market = Market(rng, is_futures)
    feed, reader = valid(market)
    for ts in range(5, 300):
        feed.on_message(market.update(), ts)
        reader.take(feed)
        assert reader.is_valid
        assert reader.book() == market.sides()
    assert feed.counters.gaps == 0


@BOTH
def test_a_snapshot_is_wanted_once_something_waits_and_refused_when_it_is_older(rng, is_futures):
    market = Market(rng, is_futures)
    for _ in range(5):
        market.change()
    old = market.snapshot()
    market.update()
    feed = started(market)
    assert feed.take_wanted() == []

    feed.on_message(market.update(), 2)
    assert feed.take_wanted() == [SYMBOL]
    feed.on_snapshot(SYMBOL, old, 3)

    assert feed.take_wanted() == [SYMBOL]
    assert feed.states[SYMBOL] is BookState.WAITING
    assert feed.counters.snapshots_refused == 1


@BOTH
def test_a_hole_makes_the_book_invalid_until_the_next_snapshot(rng, is_futures):
    market = Market(rng, is_futures)
    feed, reader = valid(market)
    market.update()  # lost on the way

    feed.on_message(market.update(), 5)
    reader.take(feed)
    assert not reader.is_valid
    assert feed.counters.gaps == feed.counters.faults["sequence"] == 1
    assert feed.take_wanted() == [SYMBOL]

    feed.on_message(market.update(), 6)
    feed.on_snapshot(SYMBOL, market.snapshot(), 7)
    feed.on_message(market.update(), 8)
    reader.take(feed)
    assert reader.is_valid
    assert reader.book() == market.sides()


@BOTH
def test_a_duplicate_changes_nothing(rng, is_futures):
    market = Market(rng, is_futures)
    feed, reader = valid(market)
    old = feed.counters.old
    update = market.update()
    feed.on_message(update, 5)
    feed.on_message(update, 6)
    reader.take(feed)
    assert reader.is_valid
    assert reader.book() == market.sides()
    assert feed.counters.old == old + 1


@BOTH
def test_two_updates_that_changed_places_are_a_gap_and_then_an_old_one(rng, is_futures):
    market = Market(rng, is_futures)
    feed, reader = valid(market)
    early, late = market.update(), market.update()
    feed.on_message(late, 5)
    reader.take(feed)
    assert not reader.is_valid

    feed.on_snapshot(SYMBOL, market.snapshot(), 6)
    old = feed.counters.old
    feed.on_message(early, 7)
    feed.on_message(market.update(), 8)
    reader.take(feed)
    assert reader.is_valid
    assert reader.book() == market.sides()
    assert feed.counters.old == old + 1


@BOTH
def test_any_loss_duplication_and_reordering_never_shows_a_wrong_valid_book(rng, is_futures):
    market = Market(rng, is_futures)
    feed, reader = started(market), Reader()
    truth = {}
    held = []
    for ts in range(2, 1500):
        update = market.update()
        truth[json.loads(update)["data"]["u"]] = market.sides()
        chance = rng.random()
        if chance < 0.02:
            continue
        if chance < 0.04:
            held.append(update)
            continue
        for message in [update] * (1 + (chance < 0.06)) + (held if chance > 0.97 else []):
            feed.on_message(message, ts)
        if chance > 0.97:
            held.clear()
        if rng.random() < 0.3:
            for symbol in feed.take_wanted():
                feed.on_snapshot(symbol, market.snapshot(), ts)
        reader.take(feed)
        number = feed._sequences[SYMBOL].last
        if reader.is_valid and number in truth:
            assert reader.book() == truth[number]
        assert reader.is_valid == (feed.states[SYMBOL] is BookState.VALID)
    assert feed.counters.gaps > 10


@pytest.mark.parametrize(
    ("damage", "is_book_hit"),
    [
        (lambda raw: raw[: len(raw) // 2], True),
        (lambda _: b"not json", True),
        (lambda raw: raw.replace(b'"U":', b'"U":-'), True),
        (lambda raw: raw.replace(b'"u":', b'"u":1e99, "x":'), True),
        (lambda raw: raw.replace(b'"b":', b'"b":[["NaN","1"]],"c":'), True),
        (lambda raw: raw.replace(b'"b":', b'"b":[["1.001","1"]],"c":'), True),
        (lambda raw: raw.replace(b'"b":', b'"b":[["1.00","99999999999999999999"]],"c":'), True),
        (lambda _: b'{"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT","p":1}}', False),
        (lambda _: b'{"stream":"btcusdt@bookTicker","data":{"u":1,"s":"BTCUSDT","b":"x"}}', False),
    ],
)
def test_a_malformed_message_is_kept_and_only_its_own_book_is_hit(rng, damage, is_book_hit):
    market = Market(rng)
    feed, reader = valid(market)
    bad = damage(market.update())
    feed.on_message(bad, 5)
    reader.take(feed)

    assert feed.counters.malformed == 1
    assert feed.quarantine[0].raw == bad[:256]
    assert "expected" in feed.quarantine[0].why
    assert reader.is_valid is not is_book_hit
    feed.on_message(market.update(), 6)
    for symbol in feed.take_wanted():
        feed.on_snapshot(symbol, market.snapshot(), 7)
    feed.on_message(market.update(), 8)
    reader.take(feed)
    assert reader.is_valid
    assert reader.book() == market.sides()


def test_a_crossed_book_is_told_before_its_levels_are_seen(rng):
    market = Market(rng)
    feed, reader = valid(market)
    raw = market.update()
    data = json.loads(raw)
    data["data"]["b"].append(["150.00", "1.000"])
    before = len(reader.types)
    feed.on_message(json.dumps(data).encode(), 5)
    reader.take(feed)
    assert reader.types[before] == Type.GAP
    assert not reader.is_valid
    assert feed.take_wanted() == [SYMBOL]


def test_policies_mark_and_halt(rng):
    market = Market(rng)
    feed, reader = valid(market, Checks(crossed=Policy.MARK, negative=Policy.HALT))
    data = json.loads(market.update())
    data["data"]["b"].append(["150.00", "1.000"])
    feed.on_message(json.dumps(data).encode(), 5)
    reader.take(feed)
    assert reader.is_valid
    assert feed.counters.faults == {"crossed": 1}

    data = json.loads(market.update())
    data["data"]["b"].append(["99.00", "-1.000"])
    feed.on_message(json.dumps(data).encode(), 6)
    reader.take(feed)
    assert not reader.is_valid
    assert feed.states[SYMBOL] is BookState.HALTED
    assert feed.take_wanted() == []
    feed.on_snapshot(SYMBOL, market.snapshot(), 7)
    assert feed.states[SYMBOL] is BookState.HALTED

    feed.resync(SYMBOL)
    assert feed.take_wanted() == [SYMBOL]
    feed.on_snapshot(SYMBOL, market.snapshot(), 8)
    assert feed.states[SYMBOL] is BookState.VALID


def test_a_failed_check_cannot_be_only_marked_when_the_book_is_wrong_after_it():
    with pytest.raises(ValueError, match="sequence"):
        Checks(sequence=Policy.MARK)


def test_more_updates_than_the_buffer_holds_need_a_newer_snapshot(rng):
    market = Market(rng)
    feed = BinanceFeed([LISTING], is_futures=False, buffered_max=3)
    feed.start(1)
    early = market.snapshot()
    for ts in range(2, 7):
        feed.on_message(market.update(), ts)
    assert feed.counters.dropped == 2
    feed.on_snapshot(SYMBOL, early, 7)
    assert feed.states[SYMBOL] is BookState.WAITING
    feed.on_snapshot(SYMBOL, market.snapshot(), 8)
    assert feed.states[SYMBOL] is BookState.VALID


def test_an_update_that_is_seen_in_parts_is_not_valid_between_them(rng):
    market = Market(rng)
    feed, reader = valid(market)
    data = json.loads(market.update())
    data["data"]["b"] += [[text(n, 2), "1.000"] for n in range(1, 5_000)]
    before = len(reader.types)
    feed.on_message(json.dumps(data).encode(), 5)
    reader.take(feed)
    kinds = reader.types[before:]
    assert (kinds[0], kinds[-1]) == (Type.GAP, Type.RECOVERED)
    assert kinds.count(Type.BOOK_LEVEL) == len(kinds) - 2 > 4_998
    assert reader.is_valid


def test_a_disconnect_makes_every_book_invalid(rng):
    feed, reader = valid(Market(rng))
    feed.on_disconnect(5)
    reader.take(feed)
    assert not reader.is_valid


def test_quotes_and_trades_carry_the_venues_numbers_and_sides():
    feed = BinanceFeed([Listing(3, SYMBOL, 2, 3, has_depth=False)], is_futures=False)
    ticker = b'{"u":7,"s":"BTCUSDT","b":"10.50","B":"1.000","a":"10.51","A":"2.500"}'
    trade = b'{"e":"trade","E":5,"s":"BTCUSDT","t":9,"p":"10.51","q":"0.100","T":4,"m":false,"M":true}'
    aggregate = b'{"e":"aggTrade","E":5,"s":"BTCUSDT","a":1,"p":"10.51","q":"0.100","f":1,"l":1,"T":4,"m":false}'
    for raw in (ticker, ticker, trade, trade, aggregate, b'{"result":null,"id":1}', trade.replace(b"BTC", b"ETH")):
        feed.on_message(raw, 1)
    rows = [r for _, raw in feed.take_frames() for r in np.frombuffer(raw, RECORDS["Market"]).tolist()]
    assert rows == [
        (Type.QUOTE, 1, 0, 3, 0, 0, 1050, 1000, 7),
        (Type.QUOTE, 0, 0, 3, 0, 0, 1051, 2500, 7),
        (Type.TRADE, 8, 0, 3, 4_000_000, 0, 1051, 100, 9),
    ]
    assert (feed.counters.old, feed.counters.control, feed.counters.unsubscribed) == (2, 2, 1)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_leave_the_feed_alive(raw):
    feed = BinanceFeed([LISTING], is_futures=False)
    feed.on_message(raw, 1)
    feed.on_snapshot(SYMBOL, raw, 2)
    assert feed.counters.messages == 2


SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = SCALAR | st.lists(SCALAR, max_size=3) | st.dictionaries(st.sampled_from("eEsUubapq"), SCALAR, max_size=4)
NUMBER = st.integers(0, 50)
ANY = dict.fromkeys(("E", "T", "t", "a", "b", "B", "A", "p", "q", "m", "U", "u", "pu"), JSON)
LEVELS = st.lists(
    st.tuples(st.integers(0, 500).map(lambda n: text(n, 2)), st.sampled_from(["1.5", "0", "-1"])), max_size=4
)
DEPTH = st.fixed_dictionaries(
    {
        "e": st.just("depthUpdate"),
        "s": st.just(SYMBOL),
        "U": NUMBER,
        "u": NUMBER,
        "E": NUMBER,
        "b": LEVELS,
        "a": LEVELS,
    },
    optional={"pu": NUMBER},
)
BROKEN = st.fixed_dictionaries(
    {"e": st.sampled_from(["depthUpdate", "trade", "aggTrade", "bookTicker"]), "s": st.just(SYMBOL)}, optional=ANY
)
SNAPSHOT = st.fixed_dictionaries({"lastUpdateId": NUMBER, "bids": LEVELS, "asks": LEVELS | JSON})


@BOTH
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(DEPTH | SNAPSHOT | BROKEN | JSON, max_size=6))
def test_any_json_is_counted_once_and_leaves_the_feed_alive(is_futures, events):
    feed = BinanceFeed([LISTING], is_futures=is_futures)
    for event in events:
        feed.on_message(json.dumps(event).encode(), 1)
    c = feed.counters
    told = (c.depth, c.quotes, c.trades, c.snapshots, c.control, c.unsubscribed, c.malformed)
    assert sum(told) == c.messages == len(events)
