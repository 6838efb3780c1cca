"""The archiver's process: makes a node's journal durable, and seals what is complete.

    python -m openbell.journal.archiver HOT DIR [--wait-us 50]

Started by the node's supervisor. It ends by itself when the writer has closed and everything is durable, or
after a last pass on SIGTERM or SIGINT. Exit code 0; 1 when the disk failed or the journal is damaged (the
writer sees this in the control page and stops sending). Sealing runs beside it in a thread, so that hashing
never delays a sync.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from openbell._native import Archiver
from openbell.errors import OpenbellError
from openbell.journal.retention import Retention, retain
from openbell.journal.seal import seal_finished

WAIT_US = 50
"""Wait after a pass that found nothing; 0 polls without rest and wants a core of its own."""

PASSES_PER_TURN = 200
"""Passes between two looks at the signals: about 10 ms at the default wait."""


class _Stop:
    """Whether a signal has asked to end."""

    def __init__(self) -> None:
        self.is_asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.is_asked = True


class _Sealer(threading.Thread):
    """Seals finished segments whenever it is woken, and lets the policy have the old ones, until it is told to end."""

    def __init__(self, directory: Path, retention: Retention) -> None:
        super().__init__(name="sealer", daemon=True)
        self._directory = directory
        self._retention = retention
        self._wake = threading.Event()
        self._is_ending = False
        self.error: Exception | None = None

    def wake(self) -> None:
        self._wake.set()

    def end(self) -> None:
        """Seal what is left and wait for it."""
        self._is_ending = True
        self._wake.set()
        self.join()

    def run(self) -> None:
        try:
            while not self._is_ending:
                self._wake.wait()
                self._wake.clear()
                seal_finished(self._directory)
                if not self._retention.is_idle:
                    retain(self._directory, self._retention)
            seal_finished(self._directory)  # what finished while the pass before the end was under way
        except (OSError, OpenbellError) as error:  # frames go on becoming durable; their seals do not
            print(
                f"openbell archiver, sealing: {error}; no segment is sealed until it is started again", file=sys.stderr
            )
            self.error = error


def archive(
    hot: Path,
    directory: Path,
    *,
    wait_us: int = WAIT_US,
    stop: _Stop | None = None,
    retention: Retention = Retention(),  # noqa: B008 (it is frozen)
) -> None:
    """Archive until the writer has closed and all is durable, or until `stop` is asked.

    Raises:
        JournalLockedError: another archiver serves `directory`.
        JournalError: the disk failed; nothing after the published watermark is promised.
        JournalDamagedError: disk and memory differ below the watermark.
    """
    archiver = Archiver(str(hot), str(directory))
    sealer = _Sealer(directory, retention)
    sealer.start()
    sealer.wake()
    try:
        while not archiver.is_done and not (stop and stop.is_asked):
            archiver.run(PASSES_PER_TURN, wait_us * 1000)
            if archiver.take_finished():
                sealer.wake()
        while archiver.run_once():
            pass
    finally:
        sealer.end()
    if sealer.error is not None:
        raise sealer.error


def main(arguments: list[str] | None = None) -> int:
    """Run the archiver; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m openbell.journal.archiver", description="Make a journal durable.")
    parser.add_argument("hot", type=Path, help="the node's directory in shared memory")
    parser.add_argument("directory", type=Path, help="the journal's directory on disk")
    parser.add_argument("--wait-us", type=int, default=WAIT_US, help="wait after an empty pass; 0 polls (default 50)")
    parser.add_argument("--plain-segments", type=int, help="pack sealed segments but for so many of the newest")
    parser.add_argument("--keep-days", type=float, help="remove sealed segments that are older")
    parser.add_argument("--keep-bytes", type=int, help="remove the oldest sealed segments while all are larger")
    options = parser.parse_args(arguments)
    retention = Retention(options.plain_segments, options.keep_days, options.keep_bytes)
    try:
        archive(options.hot, options.directory, wait_us=options.wait_us, stop=_Stop(), retention=retention)
    except (OSError, OpenbellError) as error:
        print(
            f"openbell archiver: {error}; nothing more becomes durable until another one writes it anew",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
