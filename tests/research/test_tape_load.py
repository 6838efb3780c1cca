"""A tape as a table holds what its frames hold, whatever is asked for and whoever takes it over."""

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from openbell._native import JournalWriter, tape_column_names
from openbell.backtest.tape import inspect_tape
from openbell.errors import ConfigError, JournalDamagedError, JournalError
from openbell.journal import open_journal
from openbell.research import features, load, scan
from openbell.types import RECORDS, Type
from research.market_tape import SYMBOLS, instrument, write_market_tape

OF_FRAMES = ("seq", "source", "source_seq", "ts_recv", "ts_seq")


@pytest.fixture
def tape(tmp_path, seed):
    return write_market_tape(tmp_path / "tape", 8_000, seed)


def rows_of(tape, keep=None):
    """Every market record, one dict a row, frame by frame."""
    rows = []
    for frame in open_journal(tape):
        if frame.raw.shape[1] != 48:
            continue
        for record in frame.records:
            row = {name: int(record[name]) for name in RECORDS["Market"].names}
            row |= {name: getattr(frame, name) for name in OF_FRAMES}
            if keep is None or keep(frame, row):
                rows.append(row)
    return rows


def test_every_column_of_every_record(tape):
    names = tape_column_names()

    found = load(tape, names)

    assert found.columns == names
    assert found.rows() == [tuple(row[name] for name in names) for row in rows_of(tape)]
    assert len(list(tape.glob("*.seg"))) > 2


@pytest.mark.parametrize("rows", [1, 1_023, 1_025, 5_000])
def test_batches_of_any_size_are_the_same_rows(tape, monkeypatch, rows):
    whole = load(tape)
    monkeypatch.setattr("openbell.research.tape_load.BATCH_ROWS", rows)

    part = load(tape, end=int(whole["ts_recv"][6_000]))

    assert part.equals(whole.filter(pl.col("ts_recv") < whole["ts_recv"][6_000]))


