"""The archiver's process: makes a node's journal durable, and seals what is complete.

    python -m openbell.journal.archiver HOT DIR [--wait-us 50]

Started by the node's supervisor. It ends by itself when the writer has closed and everything is durable, or
after a last pass on SIGTERM or SIGINT. Exit code 0; 1 when the disk failed or the journal is damaged (the
writer sees this in the control page and stops sending). Sealing runs beside it in a thread, so that hashing
never delays a sync; what it could not do, on a full disk for one, it tries again.
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
from openbell.journal.durable import SyncFailedError
from openbell.journal.retention import Retention, retain
from openbell.journal.seal import seal_finished

WAIT_US = 50
"""Wait after a pass that found nothing; 0 polls without rest and wants a core of its own."""

PASSES_PER_TURN = 200
"""Passes between two looks at the signals: about 10 ms at the default wait."""


SEAL_AGAIN_S, SEAL_AGAIN_S_MAX = 1.0, 60.0
"""Wait after a sealing that failed, twice as long after each that follows."""


class _Stop:
    """Whether a signal has asked to end."""

    def __init__(self) -> None:
        self.is_asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.is_asked = True


class _Sealer(threading.Thread):
    """Seals finished segments whenever it is woken, and lets the policy have the old ones, until it is told to end.

    A failure may pass: it is said and tried again. One of a sync may not, and ends the archiver; another one writes
    anew what was not promised.
    """

    def __init__(self, directory: Path, retention: Retention) -> None:
        super().__init__(name="sealer", daemon=True)
        self._directory = directory
        self._retention = retention
        self._wake = threading.Event()
        self._is_ending = False
        self.error: Exception | None = None
        self.has_given_up = False

    def wake(self) -> None:
        self._wake.set()

    def end(self) -> None:
        """Seal what is left and wait for it."""
        self._is_ending = True
        self._wake.set()
        self.join()

    def run(self) -> None:
        again_s: float | None = None
        while not self.has_given_up:
            self._wake.wait(again_s)
            self._wake.clear()
            is_last = self._is_ending  # what finished while the pass before the end was under way
            self._pass(is_last=is_last)
            if is_last:
                return
            again_s = min(2 * again_s if again_s else SEAL_AGAIN_S, SEAL_AGAIN_S_MAX) if self.error else None

    def _pass(self, *, is_last: bool) -> None:
        try:
            seal_finished(self._directory)
            if not is_last and not self._retention.is_idle:
                retain(self._directory, self._retention)
        except (OSError, OpenbellError) as error:
            self.has_given_up = isinstance(error, SyncFailedError)
            if str(error) != str(self.error):
                then = "the archiver ends" if self.has_given_up else "it is tried again"
                print(f"openbell archiver, sealing: {error}; {then}", file=sys.stderr, flush=True)
            self.error = error
        else:
            if self.error:
                print("openbell archiver, sealing: it works again", file=sys.stderr, flush=True)
            self.error = None


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
        JournalError: the disk failed; nothing after the published watermark is promised, or what is complete not
            sealed.
        JournalDamagedError: disk and memory differ below the watermark.
    """
    archiver = Archiver(str(hot), str(directory))
    sealer = _Sealer(directory, retention)
    sealer.start()
    sealer.wake()
    try:
        while not archiver.is_done and not (stop and stop.is_asked) and not sealer.has_given_up:
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
