"""The page of shared memory where a journal's writer, archiver and readers meet: native/journal/control.h."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

CONTROL_NAME = "journal.ctl"
WRITER_OPEN = 1


@dataclass(frozen=True)
class JournalPage:
    """The page where writer, archiver and readers meet (native/journal/control.h)."""

    writer_pid: int
    state: int
    epoch: int
    committed_seq: int
    durable_seq: int

    @property
    def is_open(self) -> bool:
        """Nobody has closed the journal: its writer lives, or has died in the middle."""
        return self.state == WRITER_OPEN

    @property
    def is_alive(self) -> bool:
        """A process holds the journal open. A process that died in the middle does not."""
        return self.is_open and _is_process(self.writer_pid)


def read_page(hot_dir: Path) -> JournalPage:
    """The journal's page in `hot_dir`; zeros when no node has opened a journal there."""
    try:
        with (hot_dir / CONTROL_NAME).open("rb") as file:
            raw = file.read(256)
    except OSError:
        raw = b""
    if len(raw) < 256 or raw[:8] != b"openbctl":
        return JournalPage(0, 0, 0, 0, 0)
    pid, state, epoch = struct.unpack_from("<III", raw, 24)
    (committed,) = struct.unpack_from("<Q", raw, 80)
    (durable,) = struct.unpack_from("<Q", raw, 144)
    return JournalPage(pid, state, epoch, committed, durable)


def _is_process(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        try:
            os.kill(pid, 0)
        except OSError:
            return False
        return True
    return state not in ("Z", "X")
