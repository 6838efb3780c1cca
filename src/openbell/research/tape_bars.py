"""Bars of the trades on a tape, by time, by count, by volume and by value traded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import polars as pl

from openbell import _native as native
from openbell.errors import ConfigError
from openbell.research.tape_pass import BOOK_ORDERS_MAX, Clock, Signs, tape_pass
from openbell.research.tape_query import Duration, Prices, Time, duration_ns, show_prices

KINDS = {
    "time": native.BarKind.TIME,
    "tick": native.BarKind.TICK,
    "volume": native.BarKind.VOLUME,
    "dollar": native.BarKind.DOLLAR,
}


def bars(
    tape: Path | str,
    by: Literal["time", "tick", "volume", "dollar"],
    size: Duration,
    instruments: Sequence[str | int] | None = None,
    start: Time | None = None,
    end: Time | None = None,
    *,
    prices: Prices = "int",
    signs: Signs = "auto",
    clock: Clock = "event",
    book_orders_max: int = BOOK_ORDERS_MAX,
) -> pl.DataFrame:
    """Bars of every instrument, in one native pass over the tape.

    `size` by time: "1m", ns or a timedelta; by tick: trades; by volume: lots; by dollar: whole units of the currency.
    Columns:

    - start, end: ns; of the interval by time, which begins at a multiple of `size` since the epoch and does not include
      its end; else the times of the first and the last trade.
    - instrument, symbol
    - open, high, low, close: `prices` as in `load`.
    - volume, buy_volume, sell_volume: lots; bought and sold by the aggressor (see `features`: trade_sign). The rest has
      no aggressor, or none that is known.
    - trades: prints. One aggressor that takes three resting orders makes three.
    - notional: sum of price x quantity, in the currency (times the multiplier of the contract).
    - vwap: notional / volume, in the unit of the other prices.

    Trades are executions and prints that count as volume; a print that is broken later stays. The trade that brings a
    bar to its size is its last and is not divided (Lopez de Prado, Advances in Financial Machine Learning, 2018, 2.3).
    There are no bars without trades, and tick, volume and dollar bars that were not filled are left out. A trade
    outside [start, end) is in none. `clock` "receipt" counts time by frames instead of by the venue.

    Raises:
        ConfigError: an instrument, time or size that is not acceptable.
        CapacityError: more orders rest at once than `book_orders_max`.
        JournalError, JournalDamagedError: there is no tape, or it is damaged.
    """
    one_pass = tape_pass(tape, instruments, start, end, clock=clock, signs=signs, book_orders_max=book_orders_max)
    decimals = [0] * one_pass.config.instruments_max
    for one in one_pass.known:
        decimals[one.id] = one.px_decimals + one.qty_decimals
    frame = one_pass.read(
        *native.bars(one_pass.config, _kind(by), _size(size, by), one_pass.start_ns, one_pass.end_ns, decimals)
    )
    units = {one.id: one.multiplier / 10.0 ** (one.px_decimals + one.qty_decimals) for one in one_pass.wanted}
    unit = pl.col("instrument").replace_strict(list(units), list(units.values()), default=None, return_dtype=pl.Float64)
    frame = frame.with_columns(pl.col("notional") * unit)
    return show_prices(frame, ("open", "high", "low", "close"), ("vwap",), one_pass.wanted, prices)


def _kind(by: str) -> native.BarKind:
    if by not in KINDS:
        raise ConfigError(f"by: expected one of {', '.join(KINDS)}, found {by!r}")
    return KINDS[by]


def _size(size: Duration, by: str) -> int:
    if by == "time":
        return duration_ns(size)
    if not isinstance(size, int):
        raise ConfigError(f"size: expected a number for bars by {by}, found {size!r}")
    return size
