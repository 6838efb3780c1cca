"""A tape or journal as one file for other programs: Parquet or CSV, a batch in memory at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from openbell.backtest.tape import tape_instruments
from openbell.errors import ConfigError
from openbell.journal import RECORD_OF, Journal
from openbell.types import RECORDS

Format = Literal["parquet", "csv"]
Progress = Callable[[int, int], None]
"""(rows written, all of them)."""
METADATA = "openbell.instruments"
"""Key of the Parquet file's metadata: JSON, one object an instrument, with px_decimals and qty_decimals."""


def export(
    journal: Journal, output: Path, record: str = "Market", form: Format = "parquet", progress: Progress | None = None
) -> int:
    """Write every record of one layout, with seq and ts_recv (ns) of its frame; how many there were.

    Integers stay integers, in the instrument's units; a Parquet file says in its metadata how many decimals these have.

    Raises:
        ConfigError: there is no such layout.
    """
    if record not in RECORDS:
        raise ConfigError(f"--record: expected one of {', '.join(RECORDS)}, found {record!r}")
    total: int = sum(count for type_, count in journal.summary()["types"].items() if RECORD_OF.get(type_) == record)
    frame = _lazy(journal, record, lambda done: progress(done, total) if progress else None)
    if form == "csv":
        frame.sink_csv(output)
    else:
        instruments = json.dumps([asdict(one) for one in tape_instruments(journal.path)])
        frame.sink_parquet(output, compression="zstd", metadata={METADATA: instruments})
    return total


def _lazy(journal: Journal, record: str, told: Callable[[int], None]) -> pl.LazyFrame:
    nothing = np.zeros(0, np.int64)
    schema = pl.DataFrame(dict(_columns(np.zeros(0, RECORDS[record]), nothing.astype(np.uint64), nothing))).schema

    def read(
        columns: list[str] | None, _predicate: pl.Expr | None, _rows: int | None, _batch: int | None
    ) -> Iterator[pl.DataFrame]:
        done = 0
        for batch in journal.batches(record):
            part = pl.DataFrame(dict(_columns(*batch)), schema=schema)
            yield part if columns is None else part.select(columns)
            done += len(part)
            told(done)

    return register_io_source(read, schema=schema)


def _columns(records: Any, seqs: Any, times: Any) -> Iterator[tuple[str, Any]]:
    """Columns of a batch; padding is left out, text is decoded, arrays become lists."""
    yield "seq", seqs
    yield "ts_recv", times
    for name in records.dtype.names:
        if name.startswith("pad"):
            continue
        column = records[name]
        if column.dtype.kind == "S":
            yield name, pl.Series(name, [text.decode("ascii", "replace") for text in column.tolist()], pl.String)
        else:
            yield name, column.copy()
