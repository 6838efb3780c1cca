"""Makes a tape (a journal of market data) from a file of another format; ITCH 5.0 here, others in their own files.

Files without receive times carry their event times instead and the flag kSyntheticTime (native/journal/frame.h), so
that no backtest takes them for measured ones. The same file gives the same bytes.
"""

import gzip
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import BinaryIO, cast

from openbell._native import EdgeConfig, JournalWriter, TapeImport
from openbell.backtest.tape_directory import (
    Imported,
    Progress,
    date_in_name,
    failed_checks,
    kept_out,
    midnight_ns,
    new_directory,
    only_met,
)
from openbell.backtest.tape_kinds import GZIP_MAGIC, kind_of
from openbell.errors import DecodeError

CHUNK_BYTES = 4 << 20


def import_tape(
    file: Path,
    out: Path,
    *,
    kind: str | None = None,
    day: date | None = None,
    symbols: Sequence[str] = (),
    progress: Progress | None = None,
    checks: EdgeConfig | None = None,
) -> Imported:
    """Write the market data of `file` to a new tape in the directory `out`, whole or not at all.

    `kind` is a name of `tape_kinds.KINDS`; without it the file's content decides, then its name. `day` is the
    exchange's date where the format has none; without it the file's name must say it. Without `symbols` all are
    imported. `checks` are those of a node's feed (node/edge.py), for files of ITCH; without it the defaults hold.

    Raises:
        DecodeError: the file is missing, of another kind, or damaged; the message names the place.
        ConfigError: the kind or the date is not known, a package that reads this kind is not installed, or `checks`
            are given for a file that is not ITCH.
        JournalError: `out` is not empty, or cannot be written.
    """
    if not file.is_file():
        raise DecodeError(f"expected a file of market data at {file}, found no file; check the path")
    return kind_of(file, kind).importer(checks)(file, out, day=day, symbols=symbols, progress=progress)


def import_itch(
    file: Path,
    out: Path,
    *,
    day: date | None = None,
    symbols: Sequence[str] = (),
    progress: Progress | None = None,
    checks: EdgeConfig | None = None,
) -> Imported:
    """NASDAQ ITCH 5.0 behind 2-byte lengths, plain or gzip; a frame holds the consecutive messages of one time."""
    midnight = midnight_ns(day or date_in_name(file.name))
    return write_itch(itch_chunks(file), file.stat().st_size, out, midnight, symbols, progress, checks=checks)


def write_itch(
    chunks: Iterable[tuple[bytes, int]],
    total: int,
    out: Path,
    midnight: int,
    symbols: Sequence[str],
    progress: Progress | None,
    *,
    split_by_tracking: bool = False,
    checks: EdgeConfig | None = None,
) -> Imported:
    """Write framed ITCH bytes to the tape `out`; each chunk comes with how much of `total` it ends at."""
    began = time.perf_counter()
    with new_directory(out) as directory:
        journal = JournalWriter(str(directory))
        tape = TapeImport(journal, midnight, list(symbols), split_by_tracking, checks or EdgeConfig())
        for chunk, done in chunks:
            tape.feed(chunk)
            if progress:
                progress(done, total, tape.messages)
        tape.finish()
        journal.close()
    left_out = only_met(malformed=tape.malformed, of_unknown_type=tape.unknown, **kept_out(tape.checks))
    seconds = time.perf_counter() - began
    failed = failed_checks(tape.checks)
    return Imported(tape.messages, tape.unsubscribed, tape.records, tape.frames, seconds, left_out, failed)


def itch_chunks(file: Path) -> Iterator[tuple[bytes, int]]:
    """The bytes of a plain or gzip file, each piece with the place on disk where it ends."""
    total = file.stat().st_size
    with file.open("rb") as raw:
        is_gzip = raw.read(2) == GZIP_MAGIC
        raw.seek(0)
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if is_gzip else raw
        try:
            while chunk := stream.read(CHUNK_BYTES):
                yield chunk, raw.tell()
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DecodeError(
                f"expected a whole gzip file at {file}, found it damaged near byte {raw.tell()} of {total}: {error}; "
                "download it again"
            ) from error
