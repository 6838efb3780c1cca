"""Files of market data as tapes: every record of the feed, in frames of one moment, the same bytes every time."""

import gzip
from datetime import date

import numpy as np
import pytest

from openbell._native import SYNTHETIC_TIME, Books, ItchFeed, itch_encode
from openbell.backtest.tape_directory import date_in_name, midnight_ns
from openbell.backtest.tape_import import import_tape
from openbell.errors import ConfigError, DecodeError, JournalError
from openbell.exchange.lobster_file import load_lobster
from openbell.journal import open_journal
from openbell.types import Type

FEED = 16
DAY = date(2020, 1, 30)
AAPL = "itch50/nasdaq_20200130_AAPL_first4000.itch"


def framed(*messages):
    return b"".join(len(m).to_bytes(2) + m for m in messages)


def add(ts, order_id=1, tracking=0):
    head = {"type": "A", "locate": 1, "tracking": tracking, "ts": ts}
    return itch_encode(head | {"order_id": order_id, "side": "B", "qty": 10, "symbol": "TEST", "px": 100_0000})


def directory(ts=0, locate=1, symbol="TEST"):
    return itch_encode({"type": "R", "locate": locate, "ts": ts, "symbol": symbol})


def bytes_of(tape):
    return {path.name: path.read_bytes() for path in sorted(tape.iterdir())}


@pytest.fixture
def file_of(tmp_path):
    def write(content, name="20200130.itch"):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


def test_a_tape_holds_what_the_feed_makes_of_the_file(shared_data, tmp_path):
    feed = ItchFeed(midnight_ns=midnight_ns(DAY))
    feed.push_framed((shared_data / AAPL).read_bytes())

    imported = import_tape(shared_data / AAPL, tmp_path / "tape")

    tape = open_journal(tmp_path / "tape", check_crc=True)
    assert b"".join(a.tobytes() for a in tape.arrays("Market")) == feed.take_markets()
    assert b"".join(a.tobytes() for a in tape.arrays("Instrument")) == feed.take_instruments()
    assert (imported.messages, imported.frames) == (4_000, len(list(tape)))


def test_a_frame_is_one_moment_of_the_feed_and_admits_that_its_time_is_synthetic(file_of, tmp_path):
    file = file_of(framed(directory(5), add(7, 1), add(7, 2, tracking=9), add(8, 3)))

    import_tape(file, tmp_path / "tape")

    midnight, flag = midnight_ns(DAY), SYNTHETIC_TIME
    rows = [
        (f.frame_class, f.source, f.source_seq, f.ts_recv - midnight, f.ts_seq - midnight, f.flags, len(f.raw))
        for f in open_journal(tmp_path / "tape")
    ]
    assert rows == [(1, FEED, 1, 5, 5, flag, 1), (1, FEED, 2, 7, 7, flag, 2), (1, FEED, 4, 8, 8, flag, 1)]


def test_a_moment_of_many_messages_fills_several_frames(file_of, tmp_path):
    file = file_of(framed(directory(), *(add(7, n) for n in range(2_500))))

    import_tape(file, tmp_path / "tape")

    assert [len(f.raw) for f in open_journal(tmp_path / "tape")] == [1, 1_024, 1_024, 452]


@pytest.mark.parametrize("name", ["a.20200130.gz", "b.01302020.NASDAQ_ITCH50"])
def test_the_same_messages_give_the_same_bytes_however_they_are_cut(shared_data, file_of, tmp_path, monkeypatch, name):
    content = (shared_data / AAPL).read_bytes()
    import_tape(shared_data / AAPL, tmp_path / "whole")
    monkeypatch.setattr("openbell.backtest.tape_import.CHUNK_BYTES", 37)

    import_tape(file_of(gzip.compress(content) if name.endswith("gz") else content, name), tmp_path / "cut")

    assert bytes_of(tmp_path / "cut") == bytes_of(tmp_path / "whole")


def test_only_the_symbols_that_were_asked_for(file_of, tmp_path):
    file = file_of(framed(directory(), directory(1, 2, "OTHER"), add(7)))

    imported = import_tape(file, tmp_path / "tape", symbols=["OTHER"])

    assert (imported.records, imported.unsubscribed) == (1, 2)


def test_a_lobster_tape_has_a_frame_per_row_and_gives_its_book(shared_data, tmp_path):
    file = shared_data / "lobster/LOBSTER_SampleFile_AMZN_2012-06-21_1.zip"
    day = load_lobster(file)

    import_tape(file, tmp_path / "tape")

    books, touches, times = Books(1, 100_000), [], []
    books.add_instrument(0)
    for frame in open_journal(tmp_path / "tape"):
        if frame.raw[0, 0] < Type.STATUS.value:
            books.apply(frame.raw)
            touches.append(books.touch(0))
            times.append(frame.ts_recv)
    assert books.is_valid(0)
    assert np.array_equal(touches, day.book[:, [2, 3, 0, 1]])  # both sides of this day are never empty
    assert np.array_equal(times, day.time_ns + midnight_ns(date(2012, 6, 21)))


def test_midnight_is_new_yorks():
    assert midnight_ns(date(2012, 6, 21)) == 1_340_251_200_000_000_000  # 04:00 UTC, summer
    assert midnight_ns(DAY) == 1_580_360_400_000_000_000  # 05:00 UTC, winter


@pytest.mark.parametrize(
    "name",
    ["AAPL_2020-01-30.itch", "nasdaq_20200130_AAPL.itch", "01302020.NASDAQ_ITCH50.gz", "S013020-v50.txt.gz"],
)
def test_the_date_is_in_the_name(name):
    assert date_in_name(name) == DAY


def test_a_name_without_a_date_asks_for_one(file_of, tmp_path):
    file = file_of(framed(directory()), "day.itch")

    with pytest.raises(ConfigError, match=r"expected a date.*20200130, found 'day\.itch'; give it with --date"):
        import_tape(file, tmp_path / "tape")

    assert import_tape(file, tmp_path / "tape", day=DAY).records == 1


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "no message at byte 0"),
        (b"hello world, this is text", "the end of the file inside a message at byte 0"),
        (framed(directory()) + b"\0\0", "a message of 0 bytes at byte 41"),
        (framed(directory()) + framed(add(7))[:-1], "the end of the file inside a message at byte 41"),
        (framed(directory(), add(7)[:-1]), "type 'A' in 35 bytes at byte 41"),
        (framed(b"?" * 20), "type '[?]' in 20 bytes at byte 0"),
        (gzip.compress(framed(directory(), add(7)), mtime=0)[:-12], "damaged near byte"),
    ],
)
def test_a_file_that_is_no_whole_itch_day_leaves_nothing_behind(file_of, tmp_path, content, found):
    file = file_of(content)

    with pytest.raises(DecodeError, match=found):
        import_tape(file, tmp_path / "tape")

    assert list(tmp_path.iterdir()) == [file]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DecodeError, match=r"none\.itch, found no file"):
        import_tape(tmp_path / "none.itch", tmp_path / "tape")


def test_a_directory_that_holds_something_is_left_alone(file_of, tmp_path):
    file = file_of(framed(directory()))
    import_tape(file, tmp_path / "tape")
    before = bytes_of(tmp_path / "tape")

    with pytest.raises(JournalError, match="found something there; choose another --out"):
        import_tape(file, tmp_path / "tape")

    assert bytes_of(tmp_path / "tape") == before
