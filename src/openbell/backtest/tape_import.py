"""Makes a tape (a journal of market data) from files of other formats: NASDAQ ITCH 5.0 days and LOBSTER zips.

Such files have no receive times. Every frame carries its event time instead and the flag kSyntheticTime
(native/journal/frame.h), so that no backtest takes them for measured ones. The same file gives the same bytes.
"""

import gzip
import re
import shutil
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast
from zoneinfo import ZoneInfo

from openbell._native import JournalWriter, TapeImport
from openbell.errors import ConfigError, DecodeError, JournalError
from openbell.exchange.lobster import itch_messages
from openbell.exchange.lobster_file import LobsterDay, load_lobster

EXCHANGE_ZONE = ZoneInfo("America/New_York")
"""ITCH counts from midnight of the exchange's day."""
CHUNK_BYTES = 4 << 20
ROWS_PER_CHUNK = 8192
GZIP_MAGIC = b"\x1f\x8b"
Progress = Callable[[int, int], None]
"""(done, total): bytes on disk of an ITCH file, messages of a LOBSTER day (made-up ones come on top)."""


@dataclass(frozen=True)
class Imported:
    """What an import read and wrote; `unsubscribed` messages were of symbols that were not asked for."""

    messages: int
    unsubscribed: int
    records: int
    frames: int
    seconds: float


def import_tape(
    file: Path,
    out: Path,
    *,
    day: date | None = None,
    symbols: Sequence[str] = (),
    progress: Progress | None = None,
) -> Imported:
    """Write the market data of `file` to a new tape in the directory `out`, whole or not at all.

    `day` is the exchange's date; without it the file's name must say it. Without `symbols` all are imported. A frame
    holds one row of a LOBSTER file, or the consecutive ITCH messages of one timestamp.

    Raises:
        DecodeError: the file is missing, of another kind, or damaged; the message names the byte.
        ConfigError: the date is not known.
        JournalError: `out` is not empty, or cannot be written.
    """
    began = time.perf_counter()
    if not file.is_file():
        raise DecodeError(f"expected an ITCH 5.0 file or a LOBSTER zip at {file}, found no file; check the path")
    lobster = load_lobster(file) if zipfile.is_zipfile(file) else None
    midnight = midnight_ns(day or (lobster.date if lobster else date_in_name(file.name)))
    chunks = lobster_chunks(lobster, progress) if lobster else itch_chunks(file, progress)

    with _new_directory(out) as directory:
        journal = JournalWriter(str(directory))
        tape = TapeImport(journal, midnight, list(symbols), split_by_tracking=lobster is not None)
        for chunk in chunks:
            tape.feed(chunk)
        tape.finish()
        journal.close()
    return Imported(tape.messages, tape.unsubscribed, tape.records, tape.frames, time.perf_counter() - began)


@contextmanager
def _new_directory(out: Path) -> Iterator[Path]:
    """A directory beside `out` that becomes `out` when the body succeeds, and is removed when it fails."""
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise JournalError(f"expected no tape at {out} yet, found something there; choose another --out or remove it")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        unfinished.chmod(0o755)
    except OSError as error:
        raise JournalError(f"expected to make the directory {out}: {error}; choose another --out") from error
    try:
        yield unfinished
        unfinished.replace(out)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def midnight_ns(day: date) -> int:
    """UTC ns of midnight at the exchange."""
    return int(datetime(day.year, day.month, day.day, tzinfo=EXCHANGE_ZONE).timestamp()) * 1_000_000_000


def date_in_name(name: str) -> date:
    """The date that a file's name states: 2020-01-30, 20200130, and NASDAQ's own 01302020 and S013020."""
    for pattern, order in (
        (r"(?<!\d)(\d{4})-(\d\d)-(\d\d)(?!\d)", "ymd"),
        (r"(?<!\d)((?:19|20)\d\d)(\d\d)(\d\d)(?!\d)", "ymd"),
        (r"(?<!\d)(\d\d)(\d\d)(\d{4})(?!\d)", "mdy"),
        (r"(?<![A-Za-z\d])S(\d\d)(\d\d)(\d\d)(?!\d)", "mdy"),
    ):
        for match in re.finditer(pattern, name):
            parts = dict(zip(order, map(int, match.groups()), strict=True))
            with suppress(ValueError):
                return date(parts["y"] + (2000 if parts["y"] < 100 else 0), parts["m"], parts["d"])
    raise ConfigError(f"expected a date in the file's name, as in 20200130, found {name!r}; give it with --date")


def lobster_chunks(day: LobsterDay, progress: Progress | None) -> Iterator[bytes]:
    """The day as ITCH in NASDAQ's file framing: 2-byte big-endian length, message."""
    messages = itch_messages(day, symbol=day.symbol)
    done = 0
    while chunk := b"".join(len(m).to_bytes(2) + m for _, m in islice(messages, ROWS_PER_CHUNK)):
        yield chunk
        done += ROWS_PER_CHUNK
        if progress:
            progress(min(done, len(day)), len(day))


def itch_chunks(file: Path, progress: Progress | None) -> Iterator[bytes]:
    """The bytes of a plain or gzip file; progress counts bytes on disk."""
    total = file.stat().st_size
    with file.open("rb") as raw:
        is_gzip = raw.read(2) == GZIP_MAGIC
        raw.seek(0)
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if is_gzip else raw
        try:
            while chunk := stream.read(CHUNK_BYTES):
                yield chunk
                if progress:
                    progress(raw.tell(), total)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DecodeError(
                f"expected a whole gzip file at {file}, found it damaged near byte {raw.tell()} of {total}: {error}; "
                "download it again"
            ) from error
