"""Recordings of OKX's public channels as tapes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from openbell.backtest.tape_directory import Imported, Progress
from openbell.backtest.web_tape import Learnt, learn, listings, write_tape
from openbell.feed.okx import OkxFeed, numbers_of


def import_okx(
    file: Path, out: Path, *, day: date | None = None, symbols: Sequence[str] = (), progress: Progress | None = None
) -> Imported:
    """Write a recording of OKX's channels to a new tape in `out`; the lines say their times, `day` is not used.

    Decimals, tick and lot are what the recording's numbers show: OKX prints no zeros behind the last digit.

    Raises:
        DecodeError: the file is missing, of another kind, or damaged; the message names the line.
        JournalError: `out` is not empty, or cannot be written.
    """
    del day
    began = time.perf_counter()
    learnt = learn(file, _see, progress)
    return write_tape(file, out, OkxFeed(listings(learnt, symbols, "OKX")), began, progress)


def _see(raw: bytes, learnt: dict[str, Learnt]) -> None:
    symbol, has_depth, numbers = numbers_of(raw)
    if symbol and numbers:
        of = learnt.setdefault(symbol, Learnt())
        of.has_depth |= has_depth
        of.see(*numbers)
