"""Small lives of a journal, told by a seed: processes that write, archive, seal, end in order or are killed."""

import contextlib
import json
import os
import pickle
import random
import struct
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from journal.crash.disk_model import Image
from journal.crash.shim import DIE, Shim
from journal.crash.trace import Call, read_trace
from openbell.journal import Archiver, JournalReader, JournalWriter, seal_finished
from openbell.journal.durable import replace_durably
from openbell.journal.retention import Retention, retain
from openbell.node.snapshots import write_snapshot
from openbell.types import Type

OPTIONS = {"segment_bytes": 8192, "frame_bytes_max": 1024, "hot_segments_max": 6}
SHARED_MEMORY = Path("/dev/shm")
KILLED = 99
FAILED = 1


class Story(NamedTuple):
    """What happened in a scenario: the disk before it, the calls, and every frame ever appended, by seq."""

    before: Image
    calls: list[Call]
    frames: dict[int, bytes]


@contextmanager
def folders() -> Iterator[tuple[Path, Path]]:
    """A folder for the journal's and one for hot segments, gone afterwards."""
    # A writer that an exception left behind may still make a segment there while the folder goes.
    with tempfile.TemporaryDirectory(prefix="openbell-crash-", dir=SHARED_MEMORY, ignore_cleanup_errors=True) as base:
        hot = Path(base) / "hot"
        hot.mkdir()
        yield Path(base) / "host/journal", hot


def frames_of(journal: Path, hot: Path | None = None) -> dict[int, bytes]:
    """Every frame, in one row of bytes each, by seq."""
    reader, frames = JournalReader(str(journal), str(hot or ""), True), {}
    while (frame := reader.next()) is not None:
        *header, raw = frame
        frames[header[1]] = struct.pack("<BQIHQQqqB", *header) + raw.tobytes()
    return frames


class Life:
    """One process that writes a journal and archives it."""

    def __init__(self, journal: Path, hot: Path, rng: random.Random) -> None:
        self.journal, self.hot, self.rng = journal, hot, rng
        self.writer = JournalWriter(str(journal), str(hot), **OPTIONS)
        self.archiver = Archiver(str(hot), str(journal))

    def append(self) -> None:
        """An input, and most times the decision that answers it."""
        for _ in range(self.rng.randint(1, 3)):
            seq = self._frame(1, 48, self.rng.randint(1, 9), Type.BOOK_ADD)
            if seq and self.rng.random() < 0.6:
                self._frame(2, 128, self.rng.randint(1, 4), Type.INTENT, seq)

    def _frame(self, frame_class: int, size: int, count: int, type_: Type, cause: int = 0) -> int:
        records = np.frombuffer(bytearray(self.rng.randbytes(size * count)), np.uint8).copy()
        records[::size] = type_
        at = self.writer.last_seq + 1
        return self.writer.append(frame_class, 16 if cause == 0 else 0, size, records, cause, at, at, at) or 0

    def archive(self) -> None:
        self.archiver.run_once()

    def another_archiver(self) -> None:
        """The archiver dies and another one takes its place."""
        del self.archiver
        self.archiver = Archiver(str(self.hot), str(self.journal))

    def seal(self) -> None:
        seal_finished(self.journal)

    def retain(self) -> None:
        """Seal, pack all but the newest, and keep a few thousand bytes only."""
        self.seal()
        with (self.journal.parents[1] / "removed").open("ab") as file:
            pickle.dump(frames_of(self.journal, self.hot), file)
        retain(self.journal, Retention(plain_segments=2, keep_bytes=20_000))

    # What a follower of the journal writes (openbell/node/snapshots.py asks this of an engine).

    now_ns = state_hash = 0

    @property
    def seq(self) -> int:
        return int(self.archiver.durable_seq)

    def save(self) -> bytes:
        return self.rng.randbytes(self.rng.randint(1, 2000))

    def snapshot(self) -> None:
        write_snapshot(self.journal / "snapshots", self)

    def record(self) -> None:
        replace_durably(self.journal / "node.json", json.dumps({"end": self.rng.random()}).encode())

    def step(self) -> None:
        steps = [self.append] * 8 + [self.archive] * 6 + [self.seal, self.another_archiver, self.retain]
        steps += [self.snapshot, self.record]
        self.rng.choice(steps)()


def _live(shim: Shim, journal: Path, hot: Path, seed: str, steps: int) -> None:
    """In a process of its own; how it ends is drawn too."""
    rng = random.Random(seed)
    try:
        if (end := rng.random()) < 0.4:
            shim.arm(rng.randint(1, 60), DIE)
        life = Life(journal, hot, rng)
        for _ in range(steps):
            life.step()
        if end > 0.7:
            life.writer.close()
            while life.archiver.run_once():
                pass
            life.seal()
        shim.note("end of a life")
    except BaseException:
        traceback.print_exc()
        os._exit(FAILED)
    os._exit(0)


def record(
    shim: Shim, seed: str, before: Image | None = None, known: dict[int, bytes] | None = None, steps_max: int = 14
) -> Story:
    """Let a journal live one to three lives, on a disk that holds `before` and in it some of `known`."""
    rng = random.Random(seed)
    with folders() as (journal, hot):
        host, trace = journal.parent, journal.parent.parent / "trace"
        frames: dict[int, bytes] = {}
        put(before or {}, host)
        with shim.watching(host, control=hot / "journal.ctl"), shim.recording(trace):
            for life in range(rng.randint(1, 3)):
                sys.stdout.flush()
                if (child := os.fork()) == 0:
                    _live(shim, journal, hot, f"{seed}/{life}", rng.randint(2, steps_max))
                code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                if code not in (0, KILLED):
                    raise AssertionError(f"scenario {seed}: expected a life to end, found status {code}; see above")
                if journal.is_dir():
                    frames |= removed_frames(journal) | frames_of(journal, hot)
            shim.note("end")
        calls = read_trace(trace, host)
    first = min(frames, default=0)
    return Story(before or {}, calls, {seq: f for seq, f in (known or {}).items() if seq < first} | frames)


def removed_frames(journal: Path) -> dict[int, bytes]:
    """What retention may have removed since."""
    path, frames = journal.parents[1] / "removed", {}
    with contextlib.suppress(EOFError, FileNotFoundError), path.open("rb") as file:
        while True:
            frames |= pickle.load(file)
    return frames


def put(image: Image, folder: Path) -> None:
    """The files of an image, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, contents in image.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)
