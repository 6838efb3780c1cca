"""What a backtest must know of a tape before it begins: its hash, its span, its instruments."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from openbell._native import SYNTHETIC_TIME
from openbell.errors import JournalError
from openbell.journal import open_journal

HASH_CHUNK_BYTES = 1 << 24


@dataclass(frozen=True)
class TapeFacts:
    """A tape as a whole; times are ns since the epoch, UTC."""

    path: Path
    hash: str
    frames: int
    records: int
    first_ns: int
    last_ns: int
    symbols: tuple[str, ...]
    is_synthetic: bool
    """Times of receipt were not measured: they are the event times."""


def inspect_tape(path: Path) -> TapeFacts:
    """Read the whole tape once.

    Raises:
        JournalError: there is none, or it is empty.
        JournalDamagedError: it is damaged; the message names the position.
    """
    if not path.is_dir() or not any(path.glob("[0-9]*.seg")):
        raise JournalError(
            f"expected a tape (a directory of .seg files) at {path}, found none; make one with "
            f"`openbell tape import FILE --out {path}`"
        )
    journal = open_journal(path)
    counts = journal.summary()
    if not counts["frames"]:
        raise JournalError(f"tape {path}: expected frames, found none; import it again")
    first = next(iter(journal))
    symbols = dict.fromkeys(
        bytes(symbol).rstrip(b"\0").decode("ascii", "replace")
        for batch in journal.arrays("Instrument")
        for symbol in np.unique(batch["symbol"])
    )
    return TapeFacts(
        path=path.resolve(),
        hash=tape_hash(path),
        frames=counts["frames"],
        records=counts["records"],
        first_ns=counts["first_ts_recv"],
        last_ns=counts["last_ts_recv"],
        symbols=tuple(symbols),
        is_synthetic=bool(first.flags & SYNTHETIC_TIME),
    )


def tape_hash(path: Path) -> str:
    """32 hexadecimal digits over the bytes of every segment, in order."""
    digest = hashlib.blake2b(digest_size=16)
    for segment in sorted(path.glob("[0-9]*.seg")):
        with segment.open("rb") as file:
            while chunk := file.read(HASH_CHUNK_BYTES):
                digest.update(chunk)
    return digest.hexdigest()
