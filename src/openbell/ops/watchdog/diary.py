"""The watchdog's own journal, written by a thread of its own.

A disk that fails or stands still may be the very reason why a node is silent: it must not hold back who stops the node.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from pathlib import Path

LINES_MAX = 1_024
"""Lines that wait for a disk which stands still."""
LEAVE_WITHIN_S = 1.0


class Diary:
    """Lines of a file, each on disk before the next. What cannot be written is said instead, and never an error."""

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        self._path, self._say = path, say
        self._lines: queue.Queue[str | None] = queue.Queue(LINES_MAX)
        self._thread = threading.Thread(target=self._write_all, name="diary", daemon=True)
        self._thread.start()

    def note(self, line: str) -> None:
        """Write `line` soon; waits for nothing."""
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._say(f"{self._path}: {LINES_MAX} lines wait for the disk already; not written: {line}")

    def close(self, within_s: float = LEAVE_WITHIN_S) -> None:
        """Wait until all is written, no longer than `within_s`."""
        try:
            self._lines.put(None, timeout=within_s)
        except queue.Full:
            return
        self._thread.join(within_s)

    def _write_all(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._write(line)
            except OSError as error:
                self._say(f"{self._path}: expected to write, found: {error}; look at the disk; not written: {line}")

    def _write(self, line: str) -> None:
        with self._path.open("a") as file:
            file.write(line + "\n")
            file.flush()
            os.fdatasync(file.fileno())
