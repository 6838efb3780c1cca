"""Snapshots of the engine's state, written by a follower of the journal, never by the trading thread (law 14).

    0       8         12    16    24           32       40     44
    | magic | version | crc | seq | state_hash | length | zero | state ...

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
import zlib
from collections.abc import Iterator
from pathlib import Path

from openbell import _native as native
from openbell.errors import SnapshotError
from openbell.node.lifeline import end_with_parent

MAGIC = b"openbsnp"
VERSION = 1
HEADER = struct.Struct("<8sIIQQQI4x")
KEEP = 3
POLL_S = 0.05


def write_snapshot(directory: Path, engine: native.Engine) -> Path:
    """Write `engine`'s state durably and return the file; older ones beyond `KEEP` are removed."""
    state = engine.save()
    body = HEADER.pack(MAGIC, VERSION, zlib.crc32(state), engine.seq, engine.state_hash, len(state), 0) + state
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


def read_snapshot(path: Path) -> tuple[int, int, bytes]:
    """Return (seq, state hash, state) of a snapshot file.

    Raises:
        SnapshotError: the file is cut, damaged or of another version.
    """
    raw = path.read_bytes()
    if len(raw) < HEADER.size:
        raise SnapshotError(f"snapshot {path}: expected a header of {HEADER.size} bytes, found {len(raw)}")
    magic, version, crc, seq, state_hash, length, zero = HEADER.unpack_from(raw)
    state = raw[HEADER.size :]
    if magic != MAGIC or version != VERSION:
        raise SnapshotError(f"snapshot {path}: expected version {VERSION} of openbsnp, found {magic!r} {version}")
    if len(state) != length or zlib.crc32(state) != crc or zero != 0:
        raise SnapshotError(f"snapshot {path}: expected {length} undamaged bytes of state, found {len(state)}")
    return seq, state_hash, state


def usable_snapshots(directory: Path) -> Iterator[tuple[int, int, bytes]]:
    """Whole snapshots as (seq, state hash, state), newest first; damaged ones are passed over."""
    for path in sorted(directory.glob("*.snap"), reverse=True):
        with contextlib.suppress(SnapshotError, OSError):
            yield read_snapshot(path)


def follow(config_path: Path, mode: str = "") -> None:
    """Follow the node's journal and snapshot it every `snapshot_every_s`, until SIGTERM."""
    from openbell.node.assemble import capacity_of
    from openbell.node.config import load_node
    from openbell.node.recovery import start_from_snapshot

    config = load_node(config_path, mode)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    follower = native.Follower(capacity_of(config), str(config.node.journal_dir), str(config.node.hot_dir))
    directory = config.node.journal_dir / "snapshots"
    written = start_from_snapshot(follower, directory)
    waited = 0.0
    while not stop.is_set():
        while follower.poll() and not stop.is_set():
            pass
        stop.wait(POLL_S)
        waited += POLL_S
        if waited >= config.node.snapshot_every_s and follower.engine.seq > written:
            write_snapshot(directory, follower.engine)
            written, waited = follower.engine.seq, 0.0


if __name__ == "__main__":
    end_with_parent()
    follow(Path(sys.argv[1]), *sys.argv[2:3])
