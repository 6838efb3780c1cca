"""Reads a LOBSTER zip: a day's messages and the book after each of them, for the best levels.

Prices are 1e-4 dollars, quantities shares, times ns since midnight, US Eastern. Source: the read-me in each zip.
"""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from openbell.errors import DecodeError

NEW, CANCEL, DELETE, EXECUTION, HIDDEN_EXECUTION, HALT = 1, 2, 3, 4, 5, 7
ASK, BID = 0, 1
NO_ASK_PX, NO_BID_PX = 9_999_999_999, -9_999_999_999
"""Price of a level that is empty; its quantity is 0."""
BOOK_NAME = re.compile(r"(?P<symbol>[A-Z.]+)_(?P<date>[\d-]{10})_(?P<start_ms>\d+)_\d+_orderbook_(?P<levels>\d+)\.csv$")
Column = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LobsterDay:
    """Both files of a zip. Row i of `book` (ask px, ask qty, bid px, bid qty per level) is the book after message i."""

    symbol: str
    date: date
    levels: int
    start_ns: int
    time_ns: Column
    kind: Column
    reference: Column
    qty: Column
    px: Column
    side: Column
    book: Column

    def __len__(self) -> int:
        return len(self.kind)

    def events(self) -> Iterator[tuple[int, int, int, int, int]]:
        """(kind, reference, qty, px, side) of each row, as Python integers."""
        columns = (self.kind, self.reference, self.qty, self.px, self.side)
        return zip(*(column.tolist() for column in columns), strict=True)


def load_lobster(zip_path: Path | str) -> LobsterDay:
    """Read a zip of LOBSTER as it is published: one message file and one order book file with as many rows.

    Raises:
        DecodeError: there is no such file, or it is another kind of file.
    """
    path = Path(zip_path)
    expected = f"expected a LOBSTER zip (TICKER_DATE_START_END_message_LEVELS.csv and ..._orderbook_...) at {path}"
    if not path.is_file():
        raise DecodeError(f"{expected}, found no file; samples are at lobsterdata.com/info/DataSamples.php")
    if not zipfile.is_zipfile(path):
        raise DecodeError(f"{expected}, found a file that is no zip; download it again")
    with zipfile.ZipFile(path) as archive:
        books = [match for name in archive.namelist() if (match := BOOK_NAME.search(name))]
        if len(books) != 1:
            raise DecodeError(f"{expected}, found {archive.namelist()}; give one day of one symbol")
        name = books[0]
        try:
            book = _table(archive, name.string)
            messages = _table(archive, name.string.replace("_orderbook_", "_message_"))
        except (KeyError, pl.exceptions.PolarsError) as error:
            raise DecodeError(f"{expected}, found {archive.namelist()}: {error}; download it again") from error
    levels = int(name["levels"])
    if messages.width != 6 or book.width != 4 * levels or book.height != messages.height:
        raise DecodeError(
            f"{expected} with 6 and {4 * levels} columns and equally many rows, found {messages.shape} and {book.shape}"
        )
    kind, reference, qty, px, side = (messages[:, i].cast(pl.Int64).to_numpy() for i in range(1, 6))
    return LobsterDay(
        symbol=name["symbol"],
        date=date.fromisoformat(name["date"]),
        levels=levels,
        start_ns=int(name["start_ms"]) * 1_000_000,
        time_ns=np.rint(messages[:, 0].to_numpy() * 1e9).astype(np.int64),  # a float64 holds a day to 0.02 ns
        kind=kind,
        reference=reference,
        qty=qty,
        px=px,
        side=np.where(side == 1, BID, ASK),
        book=book.cast(pl.Int64).to_numpy(),
    )


def _table(archive: zipfile.ZipFile, name: str) -> pl.DataFrame:
    return pl.read_csv(archive.read(name), has_header=False)
