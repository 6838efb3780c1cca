"""Snapshots of the engine's state, written by a follower of the journal, never by the trading thread (law 14).

    0       8         12    16    24       32           40       48
    | magic | version | crc | seq | now_ns | state_hash | length | state ...

A snapshot is a shortcut, never the truth: a damaged one, or one newer than its journal, is passed over for an
older one, and without any the journal is played from its first frame.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from openbell import _native as native
from openbell.errors import InvariantError, JournalError, OpenbellError, SnapshotError
from openbell.journal.durable import replace_durably
from openbell.journal.frames import Frame
from openbell.node.lifeline import end_with_parent
from openbell.types import KillLevel

if TYPE_CHECKING:
    from openbell.node.config import NodeConfig

MAGIC = b"openbsnp"
VERSION = 1
HEADER = struct.Struct("<8sIIQqQQ")
KEEP = 3
POLL_S = 0.05
FRAMES_PER_LOOK = 100_000
BEGIN_EVERY_S = 1.0
"""Between two looks for a snapshot to begin with, where the first frames are gone."""


class NoBeginError(JournalError):
    """The journal's first frames were removed, and no snapshot of a later one can be used by this core."""


def write_snapshot(directory: Path, engine: native.Engine, kept: int = KEEP) -> Path:
    """Write `engine`'s state durably and return the file.

    Older ones beyond `kept` are removed, and later ones: they are of a future that did not happen.
    """
    state = engine.save()
    body = (
        HEADER.pack(MAGIC, VERSION, zlib.crc32(state), engine.seq, engine.now_ns, engine.state_hash, len(state)) + state
    )
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / f"{engine.seq:012}.snap"
    replace_durably(target, body)
    stay = [path for path in sorted(directory.glob("*.snap")) if path <= target][-kept:]
    for other in set(directory.glob("*.snap")) - set(stay):
        other.unlink()
    return target


def begin_with(directory: Path, engine: native.Engine) -> None:
    """Keep a snapshot of `engine` and no other: those there are were made by a core that decides otherwise."""
    for other in directory.glob("*.snap"):
        other.replace(other.with_suffix(".snap-of-another-core"))
    write_snapshot(directory, engine)


class Policy(NamedTuple):
    """When a snapshot is due: after so many seconds with news, frames, or bytes of the journal, whatever is first."""

    every_s: float
    every_frames: int
    every_bytes: int
    kept: int = KEEP

    def is_due(self, seconds: float, frames: int, bytes_: int) -> bool:
        """Whether one is, so much after the last one."""
        is_long_ago = seconds >= self.every_s or frames >= self.every_frames or bytes_ >= self.every_bytes
        return frames > 0 and is_long_ago


class Snapshot(NamedTuple):
    """A state after frame `seq`, whose engine time was `now_ns`: together they name one frame of one journal."""

    seq: int
    now_ns: int
    state_hash: int
    state: bytes


def read_snapshot(path: Path) -> Snapshot:
    """Return the snapshot in a file.

    Raises:
        SnapshotError: the file is cut, damaged or of another version.
    """
    raw = path.read_bytes()
    if len(raw) < HEADER.size:
        raise SnapshotError(f"snapshot {path}: expected a header of {HEADER.size} bytes, found {len(raw)}")
    magic, version, crc, seq, now_ns, state_hash, length = HEADER.unpack_from(raw)
    state = raw[HEADER.size :]
    if magic != MAGIC or version != VERSION:
        raise SnapshotError(f"snapshot {path}: expected version {VERSION} of openbsnp, found {magic!r} {version}")
    if len(state) != length or zlib.crc32(state) != crc:
        raise SnapshotError(f"snapshot {path}: expected {length} undamaged bytes of state, found {len(state)}")
    return Snapshot(seq, now_ns, state_hash, state)


def looked_at_snapshots(journal_dir: Path, hot_dir: Path) -> Iterator[tuple[str, Snapshot | str]]:
    """(file, snapshot) of every one, newest first; instead of one that cannot be used, why.

    A journal that lost its tail with the host may have snapshots of a future that did not happen.
    """
    for path in sorted((journal_dir / "snapshots").glob("*.snap"), reverse=True):
        try:
            snapshot = read_snapshot(path)
            reader = native.JournalReader(str(journal_dir), str(hot_dir), False)
            reader.seek(snapshot.seq)
            frame = Frame._make(found) if (found := reader.next()) is not None else None
        except (OpenbellError, OSError) as error:
            yield path.name, str(error)
            continue
        if frame is None or (frame.seq, frame.ts_seq) != (snapshot.seq, snapshot.now_ns):
            yield path.name, f"this journal holds no such frame {snapshot.seq}; a future that was lost"
        else:
            yield path.name, snapshot


def expect_a_begin(journal_dir: Path, hot_dir: Path, passed_over: dict[str, str]) -> None:
    """Look whether the journal's first frame is there, where all snapshots were `passed_over`.

    Raises:
        NoBeginError: it was removed.
    """
    first = native.JournalReader(str(journal_dir), str(hot_dir), False).next()
    begins_at = Frame._make(first).seq if first is not None else 1
    if begins_at > 1:
        found = "; ".join(f"{name}: {why}" for name, why in passed_over.items()) or "none"
        raise NoBeginError(
            f"recovery of {journal_dir}: expected a snapshot that this core can go on from, because the frames before "
            f"{begins_at:_} were removed, found {found}; start the core that wrote them, or bring what was removed back"
        )


