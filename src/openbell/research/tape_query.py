"""What the surfaces of research have in common: which instruments, which times, and how prices are shown."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from openbell import _native as native
from openbell.backtest.tape import TapeInstrument, tape_instruments
from openbell.errors import ConfigError, JournalError

Time = int | str | datetime.datetime
"""ns since the epoch, or a date and time: ISO 8601 text or datetime; without a zone it is UTC."""
Duration = int | str | datetime.timedelta
"""ns; a whole number and its unit, as "250ms"; or a timedelta."""
UNITS_NS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3_600 * 10**9, "d": 86_400 * 10**9}
DURATION = re.compile(rf"(\d{{1,9}})({'|'.join(UNITS_NS)})")
Prices = Literal["int", "decimal", "float"]
FIRST_NS, LAST_NS = -(2**63), 2**63 - 1
INT64_MAX = 2**63 - 1
NAMES_SHOWN = 20


def known_instruments(tape: Path) -> tuple[TapeInstrument, ...]:
    """The instruments of the tape.

    Raises:
        JournalError: there is no tape.
    """
    expect_tape(tape)
    return tape_instruments(tape)


def expect_tape(tape: Path) -> None:
    """Raise JournalError where there is no tape."""
    if not tape.is_dir():
        raise JournalError(f"expected a tape at {tape}, found no directory; `openbell tape list` shows where tapes are")


def chosen(known: Sequence[TapeInstrument], wanted: Iterable[str | int] | None, tape: Path) -> list[TapeInstrument]:
    """The instruments of `wanted` symbols or ids; all of them for None.

    Raises:
        ConfigError: one is not on the tape.
    """
    if wanted is None:
        return list(known)
    found: dict[int, TapeInstrument] = {}
    for name in [wanted] if isinstance(wanted, str | int) else wanted:
        matches = [one for one in known if name in (one.symbol, one.id)]
        if not matches:
            there = ", ".join(one.symbol for one in known[:NAMES_SHOWN]) + (" ..." if len(known) > NAMES_SHOWN else "")
            raise ConfigError(f"instruments: expected symbols of {tape} ({there or 'none'}), found {name!r}")
        found |= {one.id: one for one in matches}
    return list(found.values())


def as_ns(time: Time | None, otherwise: int) -> int:
    """`time` as ns since the epoch, UTC.

    Raises:
        ConfigError: text that is no time.
    """
    if time is None:
        return otherwise
    if isinstance(time, str):
        try:
            time = datetime.datetime.fromisoformat(time)
        except ValueError:
            raise ConfigError(f"expected a time as 2020-01-30T14:30:00 (UTC) or with a zone, found {time!r}") from None
    if isinstance(time, datetime.datetime):
        zoned = time if time.tzinfo else time.replace(tzinfo=datetime.UTC)
        return duration_ns(zoned - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC))
    return time


def duration_ns(duration: Duration) -> int:
    """`duration` in ns, exactly.

    Raises:
        ConfigError: it is none.
    """
    if isinstance(duration, datetime.timedelta):
        return duration // datetime.timedelta(microseconds=1) * 1_000
    if isinstance(duration, int):
        return duration
    found = DURATION.fullmatch(str(duration))
    if not found:
        raise ConfigError(f'expected ns, a timedelta, or text as "250ms", "1s", "5m", "1h", found {duration!r}')
    return int(found[1]) * UNITS_NS[found[2]]


def with_symbols(frame: pl.DataFrame, instruments: Sequence[TapeInstrument]) -> pl.DataFrame:
    """`frame` with a column `symbol` after `instrument`; null for records of no instrument."""
    names = list(dict.fromkeys(one.symbol for one in instruments))
    symbols = pl.col("instrument").replace_strict(
        [one.id for one in instruments], [one.symbol for one in instruments], default=None, return_dtype=pl.Enum(names)
    )
    frame = frame.with_columns(symbols.alias("symbol"))
    at = frame.columns.index("instrument") + 1
    return frame.select(*frame.columns[:at], "symbol", *frame.columns[at:-1])


def show_prices(
    frame: pl.DataFrame,
    ints: Sequence[str],
    floats: Sequence[str],
    instruments: Sequence[TapeInstrument],
    prices: Prices,
) -> pl.DataFrame:
    """Prices in the currency: `ints` as exact decimals or floats, `floats` as floats; "int" leaves px units.

    Raises:
        ConfigError: instruments of so different scales that one decimal column cannot hold both.
    """
    if prices == "int" or not (ints or floats):
        return frame
    scales = {one.px_decimals for one in instruments}
    places = max(scales, default=0)
    missing = _missing_places(frame, instruments, places) if len(scales) > 1 else None
    if prices == "float":
        # Divided by NumPy, which rounds once: Polars multiplies by a reciprocal.
        divisor = 10.0**places if missing is None else 10.0 ** (places - missing.to_numpy())
        return frame.with_columns(*(pl.Series(n, frame[n].to_numpy() / divisor) for n in (*ints, *floats)))
    columns = [_decimal(frame[name], missing, places) for name in ints]
    frame = frame.with_columns(*columns)
    return show_prices(frame, (), floats, instruments, "float")


def _missing_places(frame: pl.DataFrame, instruments: Sequence[TapeInstrument], places: int) -> pl.Series:
    """How many digits each row's instrument has less than `places`."""
    return frame["instrument"].replace_strict(
        [one.id for one in instruments],
        [places - one.px_decimals for one in instruments],
        default=0,
        return_dtype=pl.Int64,
    )


def _decimal(values: pl.Series, missing: pl.Series | None, places: int) -> pl.Series:
    ints = np.ascontiguousarray(values.to_numpy(), np.int64)
    if missing is not None:
        factors = 10 ** missing.to_numpy()
        if len(ints) and np.any(np.abs(ints) > INT64_MAX // factors):
            raise ConfigError(
                f"prices: expected instruments whose prices fit one column of {places} decimals, found {values.name} "
                'beyond it; choose instruments of one scale, or prices="int"'
            )
        ints = ints * factors
    return pl.DataFrame(native.decimals(values.name, ints, places)).to_series()
