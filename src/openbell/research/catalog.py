"""The catalog: which tapes there are, by venue, instrument and day.

    from openbell.research import catalog, load
    for tape in catalog.find(venue="xnas", instrument="AAPL", date="2020-01-30"):
        trades = load(tape.path, instruments=["AAPL"], types=["TRADE", "BOOK_EXECUTE"])

Tapes lie in plain folders, `<root>/<venue>/<first day>/<name>`, each with its own index file `tape.json`. There is
nothing else: copying or deleting a folder is all it takes, and an index that is missing or speaks of other segments is
made again from the tape.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

from openbell.backtest.tape import TapeFacts, tape_facts, write_index
from openbell.backtest.tape_layout import ROOT
from openbell.errors import ConfigError, JournalError
from openbell.journal.segments import segment_files

__all__ = ["ROOT", "TapeFacts", "find", "rebuild", "tapes"]


def tapes(root: Path | str = ROOT) -> Iterator[TapeFacts]:
    """Every tape of the catalog, by venue, day and name.

    Raises:
        JournalError: there is no such folder.
        JournalDamagedError: a tape without an index is damaged.
    """
    return (tape_facts(path) for path in _folders(Path(root)))


def find(
    root: Path | str = ROOT,
    *,
    venue: str | None = None,
    instrument: str | None = None,
    date: datetime.date | str | None = None,
) -> list[TapeFacts]:
    """The tapes of a venue, with an instrument (its symbol), that hold a day (as the venue counts days).

    Raises:
        ConfigError: text that is no date.
        JournalError, JournalDamagedError: as `tapes`.
    """
    day = _day(date)
    return [
        tape
        for tape in tapes(root)
        if (venue is None or tape.venue == venue.lower())
        and (instrument is None or instrument in tape.symbols)
        and (day is None or tape.dates[0] <= day <= tape.dates[1])
    ]


def rebuild(root: Path | str = ROOT) -> list[TapeFacts]:
    """Read every tape and write its index anew.

    Raises:
        JournalError, JournalDamagedError: as `tapes`.
    """
    return [write_index(path) for path in _folders(Path(root))]


def _folders(root: Path) -> list[Path]:
    if not root.is_dir():
        raise JournalError(
            f"expected the catalog's folder at {root}, found none; `openbell tape import FILE --root {root}` makes it"
        )
    return sorted(path for path in root.glob("*/*/*") if path.is_dir() and segment_files(path))


def _day(date: datetime.date | str | None) -> datetime.date | None:
    if not isinstance(date, str):
        return date
    try:
        return datetime.date.fromisoformat(date)
    except ValueError:
        raise ConfigError(f"expected a date as 2020-01-30, found {date!r}") from None
