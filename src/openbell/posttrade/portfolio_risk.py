"""What a node's positions may lose: value at risk and expected shortfall over a history of returns.

The history is a CSV file, a column for each symbol, a row for each period (a day, say), the oldest first; each cell is
the instrument's return in that period as a fraction, and nothing else stands there:

    OBEL,RING
    0.0012,-0.0005
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from openbell.errors import ConfigError
from openbell.node.limit_lines import RATE_ONE
from openbell.posttrade.ledger import MONEY_DECIMALS
from openbell.posttrade.profit import ProfitRow
from openbell.posttrade.tail_risk import (
    EWMA_LAMBDA,
    Floats,
    TailRisk,
    component,
    cornish_fisher,
    ewma_sigma,
    historical,
    parametric,
)

PERIODS_MIN = 20
FILE_BYTES_MAX = 64 * 1024 * 1024
MONEY_ONE = 10**MONEY_DECIMALS


class PortfolioRisk(NamedTuple):
    """Losses are positive, in the base currency, over one period; `parts` is what each symbol adds to the EWMA one."""

    historical: TailRisk
    ewma: TailRisk
    cornish_fisher: TailRisk
    parts: dict[str, float]
    periods: int


def in_base(amount: int | None, currency: str, worth: Mapping[str, int]) -> int | None:
    """Money of a currency in that of the base; None where one of the two is not known."""
    return None if amount is None or currency not in worth else amount * worth[currency] // RATE_ONE


def base_total(rows: Iterable[ProfitRow], worth: Mapping[str, int]) -> int | None:
    """What all rows have earned, in the base currency; None where a mark or a worth is missing."""
    amounts = [in_base(row.total, row.currency, worth) for row in rows]
    return None if None in amounts else sum(amount for amount in amounts if amount is not None)


def values_of(rows: Iterable[ProfitRow], worth: Mapping[str, int]) -> dict[str, float]:
    """What is held of each symbol, signed, in the base currency.

    Raises:
        ConfigError: nobody says what a position is worth.
    """
    values: dict[str, float] = {}
    for row in (row for row in rows if row.position):
        if (value := in_base(row.value, row.currency, worth)) is None:
            raise ConfigError(
                f"{row.symbol}: expected a price to mark {row.position:+,} at and the worth of {row.currency}, found "
                "one of them missing; ask again when its book is valid"
            )
        values[row.asset] = values.get(row.asset, 0.0) + value / MONEY_ONE
    return {symbol: value for symbol, value in values.items() if value}


def risk_of(values: Mapping[str, float], returns: Mapping[str, Floats], confidence: float = 0.99) -> PortfolioRisk:
    """The tail of these positions, had they been held through the history.

    Raises:
        ConfigError: the history lacks a symbol that is held.
    """
    if missing := sorted(values.keys() - returns.keys()):
        raise ConfigError(f"expected a column of returns for everything that is held, found none for {missing}")
    symbols = sorted(values)
    periods = len(next(iter(returns.values())))
    held = np.array([values[symbol] for symbol in symbols], float)
    history = np.array([returns[symbol] for symbol in symbols], float).reshape(len(symbols), periods)
    earned = held @ history  # in each period, by what is held now
    parts = component(held, _ewma_covariance(history), confidence)
    return PortfolioRisk(
        historical(1.0, earned, confidence),
        parametric(1.0, ewma_sigma(earned), confidence),
        cornish_fisher(1.0, earned, confidence),
        dict(zip(symbols, map(float, parts), strict=True)),
        periods,
    )


def read_returns(path: Path) -> dict[str, Floats]:
    """The history in `path`, by symbol.

    Raises:
        ConfigError: it is not as described above, with the line.
    """
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise ConfigError(f"{path}: expected at most {FILE_BYTES_MAX} bytes, found {path.stat().st_size}")
        with path.open(encoding="utf-8", newline="") as file:
            symbols, *rows = list(csv.reader(file, strict=True)) or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path}: expected a readable CSV file of returns: {error}") from None
    if not symbols or len(set(symbols)) != len(symbols) or len(rows) < PERIODS_MIN:
        raise ConfigError(
            f"{path}: expected a line of different symbols and {PERIODS_MIN} periods or more below it, found "
            f"{symbols} and {len(rows)}"
        )
    table = np.array([_row(path, number, cells, len(symbols)) for number, cells in enumerate(rows, start=2)])
    return {symbol: table[:, column] for column, symbol in enumerate(symbols)}


def _row(path: Path, number: int, cells: Sequence[str], columns: int) -> list[float]:
    try:
        found = [float(cell) for cell in cells]
    except ValueError:
        found = []
    if len(found) != columns or not all(-1.0 <= one < 10.0 for one in found):
        raise ConfigError(
            f"{path}:{number}: expected {columns} returns as fractions from -1 to 10, such as -0.0005, found "
            f"{','.join(cells)}"
        )
    return found


def _ewma_covariance(history: Floats) -> Floats:
    """Its diagonal is the square of `ewma_sigma`."""
    weights = (1 - EWMA_LAMBDA) * EWMA_LAMBDA ** np.arange(history.shape[1] - 1, -1, -1)
    weighted: Floats = (history * weights) @ history.T / weights.sum()
    return weighted
