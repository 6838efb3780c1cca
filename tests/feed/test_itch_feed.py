"""native/feed/itch_feed.h: each ITCH message becomes the record that the vocabulary says."""

from pathlib import Path

import numpy as np
import pytest

from openbell import _native as native
from openbell.types import NO_INSTRUMENT, RECORDS, TradingState, Type
from oracles import itch

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


def chars(text: str) -> int:
    return int.from_bytes(text.encode(), "little")


CASES = [
    (
        {"type": "A", "order_id": 77, "side": "B", "qty": 100, "symbol": "ALC", "px": 1_234_500},
        (Type.BOOK_ADD, BUY, 77, 1_234_500, 100, 0),
    ),
    (
        {"type": "F", "order_id": 77, "side": "S", "qty": 100, "symbol": "ALC", "px": 1_234_500, "mpid": "GSCO"},
        (Type.BOOK_ADD, 0, 77, 1_234_500, 100, 0),
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
    (
        {"type": "I", "paired_qty": 500, "imbalance_qty": 20, "direction": "S", "reference_px": 6, "cross": "C"},
        (Type.IMBALANCE, 0, chars("SC "), 6, -20, 500),
    ),
    (
        {"type": "I", "paired_qty": 500, "imbalance_qty": 20, "direction": "B", "reference_px": 6, "cross": "O"},
        (Type.IMBALANCE, 0, chars("BO "), 6, 20, 500),
    ),
]


@pytest.mark.parametrize(
    "message, expected", CASES, ids=lambda case: str(case.get("type")) if isinstance(case, dict) else ""
)
def test_a_message_becomes_its_record(message: itch.Fields, expected: tuple[int, ...]):
    feed = feed_of()

    feed.push(native.itch_encode(HEAD | message))

    kind, flags, order_id, px, qty, ref = (int(v) for v in expected)
    assert markets(feed).tolist() == [(kind, flags, 5, 0, MIDNIGHT + 1_000, order_id, px, qty, ref)]


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
    feed = feed_of("ALC")

    instruments = np.frombuffer(feed.take_instruments(), dtype=RECORDS["Instrument"])

    assert len(instruments) == 1
    found = {name: instruments[0][name] for name in instruments.dtype.names}
    expected = {
        "type": Type.INSTRUMENT, "venue": 2, "instrument": 0, "ts_event": MIDNIGHT + 7, "symbol": b"ALC",
        "currency": b"USD", "locate": 13, "px_decimals": 4, "qty_decimals": 0, "tick": 100, "lot": 1,
        "multiplier": 1, "valid_from": MIDNIGHT, "calendar": b"XNAS",
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected


def test_other_symbols_are_dropped_and_counted():
    feed = feed_of("BOB")

    for locate in (13, 14, 15):
        feed.push(native.itch_encode({"type": "D", "locate": locate, "order_id": locate}))

    assert markets(feed)["order_id"].tolist() == [14]
    assert feed.counters["unsubscribed"] == 3  # the directory of ALC, and two deletes
    assert feed.counters["markets"] == feed.counters["instruments"] == 1


def test_what_makes_no_record_is_counted_by_reason():
    feed = feed_of()
    for message in [
        native.itch_encode({"type": "Y", "symbol": "ALC"}),
        b"?" + bytes(40),
        b"",
        native.itch_encode(HEAD | {"type": "D"})[:-1],
        native.itch_encode(HEAD | {"type": "Q", "qty": 2**63}),
        native.itch_encode(HEAD | {"type": "I", "imbalance_qty": 2**63}),
    ]:
        feed.push(message)

    assert len(markets(feed)) == 0
    counters = feed.counters
    assert (counters["ignored"], counters["unknown"], counters["malformed"]) == (1, 1, 4)
    assert counters["messages"] == 8


def test_a_whole_file_becomes_its_records(shared_data: Path):
    data = (shared_data / "itch50" / "nasdaq_20200130_AAPL_first4000.itch").read_bytes()
    feed = native.ItchFeed(["AAPL"], MIDNIGHT)

    assert feed.push_framed(data) == len(data)

    records = markets(feed)
    messages = [m for m in map(itch.decode, itch.read_file(data)) if m and m["type"] in "ADEPXH"]
    assert len(records) == len(messages) == 3946
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
