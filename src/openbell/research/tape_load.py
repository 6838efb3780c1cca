"""Market data of a tape as a table: `load` reads it into Polars, `scan` streams it to whoever speaks Arrow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from openbell import _native as native
from openbell.backtest.tape import TapeInstrument
from openbell.errors import ConfigError
from openbell.research.tape_query import (
    FIRST_NS,
    LAST_NS,
    Prices,
    Time,
    as_ns,
    chosen,
    expect_tape,
    known_instruments,
    show_prices,
    with_symbols,
)
from openbell.types import Type

if TYPE_CHECKING:
    from openbell._native import Batches

DEFAULT_COLUMNS = ("ts_recv", "ts_event", "instrument", "type", "flags", "order_id", "px", "qty", "ref")
BATCH_ROWS = 1 << 20


def load(
    tape: Path | str,
    columns: Sequence[str] | None = None,
    instruments: Sequence[str | int] | None = None,
    start: Time | None = None,
    end: Time | None = None,
    *,
    types: Sequence[Type | str] = (),
    prices: Prices = "int",
) -> pl.DataFrame:
    """The market-data records of a tape, one a row, in the order of the tape.

    `columns`: of the record type, flags, tracking, instrument, ts_event, order_id, px, qty, ref (their meaning by type:
    native/records.h); of its frame seq, source, source_seq, ts_recv, ts_seq; and `symbol`. Times are ns since the
    epoch, UTC; quantities are lots. `start` and `end` are times of receipt, the end not included. `types` keeps some:
    "TRADE", Type.BOOK_ADD. `prices` as "int" are in the instrument's unit, 10^-px_decimals; "decimal" are exact
    decimals of the currency; "float" are nearest to them.

    The values are copied once, from the mapped tape into the columns; Polars, Arrow and DuckDB take these as they
    are. (Records stand one behind the other on a tape, a column's values side by side, so that one copy must be.)

    Raises:
        ConfigError: a column, instrument, type or time that is not known.
        JournalError, JournalDamagedError: there is no tape, or it is damaged.
    """
    names = list(columns or DEFAULT_COLUMNS)
    path = Path(tape)
    wanted = chosen(known_instruments(path), instruments, path)
    needed = [name for name in names if name != "symbol"]
    if "instrument" not in needed and ("symbol" in names or prices != "int"):
        needed.append("instrument")
    source = _columns_of(path, needed, None if instruments is None else wanted, start, end, types)
    parts = []
    while (batch := source.next()) is not None:
        parts.append(pl.DataFrame(batch))
    frame = pl.concat(parts, rechunk=False) if parts else pl.DataFrame(source)
    if "symbol" in names:
        frame = with_symbols(frame, wanted)
    return show_prices(frame, [name for name in names if name == "px"], (), wanted, prices).select(names)


def scan(
    tape: Path | str,
    columns: Sequence[str] | None = None,
    instruments: Sequence[str | int] | None = None,
    start: Time | None = None,
    end: Time | None = None,
    *,
    types: Sequence[Type | str] = (),
) -> Batches:
    """The same as a stream of batches of a million rows, each read when it is asked for: memory stays bounded.

    What comes has `__arrow_c_stream__`: `pyarrow.RecordBatchReader.from_stream(scan(tape))`, or DuckDB's
    `duckdb.sql("select type, count(*) from stream group by type")` with `stream = scan(tape)`. It is used up by
    reading. Prices are integers in the instrument's unit.

    Raises:
        ConfigError, JournalError: as `load`.
    """
    path = Path(tape)
    expect_tape(path)
    wanted = None if instruments is None else chosen(known_instruments(path), instruments, path)
    return _columns_of(path, list(columns or DEFAULT_COLUMNS), wanted, start, end, types)


def _columns_of(
    tape: Path,
    columns: list[str],
    instruments: Sequence[TapeInstrument] | None,
    start: Time | None,
    end: Time | None,
    types: Sequence[Type | str],
) -> Batches:
    return native.tape_columns(
        tape_dir=str(tape),
        columns=columns,
        instruments=[one.id for one in instruments or ()],
        types=[_number_of(type_) for type_ in types],
        start_ns=as_ns(start, FIRST_NS),
        end_ns=as_ns(end, LAST_NS),
        rows_max=BATCH_ROWS,
    )


def _number_of(type_: Type | str) -> int:
    market = {one.name: int(one) for one in Type if one < Type.INSTRUMENT and one not in (Type.TIMER, Type.SIGNAL)}
    name = type_ if isinstance(type_, str) else type_.name
    if name not in market:
        raise ConfigError(f"types: expected some of {', '.join(market)}, found {name!r}")
    return market[name]
