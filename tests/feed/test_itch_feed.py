"""native/feed/itch_feed.h: each ITCH message becomes the record that the vocabulary says."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itch_messages import messages
from openbell import _native as native
from openbell.types import NO_INSTRUMENT, RECORDS, TradingState, Type
from oracles import itch
from oracles import itch_feed as oracle
from oracles.itch_feed import chars

CORPUS = Path(__file__).resolve().parents[2] / "native/fuzz/corpus/itch"
MIDNIGHT = 1_580_360_400_000_000_000  # 2020-01-30 00:00 in New York
BUY, WHOLE, AT_ORDER_PX, PRINTABLE = 1, 2, 4, 8
HEAD = {"locate": 13, "tracking": 5, "ts": 1_000}


def feed_of(*symbols: str) -> native.ItchFeed:
    """A feed that has seen the directory of ALC (locate 13) and BOB (14)."""
    feed = native.ItchFeed(list(symbols), MIDNIGHT, venue=2)
    for locate, symbol in [(13, "ALC"), (14, "BOB")]:
        feed.push(native.itch_encode({"type": "R", "locate": locate, "ts": 7, "symbol": symbol}))
    return feed


def markets(feed: native.ItchFeed) -> np.ndarray:
    return np.frombuffer(feed.take_markets(), dtype=RECORDS["Market"])


CASES = [
    (
        {"type": "A", "order_id": 77, "side": "B", "qty": 100, "symbol": "ALC", "px": 1_234_500},
        (Type.BOOK_ADD, BUY, 77, 1_234_500, 100, 0),
    ),
    (
        {"type": "F", "order_id": 77, "side": "S", "qty": 100, "symbol": "ALC", "px": 1_234_500, "mpid": "GSCO"},
        (Type.BOOK_ADD, 0, 77, 1_234_500, 100, chars("GSCO")),
    ),
    (
        {"type": "E", "order_id": 77, "qty": 40, "match_id": 9},
        (Type.BOOK_EXECUTE, AT_ORDER_PX | PRINTABLE, 77, 0, 40, 9),
    ),
    (
        {"type": "C", "order_id": 77, "qty": 40, "match_id": 9, "printable": "Y", "px": 5},
        (Type.BOOK_EXECUTE, PRINTABLE, 77, 5, 40, 9),
    ),
    (
        {"type": "C", "order_id": 77, "qty": 40, "match_id": 9, "printable": "N", "px": 5},
        (Type.BOOK_EXECUTE, 0, 77, 5, 40, 9),
    ),
    ({"type": "X", "order_id": 77, "qty": 40}, (Type.BOOK_CANCEL, 0, 77, 0, 40, 0)),
    ({"type": "D", "order_id": 77}, (Type.BOOK_CANCEL, WHOLE, 77, 0, 0, 0)),
    ({"type": "U", "order_id": 77, "new_order_id": 78, "qty": 60, "px": 6}, (Type.BOOK_MODIFY, 0, 77, 6, 60, 78)),
    (
        {"type": "P", "order_id": 0, "side": "B", "qty": 60, "symbol": "ALC", "px": 6, "match_id": 9},
        (Type.TRADE, PRINTABLE | BUY, 0, 6, 60, 9),
    ),
    (
        {"type": "Q", "qty": 2**40, "symbol": "ALC", "px": 6, "match_id": 9, "cross": "C"},
        (Type.TRADE, PRINTABLE, chars("C"), 6, 2**40, 9),
    ),
    ({"type": "B", "match_id": 9}, (Type.TRADE_BUST, 0, 0, 0, 0, 9)),
    (
        {"type": "H", "symbol": "ALC", "state": "H", "reason": "LUDP"},
        (Type.STATUS, 0, chars("LUDP"), 0, 0, TradingState.HALTED),
    ),
    ({"type": "h", "symbol": "ALC", "market": "Q", "action": "H"}, (Type.VENUE_HALT, 1, chars("QH"), 0, 0, 1)),
    ({"type": "h", "symbol": "ALC", "market": "B", "action": "T"}, (Type.VENUE_HALT, 0, chars("BT"), 0, 0, 4)),
    ({"type": "Y", "symbol": "ALC", "action": "1"}, (Type.SHORT_SALE, 0, chars("1"), 0, 0, 0)),
    (
        {"type": "L", "mpid": "GSCO", "symbol": "ALC", "primary": "Y", "mode": "N", "state": "A"},
        (Type.PARTICIPANT, 0, chars("GSCOYNA"), 0, 0, 0),
    ),
    (
        {"type": "K", "symbol": "ALC", "release_s": 36_000, "qualifier": "A", "px": 170_000},
        (Type.IPO_QUOTING, 0, chars("A"), 170_000, 0, MIDNIGHT + 36_000 * 10**9),
    ),
    ({"type": "K", "symbol": "ALC", "qualifier": "C"}, (Type.IPO_QUOTING, 0, chars("C"), 0, 0, 0)),
    (
        {"type": "J", "symbol": "ALC", "reference_px": 100, "upper_px": 105, "lower_px": 95, "extensions": 2},
        (Type.AUCTION_COLLAR, 0, 2, 100, 95, 105),
    ),
    ({"type": "N", "symbol": "ALC", "interest": "A"}, (Type.RETAIL_INTEREST, 0, chars("A"), 0, 0, 0)),
]


@pytest.mark.parametrize(
    "message, expected", CASES, ids=lambda case: str(case.get("type")) if isinstance(case, dict) else ""
)
def test_a_message_becomes_its_record(message: itch.Fields, expected: tuple[int, ...]):
    feed = feed_of()

    feed.push(native.itch_encode(HEAD | message))

    kind, flags, order_id, px, qty, ref = (int(v) for v in expected)
    assert markets(feed).tolist() == [(kind, flags, 5, 0, MIDNIGHT + 1_000, order_id, px, qty, ref)]


def test_an_imbalance_is_two_records_and_loses_nothing():
    feed = feed_of()
    prices = {"far_px": 7, "near_px": 8, "reference_px": 6}

    for direction in "SB":
        quantities = {"paired_qty": 500, "imbalance_qty": 20, "direction": direction, "cross": "C", "variation": "L"}
        feed.push(native.itch_encode(HEAD | {"type": "I", "symbol": "ALC"} | quantities | prices))

    assert [row[0:2] + row[5:] for row in markets(feed).tolist()] == [
        (Type.IMBALANCE, 0, chars("SCL"), 6, -20, 500),
        (Type.AUCTION_PRICES, 0, chars("SCL"), 7, 8, 6),
        (Type.IMBALANCE, 0, chars("BCL"), 6, 20, 500),
        (Type.AUCTION_PRICES, 0, chars("BCL"), 7, 8, 6),
    ]


def test_a_direct_listing_is_its_range_and_its_collar():
    feed = feed_of()
    px = {"min_px": 80, "max_px": 120, "near_px": 100, "lower_px": 90, "upper_px": 110}

    feed.push(native.itch_encode(HEAD | {"type": "O", "symbol": "ALC", "open_eligible": "Y", "near_ts": 5} | px))

    prices = np.frombuffer(feed.take_markets(), dtype=RECORDS["Prices"])
    assert prices["type"].tolist() == [Type.DIRECT_LISTING, Type.AUCTION_COLLAR]
    assert prices["flags"].tolist() == [1, 0]
    assert prices["code"].tolist() == [MIDNIGHT + 5, 0]
    assert prices["px"].tolist() == [[80, 120, 100], [100, 90, 110]]


def test_the_market_wide_breaker_is_of_no_instrument():
    feed = native.ItchFeed(["ALC"], MIDNIGHT)

    feed.push(native.itch_encode({"type": "V", "level1_px8": 3, "level2_px8": 2, "level3_px8": 1}))
    feed.push(native.itch_encode({"type": "W", "level": "2"}))

    rows = markets(feed).tolist()
    assert [row[3] for row in rows] == [NO_INSTRUMENT, NO_INSTRUMENT]
    assert [row[0:2] + row[5:] for row in rows] == [
        (Type.BREAKER_LEVELS, 0, 0, 3, 2, 1),
        (Type.BREAKER, 0, chars("2"), 0, 0, 2),
    ]


def test_an_ipo_without_a_locate_is_found_by_its_symbol():
    feed = feed_of()

    for symbol in ("BOB", "WHO"):
        feed.push(native.itch_encode({"type": "K", "locate": 0, "symbol": symbol, "px": 5}))

    assert markets(feed)["instrument"].tolist() == [1]
    assert feed.counters["unsubscribed"] == 1


@st.composite
def streams(draw: st.DrawFn) -> list[bytes]:
    """Messages of a few locates: whole, cut, longer than known, and of no known type."""
    found = []
    for fields in draw(st.lists(messages(locates=st.integers(0, 3)), max_size=30)):
        message = itch.encode(fields)
        end = draw(st.sampled_from(["whole", "whole", "whole", "cut", "longer", "unknown"]))
        if end == "cut":
            message = message[: draw(st.integers(0, len(message) - 1))]
        elif end == "longer":
            message += draw(st.binary(max_size=9))
        elif end == "unknown":
            message = draw(st.binary(max_size=60))
        found.append(message)
    directory = [itch.encode(directory_of(locate)) for locate in draw(st.sets(st.integers(0, 3)))]
    return directory + found


def directory_of(locate: int) -> itch.Fields:
    fields = itch.decode(native.itch_encode({"type": "R", "locate": locate, "symbol": f"S{locate}"}))
    assert fields
    return fields


@settings(max_examples=int(os.environ.get("OPENBELL_EXAMPLES", "300")))
@given(streams())
def test_any_stream_becomes_the_records_of_the_oracle(stream: list[bytes]):
    feed, slow = native.ItchFeed([], MIDNIGHT), oracle.ItchFeed(MIDNIGHT)

    for message in stream:
        feed.push(message)
    rows = [row for message in stream for row in slow.push(message)]

    assert markets(feed).tolist() == rows
    assert feed.counters == slow.counters


@pytest.mark.parametrize("name", sorted(path.name for path in CORPUS.iterdir()))
def test_the_corpus_becomes_the_records_of_the_oracle(name: str):
    data = (CORPUS / name).read_bytes()
    feed, slow = native.ItchFeed([], MIDNIGHT), oracle.ItchFeed(MIDNIGHT)

    used = feed.push_framed(data)

    assert markets(feed).tolist() == [row for message in itch.read_file(data[:used]) for row in slow.push(message)]
    assert feed.counters == slow.counters


@pytest.mark.parametrize(
    "event, state",
    [
        ("O", TradingState.UNKNOWN),
        ("S", TradingState.UNKNOWN),
        ("Q", TradingState.TRADING),
        ("M", TradingState.CLOSED),
        ("E", TradingState.UNKNOWN),
        ("C", TradingState.UNKNOWN),
    ],
)
def test_a_system_event_is_a_status_of_no_instrument(event: str, state: TradingState):
    feed = native.ItchFeed(["ALC"], MIDNIGHT)

    feed.push(native.itch_encode({"type": "S", "tracking": 1, "ts": 9, "event": event}))

    status = (int(Type.STATUS), 0, 1, NO_INSTRUMENT, MIDNIGHT + 9, chars(event), 0, 0, int(state))
    assert markets(feed).tolist() == [status]


@pytest.mark.parametrize(
    "letter, state",
    [
        ("H", TradingState.HALTED),
        ("P", TradingState.PAUSED),
        ("Q", TradingState.QUOTE_ONLY),
        ("T", TradingState.TRADING),
        ("?", TradingState.UNKNOWN),
    ],
)
def test_a_trading_action_names_the_state(letter: str, state: TradingState):
    feed = feed_of()

    feed.push(native.itch_encode(HEAD | {"type": "H", "symbol": "ALC", "state": letter}))

    assert markets(feed)["ref"].tolist() == [int(state)]


def test_the_directory_becomes_an_instrument():
    feed = native.ItchFeed(["ALC"], MIDNIGHT, venue=2)
    listing = {"market": "G", "financial_status": "D", "round_lots_only": "Y", "classification": "F", "sub_type": "AB"}
    listing |= {"authenticity": "T", "short_sale_threshold": "Y", "ipo": " ", "luld_tier": "2", "etp": "Z"}
    sizes = {"round_lot": 10, "etp_leverage": 3, "inverse": "N"}
    feed.push(native.itch_encode({"type": "R", "locate": 13, "ts": 7, "symbol": "ALC"} | listing | sizes))

    instruments = np.frombuffer(feed.take_instruments(), dtype=RECORDS["Instrument"])

    assert len(instruments) == 1
    found = {name: instruments[0][name] for name in instruments.dtype.names}
    expected = {
        "type": Type.INSTRUMENT, "venue": 2, "instrument": 0, "ts_event": MIDNIGHT + 7, "symbol": b"ALC",
        "currency": b"USD", "locate": 13, "px_decimals": 4, "qty_decimals": 0, "tick": 100, "lot": 1,
        "multiplier": 1, "valid_from": MIDNIGHT, "calendar": b"XNAS", "round_lot": 10, "etp_leverage": 3,
        "listing": b"GDYFABTY 2ZN",
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected


def test_other_symbols_are_dropped_and_counted():
    feed = feed_of("BOB")

    for locate in (13, 14, 15):
        feed.push(native.itch_encode({"type": "D", "locate": locate, "order_id": locate}))

    assert markets(feed)["order_id"].tolist() == [14]
    assert feed.counters["unsubscribed"] == 3  # the directory of ALC, and two deletes
    assert feed.counters["markets"] == feed.counters["instruments"] == 1


def test_what_makes_no_market_data_is_counted_by_reason():
    feed = feed_of()
    for message in [
        b"?" + bytes(40),
        b"",
        native.itch_encode(HEAD | {"type": "D"})[:-1],
        native.itch_encode(HEAD | {"type": "Q", "qty": 2**63}),
        native.itch_encode(HEAD | {"type": "I", "imbalance_qty": 2**63}),
    ]:
        feed.push(message)

    assert markets(feed)["type"].tolist() == [Type.FEED_CHECK] * 4  # of what is malformed
    counters = feed.counters
    assert (counters["unknown"], counters["malformed"]) == (1, 4)
    assert counters["messages"] == 7


def test_a_whole_file_becomes_its_records(shared_data: Path):
    data = (shared_data / "itch50" / "nasdaq_20200130_AAPL_first4000.itch").read_bytes()
    feed = native.ItchFeed(["AAPL"], MIDNIGHT)

    assert feed.push_framed(data) == len(data)

    records = markets(feed)
    messages = [m for m in map(itch.decode, itch.read_file(data)) if m and m["type"] != "R"]
    assert len(records) == len(messages) == 3999
    assert records["ts_event"].tolist() == [MIDNIGHT + int(m["ts"]) for m in messages]
    assert records["order_id"][records["type"] == Type.BOOK_ADD].tolist() == [
        m["order_id"] for m in messages if m["type"] == "A"
    ]
    assert set(records["instrument"].tolist()) == {0}


def test_a_file_cut_anywhere_is_used_up_to_its_last_whole_message():
    framed = [len(m).to_bytes(2, "big") + m for m in (native.itch_encode(HEAD | {"type": "D"}), b"", b"?")]
    data = b"".join(framed)

    used = [native.ItchFeed().push_framed(data[:n]) for n in range(len(data) + 1)]

    ends = [0, len(framed[0]), len(framed[0]) + 2, len(data)]
    assert used == [max(end for end in ends if end <= n) for n in range(len(data) + 1)]


@pytest.mark.parametrize("limits, tick", [(None, 100), ({"px_high": 20_000}, 100), ({"tick": 500}, 500)])
def test_the_tick_is_the_configured_one_or_a_cent(limits: dict[str, int] | None, tick: int):
    checks = native.EdgeConfig()
    if limits is not None:
        checks.add_limits("ALC", **limits)
    feed = native.ItchFeed([], MIDNIGHT, checks=checks)

    for symbol in ("ALC", "OTHER"):
        feed.push(native.itch_encode(HEAD | {"type": "R", "symbol": symbol}))

    instruments = np.frombuffer(feed.take_instruments(), dtype=RECORDS["Instrument"])
    assert instruments["tick"].tolist() == [tick, 100]
