"""Seals: after a segment is complete, its hash is written beside it and chained to the seal before it.

`<n>.seal` is one line of JSON. `prev` is the SHA-256 of the bytes of the previous seal, so that altering any
sealed byte of a journal breaks every seal after it; the last seal's own hash names the whole journal.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

from openbell._native import JournalReader
from openbell.errors import JournalDamagedError
from openbell.journal.durable import replace_durably, sync_file
from openbell.journal.segments import first_seq_of, open_segment, removed_through, segment_file

NO_SEAL = "0" * 64
"""`prev` of the first seal."""

END_MARKER = struct.pack("<I12x", 0xFFFFFFFF)


class Seal(NamedTuple):
    """What a seal says; sizes in bytes, hashes as lower-case hexadecimal SHA-256."""

    segment: int
    first_seq: int
    last_seq: int
    bytes: int
    sha256: str
    prev: str


def segment_numbers(directory: Path) -> list[int]:
    """Numbers of the segment files in a directory, ascending."""
    return sorted(int(path.stem) for path in directory.glob("[0-9]*.seg"))


def seal_finished(directory: Path) -> list[Seal]:
    """Seal, in order, every complete segment that has no seal yet; return the new seals."""
    made = []
    prev = NO_SEAL
    if seals := sorted(directory.glob("[0-9]*.seal")):
        prev = hashlib.sha256(seals[-1].read_bytes()).hexdigest()
    for number in segment_numbers(directory):
        path = directory / f"{number:08}.seal"
        if seals and number <= int(seals[-1].stem):
            continue
        if not path.exists():
            seal = _seal_of(directory, number, prev)
            if seal is None:
                break
            replace_durably(path, json.dumps(seal._asdict()).encode() + b"\n")
            made.append(seal)
        prev = hashlib.sha256(path.read_bytes()).hexdigest()
    return made


def journal_hash(directory: Path) -> str:
    """The hash of the last seal: the name of everything sealed. NO_SEAL when nothing is."""
    seals = sorted(directory.glob("[0-9]*.seal"))
    return hashlib.sha256(seals[-1].read_bytes()).hexdigest() if seals else NO_SEAL


def verify_seals(directory: Path) -> Iterator[Seal]:
    """Yield each seal that holds.

    Raises:
        JournalDamagedError: a sealed segment is missing or altered, or the chain is broken; the message names
            the first one.
    """
    prev, removed = NO_SEAL, removed_through(directory)
    for path in sorted(directory.glob("[0-9]*.seal")):
        text = path.read_bytes()
        try:
            seal = Seal(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise JournalDamagedError(f"expected a seal, found {text[:80]!r} in {path}; restore it") from error
        segment = segment_file(directory, int(path.stem))
        is_removed = seal.segment <= removed
        if seal.prev != prev:
            raise JournalDamagedError(
                f"hash chain is broken: expected prev {prev[:16]}..., found {seal.prev[:16]}... in {path}; "
                "a seal before it was altered or removed"
            )
        if not is_removed and (not segment.exists() or (found := _sha256(segment)) != seal.sha256):
            state = f"found {found[:16]}..." if segment.exists() else "found no file"
            raise JournalDamagedError(
                f"sealed segment was altered: expected sha256 {seal.sha256[:16]}..., {state}, in {segment} "
                "at offset 0; restore this segment from a copy"
            )
        yield seal
        prev = hashlib.sha256(text).hexdigest()


def _sha256(path: Path) -> str:
    with open_segment(path) as file:
        return hashlib.file_digest(cast(Any, file), "sha256").hexdigest()


def _seal_of(directory: Path, number: int, prev: str) -> Seal | None:
    """The seal of a segment, or None while it has no end marker."""
    path = directory / f"{number:08}.seg"
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size < 4096 + len(END_MARKER):
            return None
        file.seek(size - len(END_MARKER))
        if file.read() != END_MARKER:
            return None
    sync_file(path)  # an archiver that died may have left it written and not synced; a seal must not outlive it
    first_seq = first_seq_of(path)
    last_seq = _last_seq(directory, number, first_seq)
    return Seal(number, first_seq, last_seq, size, _sha256(path), prev)


def _last_seq(directory: Path, number: int, first_seq: int) -> int:
    """The number before the next segment's first; without a next segment, that of the last frame there is."""
    before_next = _seq_before(directory / f"{number + 1:08}.seg")
    if before_next is not None:
        return before_next
    reader = JournalReader(str(directory))
    reader.seek(first_seq)
    last = int(reader.summary()["last_seq"]) if reader.segment == number else first_seq - 1
    # The reader goes on into a next segment that has appeared meanwhile; then that one says it.
    before_next = _seq_before(directory / f"{number + 1:08}.seg")
    return last if before_next is None else before_next


def _seq_before(segment: Path) -> int | None:
    """The number before a segment's first, or None while it has no header."""
    if not segment.exists() or segment.stat().st_size < 4096:
        return None
    return first_seq_of(segment) - 1
