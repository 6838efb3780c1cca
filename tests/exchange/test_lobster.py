"""The real AMZN day of LOBSTER as ITCH: the book that a stranger builds from it is LOBSTER's, row by row."""

import struct
import zipfile
from collections import Counter

import pytest

from openbell.errors import DecodeError
from openbell.exchange.lobster import itch_messages, load_lobster
from oracles.itch_ladder import ItchLadder

ROWS = {1: 57_515, 5: 155_935}


def sample(shared_data, levels):
    path = shared_data / "lobster" / f"LOBSTER_SampleFile_AMZN_2012-06-21_{levels}.zip"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    return path


def by_row(messages):
    """Runs of messages that carry one tracking number: the rows of the file."""
    run, tracking = [], 0
    for _, message in messages:
        (now,) = struct.unpack_from(">H", message, 3)
        if now != tracking:
            yield run
            run, tracking = [], now
        run.append(message)
    yield run


@pytest.mark.parametrize("levels", [1, 5])
def test_every_row_of_the_order_book_file_is_the_top_of_the_itch_book(shared_data, levels):
    path = sample(shared_data, levels)
    shown = load_lobster(path).book.tolist()
    book, mismatches = ItchLadder(), []

    for row, messages in enumerate(by_row(itch_messages(path))):
        for message in messages:
            book.apply(message)
        if book.lobster_row(levels) != shown[row]:
            mismatches.append(row)

    print(f"level {levels}: {row + 1} rows, {len(mismatches)} mismatches {mismatches[:5]}")
    assert (row + 1, mismatches) == (ROWS[levels], [])
    assert (book.unknown_orders, book.overdrawn_orders, book.reused_names) == (0, 0, 0)


def test_the_files_own_messages_are_all_there_in_order(shared_data):
    path = sample(shared_data, 1)
    day = load_lobster(path)

    last_of_row = [run[-1] for run in by_row(itch_messages(path))]

    kinds = {1: b"A", 2: b"X", 3: b"D", 4: b"E", 5: b"P"}
    assert [m[:1] for m in last_of_row] == [kinds[kind] for kind in day.kind.tolist()]
    assert Counter(m[:1] for m in last_of_row) == {b"A": 27_845, b"X": 16, b"D": 18_235, b"E": 8_974, b"P": 2_445}
    assert [int.from_bytes(m[5:11]) for m in last_of_row] == day.time_ns.tolist()


def test_the_day_starts_with_its_events_and_the_directory(shared_data):
    messages = itch_messages(sample(shared_data, 1), symbol="AMZN", locate=7)

    start = [next(messages)[1] for _ in range(5)]

    assert [m[:1] for m in start] == [b"S", b"R", b"H", b"S", b"S"]
    assert [m[-1:] for m in start if m[:1] == b"S"] == [b"O", b"S", b"Q"]
    assert start[1][11:19] == b"AMZN    " and start[1][1:3] == b"\x00\x07"
    assert start[2][19:20] == b"T"


def test_a_halt_of_the_file_is_a_trading_action(tmp_path):
    path = write_zip(
        tmp_path,
        messages="34200.5,1,11,10,2000000,1\n34201.25,7,0,0,-1,-1\n34202.0,7,0,0,0,-1\n34203.0,7,0,0,1,-1\n",
        book="9999999999,0,2000000,10\n" * 4,
    )

    halts = [(ns, m[19:20]) for ns, m in itch_messages(path) if m[:1] == b"H" and ns > 34_200_000_000_000]

    assert halts == [(34_201_250_000_000, b"H"), (34_202_000_000_000, b"Q"), (34_203_000_000_000, b"T")]


def test_what_changed_out_of_view_is_made_up_when_it_comes_back(tmp_path):
    # Order 11 at 200.00 goes out of view behind order 12; when 12 leaves, 200.00 shows 30 less and 13, which the
    # file never added but deletes later.
    path = write_zip(
        tmp_path,
        messages="34200.0,1,11,100,2000000,1\n34201.0,1,12,5,2000100,1\n34202.0,3,12,5,2000100,1\n"
        "34203.0,3,13,20,2000000,1\n34204.0,3,11,50,2000000,1\n",
        book="9999999999,0,2000000,100\n9999999999,0,2000100,5\n9999999999,0,2000000,70\n"
        "9999999999,0,2000000,50\n9999999999,0,-9999999999,0\n",
    )

    rows = [[describe(m) for m in run if m[:1] in b"AXD"] for run in by_row(itch_messages(path))]

    assert rows == [["A 11 100"], ["A 12 5"], ["X 11 50", "A 13 20", "D 12"], ["D 13"], ["D 11"]]


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("none.zip", None, "found no file"),
        ("text.zip", b"hello", "no zip"),
        ("empty.zip", {}, r"found \[\]"),
        ("half.zip", {"AMZN_2012-06-21_34200000_57600000_orderbook_1.csv": "1,2,3,4\n"}, "orderbook_1.csv"),
    ],
)
def test_another_file_is_refused_with_what_was_expected(tmp_path, name, content, found):
    path = tmp_path / name
    if isinstance(content, dict):
        with zipfile.ZipFile(path, "w") as archive:
            for member, text in content.items():
                archive.writestr(member, text)
    elif content is not None:
        path.write_bytes(content)

    with pytest.raises(DecodeError, match=f"expected a LOBSTER zip.*{found}"):
        next(itch_messages(path))


def describe(message):
    kind = message[:1].decode()
    (reference,) = struct.unpack_from(">Q", message, 11)
    return f"{kind} {reference}" + {"A": f" {qty(message, 20)}", "X": f" {qty(message, 19)}", "D": ""}[kind]


def qty(message, at):
    return int.from_bytes(message[at : at + 4])


def write_zip(folder, messages, book):
    path = folder / "day.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("TEST_2012-06-21_34200000_57600000_message_1.csv", messages)
        archive.writestr("TEST_2012-06-21_34200000_57600000_orderbook_1.csv", book)
    return path
