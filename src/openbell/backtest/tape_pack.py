"""Packs the segments of a tape with zstd. Readers go on reading it as before, one segment in memory at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from openbell.backtest.tape import TapeFacts, files_of, write_index
from openbell.errors import JournalError, JournalLockedError
from openbell.journal.lock import locked
from openbell.journal.packing import LEVEL, pack_segment
from openbell.journal.segments import PACKED

NODE_FILES = ("DURABLE", "node.json")
"""Marks of a journal that a node writes: the durable watermark and the record of its run."""


class Packed(NamedTuple):
    """Bytes of the segments before and after."""

    plain_bytes: int
    packed_bytes: int
    facts: TapeFacts


def pack_tape(path: Path, *, level: int = LEVEL, progress: Callable[[int, int], None] | None = None) -> Packed:
    """Replace every plain segment of the tape by a packed one, each after reading back what was written.

    An interruption leaves a whole tape: a plain segment goes only when its packed one is on disk.
    `progress` is told (bytes done, all of them). The hash of the tape is of its contents and stays.

    Raises:
        JournalError: there is no tape, or it is the journal of a node.
        JournalLockedError: somebody is writing it.
        JournalDamagedError: what was written did not read back; the plain segment is still there.
    """
    files = files_of(path)
    for name in NODE_FILES:
        if (path / name).exists():
            raise JournalError(
                f"expected a tape at {path}, found the journal of a node (it has {name}); only tapes can be packed"
            )
    plain = [path / name for name in files if not name.endswith(PACKED)]
    total = sum(file.stat().st_size for file in plain)
    done = 0
    with locked(path) as is_ours:
        if not is_ours:
            raise JournalLockedError(
                f"tape has one writer: expected {path} to be free, found it locked; wait for the other process"
            )
        for file in plain:
            size = file.stat().st_size
            pack_segment(file, level)
            done += size
            if progress:
                progress(done, total)
        facts = write_index(path)
    return Packed(total, sum(facts.files[file.name + PACKED] for file in plain), facts)