def newest_after(journal_dir: Path, engine: native.Engine) -> int:
    """The newest frame that a whole snapshot knew after the journal's end, at which `engine` stands; 0: none did.

    One that is older than the engine's time does not count: the journal went on since, and the start that did has told
    what it had lost.
    """
    for path in sorted((journal_dir / "snapshots").glob("*.snap"), reverse=True):
        try:
            snapshot = read_snapshot(path)
        except (OpenbellError, OSError):
            continue
        is_named_so = path.stem == f"{snapshot.seq:012}"  # no checksum covers the number in the header
        if is_named_so and snapshot.seq > engine.seq and snapshot.now_ns > engine.now_ns:
            return snapshot.seq
    return 0


def usable_snapshots(journal_dir: Path, hot_dir: Path) -> Iterator[Snapshot]:
    """Whole snapshots of frames that this journal holds, newest first; others are passed over."""
    for _, snapshot in looked_at_snapshots(journal_dir, hot_dir):
        if isinstance(snapshot, Snapshot):
            yield snapshot


def open_follower(capacity: native.EngineCapacity, journal_dir: Path, hot_dir: Path) -> native.Follower:
    """A follower that stands at the newest snapshot it can use, or before the first frame.

    Raises:
        NoBeginError: there is none of both.
    """
    directories = str(journal_dir), str(hot_dir)
    passed_over: dict[str, str] = {}
    for name, snapshot in looked_at_snapshots(journal_dir, hot_dir):
        if isinstance(snapshot, str):
            passed_over[name] = snapshot
            continue
        follower = native.Follower(capacity, *directories)
        try:
            follower.load(snapshot.state)
        except OpenbellError as error:  # of other capacities
            passed_over[name] = str(error)
            continue
        if follower.engine.state_hash == snapshot.state_hash:
            return follower
        passed_over[name] = "its state has another hash in this core"
    expect_a_begin(journal_dir, hot_dir, passed_over)
    return native.Follower(capacity, *directories)


def follow(config_path: Path, mode: str = "") -> None:
    """Follow the node's journal and snapshot it as its file says, until SIGTERM.

    Raises:
        JournalLockedError: a node with another hot folder writes this journal; its newest frames are not to be seen.
    """
    from openbell.node.assemble import capacity_of
    from openbell.node.config import load_node

    config = load_node(config_path, mode)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    journal_dir, hot_dir = config.node.journal_dir, config.node.hot_dir
    with native.FolderLock(str(journal_dir), str(hot_dir)):
        follower = _wait_for_a_begin(capacity_of(config), journal_dir, hot_dir, stop)
        if follower is None:
            return
        policy = policy_of(config)
        written, bytes_, at = follower.engine.seq, 0, time.monotonic()
        while not stop.is_set():
            follower.poll(FRAMES_PER_LOOK)
            if policy.is_due(time.monotonic() - at, follower.engine.seq - written, follower.bytes - bytes_):
                expect_same(follower)
                audit(follower.engine, hot_dir)
                write_snapshot(journal_dir / "snapshots", follower.engine, policy.kept)
                written, bytes_, at = follower.engine.seq, follower.bytes, time.monotonic()
            elif not follower.poll(FRAMES_PER_LOOK):
                stop.wait(POLL_S)


def _wait_for_a_begin(
    capacity: native.EngineCapacity, journal_dir: Path, hot_dir: Path, stop: threading.Event
) -> native.Follower | None:
    """A follower; where this core can use no snapshot, a person may just have accepted it, and the node writes one.

    None when a stop came first.
    """
    is_told = False
    while not stop.is_set():
        try:
            return open_follower(capacity, journal_dir, hot_dir)
        except NoBeginError as error:
            if not is_told:
                print(f"openbell snapshots: {error}; none is made until then", file=sys.stderr, flush=True)
            is_told = True
            stop.wait(BEGIN_EVERY_S)
    return None


def policy_of(config: NodeConfig) -> Policy:
    """As the node's file says."""
    node = config.node
    return Policy(node.snapshot_every_s, node.snapshot_every_frames, node.snapshot_every_mib << 20, node.snapshots_kept)


def expect_same(follower: native.Follower) -> None:
    """Look whether the follower has decided what the node did.

    Raises:
        InvariantError: it has not.
    """
    if follower.report.core_differs_at:
        raise InvariantError(
            f"snapshots: expected the decision of the journal after seq {follower.report.core_differs_at}, "
            f"found another ({follower.report.what}); no snapshot is made of a state that is not the node's"
        )


def audit(engine: native.Engine, hot_dir: Path) -> None:
    """Look whether the node's books contradict themselves; this engine is the node's own, a moment later.

    Raises:
        InvariantError: they do. The node is killed (hard): nothing may be opened on books that cannot be right.
    """
    try:
        engine.audit()
    except InvariantError:
        native.KillCell.open(str(hot_dir / "kill")).request(KillLevel.HARD, time.time_ns(), os.getuid())
        raise


if __name__ == "__main__":
    end_with_parent()
    try:
        follow(Path(sys.argv[1]), *sys.argv[2:3])
    except OpenbellError as error:
        sys.exit(f"openbell snapshots: {error}")
