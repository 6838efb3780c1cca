"""Snapshots of the engine's state, written by a follower of the journal, never by the trading thread (law 14).

    0       8         12    16    24       32           40       48
    | magic | version | crc | seq | now_ns | state_hash | length | state ...

A snapshot is a shortcut, never the truth: a damaged one, or one newer than its journal, is passed over for an
older one, and without any the journal is played from its first frame.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from openbell import _native as native
from openbell.errors import InvariantError, SnapshotError
from openbell.journal.frames import Frame
from openbell.node.lifeline import end_with_parent
from openbell.types import KillLevel

MAGIC = b"openbsnp"
VERSION = 1
HEADER = struct.Struct("<8sIIQqQQ")
KEEP = 3
POLL_S = 0.05


def write_snapshot(directory: Path, engine: native.Engine) -> Path:
    """Write `engine`'s state durably and return the file; older ones beyond `KEEP` are removed."""
    state = engine.save()
    body = (
        HEADER.pack(MAGIC, VERSION, zlib.crc32(state), engine.seq, engine.now_ns, engine.state_hash, len(state)) + state
    )
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / f"{engine.seq:012}.snap"
    temporary = target.with_suffix(".tmp")
    with temporary.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(target)
    for old in sorted(directory.glob("*.snap"))[:-KEEP]:
        old.unlink()
    return target


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


def usable_snapshots(journal_dir: Path, hot_dir: Path) -> Iterator[Snapshot]:
    """Whole snapshots of frames that this journal holds, newest first; others are passed over.

    A journal that lost its tail with the host may have snapshots of a future that did not happen.
    """
    for path in sorted((journal_dir / "snapshots").glob("*.snap"), reverse=True):
        with contextlib.suppress(SnapshotError, OSError):
            snapshot = read_snapshot(path)
            reader = native.JournalReader(str(journal_dir), str(hot_dir), False)
            reader.seek(snapshot.seq)
            frame = reader.next()
            if (
                frame is not None
                and Frame._make(frame).seq == snapshot.seq
                and Frame._make(frame).ts_seq == snapshot.now_ns
            ):
                yield snapshot


def start_from_snapshot(follower: native.Follower, journal_dir: Path, hot_dir: Path) -> int:
    """Let `follower` begin at the newest usable snapshot; its seq, 0 without any."""
    for snapshot in usable_snapshots(journal_dir, hot_dir):
        follower.load(snapshot.state)
        return snapshot.seq
    return 0


def follow(config_path: Path, mode: str = "") -> None:
    """Follow the node's journal and snapshot it every `snapshot_every_s`, until SIGTERM."""
    from openbell.node.assemble import capacity_of
    from openbell.node.config import load_node

    config = load_node(config_path, mode)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    journal_dir, hot_dir = config.node.journal_dir, config.node.hot_dir
    follower = native.Follower(capacity_of(config), str(journal_dir), str(hot_dir))
    written = start_from_snapshot(follower, journal_dir, hot_dir)
    waited = 0.0
    while not stop.is_set():
        while follower.poll() and not stop.is_set():
            pass
        stop.wait(POLL_S)
        waited += POLL_S
        if waited >= config.node.snapshot_every_s and follower.engine.seq > written:
            if follower.report.core_differs_at:
                raise InvariantError(
                    f"snapshots: expected the decision of the journal after seq {follower.report.core_differs_at}, "
                    f"found another ({follower.report.what}); no snapshot is made of a state that is not the node's"
                )
            audit(follower.engine, hot_dir)
            write_snapshot(journal_dir / "snapshots", follower.engine)
            written, waited = follower.engine.seq, 0.0


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
    follow(Path(sys.argv[1]), *sys.argv[2:3])
