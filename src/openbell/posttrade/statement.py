"""A clearing statement: a CSV file of what the clearing house believes of one account and day, read strictly.

    date,account,section,symbol,currency,match_id,side,qty,px,fee,amount
    2026-11-20,NODE1,trade,AAPL,USD,7,BUY,100,150.01,0.30,
    2026-11-20,NODE1,position,AAPL,USD,,,300,,,
    2026-11-20,NODE1,cash,,USD,,,,,,-15001.30

A file is read whole or refused whole, with the line. Numbers are plain decimals: no exponent, no thousands separator,
no more decimals than the instrument has. A trade that stands twice is kept as two copies, not corrected.
"""

from __future__ import annotations

import csv
import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from openbell.errors import ConfigError
from openbell.journal.assets import Asset
from openbell.posttrade.books import Books, Fill, by_match
from openbell.posttrade.ledger import MONEY_DECIMALS
from openbell.types import Side

COLUMNS = ("date", "account", "section", "symbol", "currency", "match_id", "side", "qty", "px", "fee", "amount")
SECTIONS = ("trade", "position", "cash")
FILE_BYTES_MAX = 256 * 1024 * 1024
_DECIMAL = re.compile(r"-?\d{1,18}(\.\d{1,18})?")


class StatementError(ConfigError):
    """A statement that cannot be believed; nothing of it was used."""


@dataclass(frozen=True)
class Statement:
    """What the file says."""

    date: datetime.date
    account: str
    books: Books


@dataclass(frozen=True)
class _Row:
    path: Path
    line: int
    cells: dict[str, str]

    def wrong(self, column: str, expected: str) -> StatementError:
        return StatementError(
            f"{self.path}:{self.line}: {column}: expected {expected}, found {self.cells.get(column)!r}; "
            "nothing was compared"
        )

    def number(self, column: str, decimals: int) -> int:
        """The cell as an integer in 10^-decimals."""
        text = self.cells[column]
        if not _DECIMAL.fullmatch(text):
            raise self.wrong(column, "a decimal such as 150.01")
        scaled = Decimal(text).scaleb(decimals)
        if scaled != scaled.to_integral_value():
            raise self.wrong(column, f"at most {decimals} decimals")
        return int(scaled)

    def empty(self, *columns: str) -> None:
        for column in columns:
            if self.cells[column]:
                raise self.wrong(column, f"nothing in a row of section {self.cells['section']!r}")


def read_statement(path: Path, assets: Mapping[str, Asset]) -> Statement:
    """Return the statement at `path`; `assets` are our instruments by symbol.

    Raises:
        StatementError: the file or a line of it is not as described above.
    """
    rows = list(_rows(path))
    if not rows:
        raise StatementError(f"{path}: expected at least one row below the header, found none; nothing was compared")
    date, account = _one(rows, "date"), _one(rows, "account")
    trades: list[tuple[int, Fill]] = []
    positions: dict[str, int] = {}
    cash: dict[str, int] = {}
    unknown: set[str] = set()
    for row in rows:
        symbol, section = row.cells["symbol"], row.cells["section"]
        if section not in SECTIONS:
            raise row.wrong("section", " or ".join(SECTIONS))
        if section == "cash":
            row.empty("symbol", "match_id", "side", "qty", "px", "fee")
            _once(row, cash, row.cells["currency"], row.number("amount", MONEY_DECIMALS))
        elif symbol not in assets:
            unknown.add(symbol)
        elif section == "trade":
            row.empty("amount")
            trades.append(_trade(row, assets[symbol]))
        else:
            row.empty("match_id", "side", "px", "fee", "amount")
            _once(row, positions, symbol, row.number("qty", assets[symbol].qty_decimals))
    try:
        day = datetime.date.fromisoformat(date)
    except ValueError:
        raise rows[0].wrong("date", "a date such as 2026-11-20") from None
    books = Books(
        name=f"clearing statement {date}",
        fills=by_match(trades),
        positions=positions,
        cash=cash,
        unknown_symbols=frozenset(unknown),
    )
    return Statement(day, account, books)


def _trade(row: _Row, asset: Asset) -> tuple[int, Fill]:
    if row.cells["side"] not in ("BUY", "SELL"):
        raise row.wrong("side", "BUY or SELL")
    if row.cells["currency"] != asset.currency:
        raise row.wrong("currency", f"{asset.currency}, the currency of {asset.symbol}")
    match_id, qty, px = (
        row.number("match_id", 0),
        row.number("qty", asset.qty_decimals),
        row.number("px", asset.px_decimals),
    )
    if match_id <= 0 or qty <= 0 or px <= 0:
        raise row.wrong("qty" if qty <= 0 else "px" if px <= 0 else "match_id", "more than 0")
    fee = row.number("fee", MONEY_DECIMALS) if row.cells["fee"] else None
    return match_id, Fill(asset.symbol, Side[row.cells["side"]], px, qty, fee)


def _rows(path: Path) -> Iterator[_Row]:
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise StatementError(f"{path}: expected at most {FILE_BYTES_MAX} bytes, found {path.stat().st_size}")
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            if tuple(header) != COLUMNS:
                raise StatementError(f"{path}:1: expected the columns {','.join(COLUMNS)}, found {','.join(header)}")
            for cells in reader:
                if len(cells) != len(COLUMNS):
                    raise StatementError(
                        f"{path}:{reader.line_num}: expected {len(COLUMNS)} cells, found {len(cells)}; was it cut?"
                    )
                yield _Row(path, reader.line_num, dict(zip(COLUMNS, cells, strict=True)))
    except FileNotFoundError:
        raise StatementError(f"{path}: expected a clearing statement, found no file") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StatementError(f"{path}: expected a readable CSV file in UTF-8: {error}") from None


def _one(rows: list[_Row], column: str) -> str:
    for row in rows:
        if row.cells[column] != rows[0].cells[column] or not row.cells[column]:
            raise row.wrong(column, f"one {column} in the whole file, {rows[0].cells[column]!r}")
    return rows[0].cells[column]


def _once(row: _Row, values: dict[str, int], name: str, value: int) -> None:
    if name in values:
        raise row.wrong("symbol" if row.cells["symbol"] else "currency", "each position and each currency once")
    values[name] = value