def test_instruments_types_and_times_are_chosen_on_the_way(tape):
    times = load(tape, ["ts_recv"])["ts_recv"].sort()
    start, end = int(times[len(times) // 3]), int(times[len(times) // 2])
    kinds = {int(Type.TRADE), int(Type.BOOK_EXECUTE)}

    found = load(tape, ["seq", "px"], ["ALFA", 2], start, end, types=["TRADE", Type.BOOK_EXECUTE])

    def keep(frame, row):
        return row["instrument"] in (0, 2) and start <= frame.ts_recv < end and row["type"] in kinds

    assert found.rows() == [(row["seq"], row["px"]) for row in rows_of(tape, keep)]
    assert len(found) > 100


def test_a_time_may_be_text_or_a_datetime(tape):
    whole = load(tape, ["ts_recv"])
    middle = int(whole["ts_recv"][len(whole) // 2]) // 1_000_000 * 1_000_000
    moment = datetime.fromtimestamp(middle // 10**9, UTC).replace(microsecond=middle % 10**9 // 1_000)

    by_number = load(tape, ["ts_recv"], start=middle)

    assert 0 < len(by_number) < len(whole)
    assert load(tape, ["ts_recv"], start=moment).equals(by_number)
    assert load(tape, ["ts_recv"], start=moment.replace(tzinfo=None).isoformat()).equals(by_number)


def test_symbols_stand_beside(tape):
    found = load(tape, ["symbol", "instrument"])

    assert found["symbol"].to_list() == [SYMBOLS[row["instrument"]] for row in rows_of(tape)]


def test_prices_are_exact_as_decimals_and_nearest_as_floats(tape):
    ints = load(tape, ["px"])["px"]

    decimals, floats = load(tape, ["px"], prices="decimal")["px"], load(tape, ["px"], prices="float")["px"]

    assert decimals.dtype == pl.Decimal(38, 4)
    assert decimals[:50].to_list() == [Decimal(px).scaleb(-4) for px in ints[:50]]
    assert floats.to_list() == [px / 10_000 for px in ints]


def market(number, px):
    record = np.zeros(1, RECORDS["Market"])
    record["type"], record["instrument"], record["px"], record["qty"] = Type.TRADE, number, px, 1
    return record


def write(directory, *records):
    journal = JournalWriter(str(directory))
    for ts, record in enumerate(records, start=1):
        journal.append(1, 16, record.itemsize, record.view(np.uint8), ts_recv=ts, ts_seq=ts)
    journal.close()
    return directory


def test_instruments_of_different_scales_share_a_column_of_decimals(tmp_path):
    two = (instrument(0, "ALFA", px_decimals=2), instrument(1, "BETA", px_decimals=8))
    tape = write(tmp_path / "tape", *two, market(0, 12_345), market(1, -7), market(0, 1))

    assert load(tape, ["px"], prices="decimal")["px"].to_list() == [
        Decimal("123.45"),
        Decimal("-0.00000007"),
        Decimal("0.01"),
    ]
    assert load(tape, ["px"], prices="float")["px"].to_list() == [123.45, -7e-8, 0.01]
    far = write(tmp_path / "far", *two, market(0, 1 << 62))
    with pytest.raises(ConfigError, match="whose prices fit one column of 8 decimals, found px beyond it"):
        load(far, ["px"], prices="decimal")


def test_an_empty_answer_has_its_columns(tape):
    found = load(tape, ["px", "symbol"], end=5, prices="decimal")

    assert (len(found), found.columns) == (0, ["px", "symbol"])


def test_a_column_is_taken_over_without_a_copy(tape):
    batch = scan(tape, ["px"]).next()

    assert batch is not None
    first, again = pl.DataFrame(batch), batch.next()
    assert again is None  # the buffers were handed on
    values = first["px"].to_numpy(allow_copy=False)
    assert values.ctypes.data % 64 == 0  # as the native side aligned them


def test_arrow_and_duckdb_read_the_stream(tape):
    pyarrow, duckdb = pytest.importorskip("pyarrow"), pytest.importorskip("duckdb")

    table = pyarrow.RecordBatchReader.from_stream(scan(tape, ["type", "qty"])).read_all()
    stream = scan(tape, ["type", "qty"])
    counted = duckdb.sql("select type, count(*), sum(qty) from stream group by type order by type").fetchall()

    assert stream is not None
    rows = rows_of(tape)
    assert table.to_pydict() == {name: [row[name] for row in rows] for name in ("type", "qty")}
    kinds = sorted({row["type"] for row in rows})
    assert counted == [(k, len(q), sum(q)) for k in kinds if (q := [r["qty"] for r in rows if r["type"] == k])]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": ["price"]}, "columns: expected some of seq, .*; found 'price'"),
        ({"instruments": ["ZETA"]}, "instruments: expected symbols of .*ALFA, BETA, GAMA.*, found 'ZETA'"),
        ({"types": ["FILLED"]}, "types: expected some of BOOK_ADD, .*, found 'FILLED'"),
        ({"start": "noon"}, "expected a time as 2020-01-30T14:30:00 .*, found 'noon'"),
    ],
)
def test_what_is_not_known_is_named(tape, options, message):
    with pytest.raises(ConfigError, match=message):
        load(tape, **options)


@pytest.mark.parametrize("read", [load, scan])
def test_no_tape_is_an_error(tmp_path, read):
    with pytest.raises(JournalError, match=r"expected a tape at .*none, found no directory"):
        read(tmp_path / "none")


@pytest.mark.parametrize("number", [0, 1, -1])
def test_damage_is_named_with_its_place(tape, number):
    segment = sorted(tape.glob("*.seg"))[number]
    data = bytearray(segment.read_bytes())
    data[4096 + 24] ^= 0xFF  # of its number
    segment.write_bytes(data)

    for read in (load, features, inspect_tape):
        with pytest.raises(JournalDamagedError, match=f"{segment.name} at offset 4096"):
            read(tape)
