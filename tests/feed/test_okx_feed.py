"""OKX's books: every checksum of a recording, and what a wrong one, a hole or a bad message does."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openbell.backtest.tape_okx import import_okx
from openbell.backtest.web_lines import web_lines
from openbell.feed.market_records import Listing
from openbell.feed.okx import OkxFeed
from openbell.feed.web_feed import BookState
from openbell.journal import open_journal
from openbell.types import RECORDS, Type

CAPTURE = "OKX.ws.1.0.gz"
SYMBOLS = {"BTC-USD-220527": (1, 0), "UNI-USD-SWAP": (3, 0), "BTC-USDT": (1, 8)}
LISTINGS = [Listing(i, symbol, *decimals) for i, (symbol, decimals) in enumerate(SYMBOLS.items())]
LISTING = Listing(0, "A-B", 1, 0)


def lines(shared_data):
    return list(web_lines(shared_data / "crypto_ws_captures" / CAPTURE))


def played(shared_data, change=lambda _, body: [body]):
    feed = OkxFeed(LISTINGS)
    feed.start(1)
    for number, line in enumerate(lines(shared_data)):
        for body in change(number, line.body):
            feed.on_message(body, line.ts_recv)
    return feed


def kinds(feed):
    return [Type(int(raw[at])) for size, raw in feed.take_frames() for at in range(0, len(raw), size)]


def test_every_checksum_of_the_recording_is_right(shared_data):
    feed = played(shared_data)
    assert (feed.counters.checksums, feed.counters.faults, feed.counters.malformed) == (290, {}, 0)
    assert set(feed.states.values()) == {BookState.VALID}
    assert (feed.counters.snapshots, feed.counters.depth, feed.counters.trades) == (3, 287, 74)


def test_a_lost_update_is_found_by_the_checksum_and_only_its_book_is_hit(shared_data):
    updates = [n for n, line in enumerate(lines(shared_data)) if b'"update"' in line.body and b"BTC-USDT" in line.body]
    feed = played(shared_data, lambda n, body: [] if n == updates[5] else [body])
    assert feed.counters.faults == {"checksum": 1}
    assert feed.take_wanted() == ["BTC-USDT"]
    assert [s for s, state in feed.states.items() if state is not BookState.VALID] == ["BTC-USDT"]
    assert feed.counters.dropped == len(updates) - 7


def test_a_snapshot_after_a_wrong_checksum_makes_the_book_valid_again(shared_data):
    snapshot = next(line.body for line in lines(shared_data) if b'"snapshot"' in line.body and b"UNI" in line.body)
    feed = OkxFeed(LISTINGS)
    feed.start(1)
    feed.on_message(snapshot, 2)
    wrong = snapshot.replace(b'"snapshot"', b'"update"').replace(b'"5.148","60"', b'"5.148","61"')
    kinds(feed)
    feed.on_message(wrong, 3)
    assert kinds(feed) == [Type.GAP]
    assert feed.take_wanted() == ["UNI-USD-SWAP"]
    feed.on_message(snapshot, 4)
    assert kinds(feed)[-1] == Type.RECOVERED


def test_the_tape_has_the_books_that_the_feed_had(shared_data, tmp_path):
    imported = import_okx(shared_data / "crypto_ws_captures" / CAPTURE, tmp_path / "t", symbols=["BTC-USDT"])
    frames = list(open_journal(tmp_path / "t"))
    instrument = np.frombuffer(frames[0].raw.tobytes(), RECORDS["Instrument"])[0]
    assert (instrument["symbol"], instrument["px_decimals"], instrument["calendar"]) == (b"BTC-USDT", 1, b"OKX")
    assert [f.raw[0, 0] for f in frames].count(Type.GAP) == 1
    assert imported.unsubscribed > 0
    assert sum(len(f.raw) for f in frames) == imported.records


def book(action="update", *, bids=(), asks=(), **more):
    data = {"bids": [[p, q, "0", "1"] for p, q in bids], "asks": [[p, q, "0", "1"] for p, q in asks], "ts": "5", **more}
    return json.dumps({"arg": {"channel": "books", "instId": "A-B"}, "action": action, "data": [data]}).encode()


def with_book(**more):
    feed = OkxFeed([LISTING])
    feed.start(1)
    feed.on_message(book("snapshot", bids=[("10.0", "5")], asks=[("10.5", "7")], **more), 2)
    assert feed.states["A-B"] is BookState.VALID
    return feed


@pytest.mark.parametrize(
    ("seq", "prev", "state"),
    [
        (12, 10, BookState.VALID),
        (10, 10, BookState.VALID),  # a sign of life
        (3, 10, BookState.VALID),  # the venue's restart
        (12, 11, BookState.WAITING),  # 11 was lost
        (9, 8, BookState.VALID),  # old: counted, not applied
    ],
)
def test_sequence_numbers_are_checked_where_there_are_any(seq, prev, state):
    feed = with_book(seqId=10, prevSeqId=-1)
    feed.on_message(book(bids=[("10.0", "9")], seqId=seq, prevSeqId=prev), 3)
    assert feed.states["A-B"] is state
    expected = 5 if state is BookState.WAITING or seq == 9 else 9
    assert feed.touch("A-B")[1] == expected


def test_a_checksum_of_zero_says_nothing():
    feed = with_book(checksum=0)
    assert feed.counters.checksums == 0


@pytest.mark.parametrize(
    "bad",
    [book(bids=[("10.05", "1")]), book("neither"), b'{"arg":{"channel":"books","instId":"A-B"},"data":[1]}', b"{"],
)
def test_a_malformed_book_message_needs_a_snapshot(bad):
    feed = with_book()
    feed.on_message(bad, 3)
    assert (feed.counters.malformed, feed.take_wanted()) == (1, ["A-B"])


SCALAR = st.none() | st.booleans() | st.integers() | st.text(max_size=6)
TEXT = st.sampled_from(["1.0", "2.5", "-1", "x", "", "9" * 30, "1e5"])
SIDE = st.lists(st.tuples(TEXT, TEXT, TEXT, TEXT) | st.tuples(TEXT), max_size=4)
DATA = st.fixed_dictionaries(
    {}, optional={"bids": SIDE, "asks": SIDE, "ts": TEXT | st.just("5"), "checksum": SCALAR, "seqId": SCALAR}
    | {"px": TEXT, "sz": TEXT, "side": st.sampled_from(["buy", "sell", "x"]), "tradeId": st.sampled_from(["7", "x"])}
    | {"bidPx": TEXT, "bidSz": TEXT, "askPx": TEXT, "askSz": TEXT}
)  # fmt: skip
MESSAGE = st.fixed_dictionaries({
    "arg": st.fixed_dictionaries({
        "channel": st.sampled_from(["books", "trades", "tickers"]), "instId": st.sampled_from(["A-B", "C-D"])
    }),
    "action": st.sampled_from(["snapshot", "update"]) | SCALAR,
    "data": st.lists(DATA, max_size=2) | SCALAR,
})  # fmt: skip


@settings(deadline=None)
@given(st.lists(MESSAGE.map(lambda m: json.dumps(m).encode()) | st.binary(max_size=60), max_size=6))
def test_any_message_leaves_the_feed_alive(messages):
    feed = with_book()
    for raw in messages:
        feed.on_message(raw, 3)
    assert feed.counters.messages == 1 + len(messages)
