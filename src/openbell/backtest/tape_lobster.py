"""Makes a tape from a LOBSTER zip: its rows become the ITCH messages that would have shown the same book."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice
from pathlib import Path

from openbell._native import EdgeConfig
from openbell.backtest.tape_directory import Imported, Progress, midnight_ns
from openbell.backtest.tape_import import write_itch
from openbell.exchange.lobster import itch_messages
from openbell.exchange.lobster_file import LobsterDay, load_lobster

ROWS_PER_CHUNK = 8192


def import_lobster(
    file: Path,
    out: Path,
    *,
    day: date | None = None,
    symbols: Sequence[str] = (),
    progress: Progress | None = None,
    checks: EdgeConfig | None = None,
) -> Imported:
    """A LOBSTER zip with the day in the names of its files; a frame holds one row."""
    lobster = load_lobster(file)
    midnight = midnight_ns(day or lobster.date)
    chunks = lobster_chunks(lobster)
    return write_itch(chunks, len(lobster), out, midnight, symbols, progress, split_by_tracking=True, checks=checks)


def lobster_chunks(day: LobsterDay) -> Iterator[tuple[bytes, int]]:
    """The day as ITCH in NASDAQ's file framing (2-byte big-endian length, message), each piece with its last row."""
    messages = itch_messages(day, symbol=day.symbol)
    done = 0
    while chunk := b"".join(len(m).to_bytes(2) + m for _, m in islice(messages, ROWS_PER_CHUNK)):
        done += ROWS_PER_CHUNK  # made-up messages come on top of the rows
        yield chunk, min(done, len(day))
