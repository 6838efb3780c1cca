"""A person says where a journal ends: after damage, or where nothing tells any more how far it was durable.

What is cut off is kept beside the segments, as `<n>.torn`. Only the end can be cut: a segment that is sealed, or has
another after it, comes back from a copy or not at all.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import NamedTuple

from openbell._native import FolderLock, JournalReader, crc32c
from openbell.errors import JournalDamagedError, JournalError
from openbell.journal.durable import replace_durably, sync_folder

WATERMARK = struct.Struct("<QQQII")
SEGMENT_MAGIC = b"openbell"
LATEST_AT = 4096
"""Of the second watermark in DURABLE: native/journal/watermark.h."""


class Whole(NamedTuple):
    """How far a journal can be read: the last whole frame, and the byte after it."""

    seq: int
    segment: int
    offset: int
    why: str
    """What stopped the reader; empty: nothing."""


def whole_part(directory: Path) -> Whole:
    """Read the journal in `directory`, every CRC, to where it can be read no further."""
    reader, why = JournalReader(str(directory), "", True), ""
    try:
        reader.summary()
        reader.expect_end()
    except JournalDamagedError as damage:
        why = str(damage)
    if reader.segment == 0:
        return Whole(0, 0, 0, why)
    return Whole(reader.next_seq - 1, reader.segment, reader.offset, why)


def cut(directory: Path, through: int) -> Whole:
    """End the journal in `directory`, which no node runs, after frame `through`: its last that is whole.

    Raises:
        JournalLockedError: a node holds it.
        JournalError: another frame is the last whole one, or more than the end would have to be cut.
    """
    with FolderLock(str(directory), str(directory)):
        whole = whole_part(directory)
        if through != whole.seq:
            raise JournalError(
                f"expected --through {whole.seq}, the last whole frame, found {through}; nothing was cut"
            )
        younger = [path for path in sorted(directory.glob("[0-9]*.seg")) if int(path.stem) > whole.segment]
        held = [f"segment {int(path.stem)}" for path in younger[1:]]
        held += [f"segment {int(path.stem)}" for path in younger[:1] if whole.segment and _is_begun(path)]
        held += [path.name for path in directory.glob("[0-9]*.seal") if int(path.stem) > whole.segment]
        if held or (whole.segment and whole.why and (directory / f"{whole.segment:08}.seal").exists()):
            raise JournalError(
                f"expected the damage at the end of {directory}, found {', '.join(held) or 'a seal'} after it; nothing "
                f"was cut: restore the segment from a copy ({whole.why})"
            )
        for path in younger:
            path.rename(_free(path))
        if whole.segment:
            _keep_tail(directory / f"{whole.segment:08}.seg", whole.offset)
        sync_folder(directory)
        replace_durably(directory / "DURABLE", _watermarks(whole))
    return whole


def _is_begun(segment: Path) -> bool:
    """All before it had been synced then: what is wrong there is no torn end."""
    with segment.open("rb") as file:
        return file.read(len(SEGMENT_MAGIC)) == SEGMENT_MAGIC


def _keep_tail(segment: Path, offset: int) -> None:
    with segment.open("r+b") as file:
        file.seek(offset)
        tail = file.read()
        if tail.strip(b"\0") and not tail.startswith(b"\xff\xff\xff\xff"):  # else nothing, or the end marker
            replace_durably(_free(segment), tail)
            file.truncate(offset)
            os.fsync(file.fileno())


def _free(segment: Path) -> Path:
    """A name that nothing has yet."""
    name, number = segment.with_suffix(".torn"), 1
    while name.exists():
        name, number = segment.with_suffix(f".torn.{number}"), number + 1
    return name


def _watermarks(whole: Whole) -> bytes:
    place = struct.pack("<QQQ", whole.seq, whole.segment, whole.offset)
    one = WATERMARK.pack(whole.seq, whole.segment, whole.offset, crc32c(place), 0)
    return one.ljust(LATEST_AT, b"\0") + one
