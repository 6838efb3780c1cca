"""Brings an engine to the end of its journal: the newest usable snapshot, then the frames after it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from openbell import _native as native
from openbell.errors import OpenbellError
from openbell.node.snapshots import usable_snapshots


@dataclass(frozen=True)
class Recovered:
    """What a recovery did."""

    snapshot_seq: int
    last_seq: int
    frames: int
    seconds: float

    def __str__(self) -> str:
        start = f"snapshot at seq {self.snapshot_seq:_}" if self.snapshot_seq else "the first frame"
        return f"recovered to seq {self.last_seq:_} from {start}: {self.frames:_} frames in {self.seconds:.3f} s"


def recover_engine(
    capacity: native.EngineCapacity, journal_dir: Path, hot_dir: Path, snapshots: Path | None = None
) -> tuple[native.Engine, Recovered]:
    """An engine at the end of the journal, and how it got there.

    Raises:
        JournalDamagedError: bytes below the durable watermark are wrong.
    """
    began = time.perf_counter()
    directory = snapshots or journal_dir / "snapshots"
    for seq, state_hash, state in usable_snapshots(directory):
        if not _has_frame(journal_dir, hot_dir, seq):
            continue  # of a future that this journal lost
        engine = native.Engine(capacity)
        try:
            engine.load(state)
        except OpenbellError:  # cut, or of other capacities
            continue
        if engine.state_hash != state_hash:
            continue
        report = native.recover(engine, str(journal_dir), str(hot_dir))
        if not report.core_differs_at:
            return engine, Recovered(seq, engine.seq, report.frames_in + report.frames_out, _since(began))
    engine = native.Engine(capacity)
    report = native.recover(engine, str(journal_dir), str(hot_dir))
    return engine, Recovered(0, engine.seq, report.frames_in + report.frames_out, _since(began))


def start_from_snapshot(follower: native.Follower, directory: Path) -> int:
    """Let `follower` begin at the newest usable snapshot; its seq, 0 without any."""
    for seq, _, state in usable_snapshots(directory):
        follower.load(state)
        return seq
    return 0


def _has_frame(journal_dir: Path, hot_dir: Path, seq: int) -> bool:
    reader = native.JournalReader(str(journal_dir), str(hot_dir), False)
    reader.seek(seq)
    frame = reader.next()
    return frame is not None and frame[1] == seq


def _since(began: float) -> float:
    return time.perf_counter() - began
