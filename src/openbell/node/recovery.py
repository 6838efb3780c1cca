"""Brings an engine to the end of its journal: the newest usable snapshot, then the frames after it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from openbell import _native as native
from openbell.errors import InvariantError, OpenbellError
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
    capacity: native.EngineCapacity, journal_dir: Path, hot_dir: Path
) -> tuple[native.Engine, Recovered]:
    """An engine at the end of the journal, and how it got there.

    Raises:
        JournalDamagedError: bytes below the durable watermark are wrong.
        InvariantError: this core decides otherwise than the one that wrote the journal.
    """
    began = time.perf_counter()
    for snapshot in usable_snapshots(journal_dir, hot_dir):
        engine = native.Engine(capacity)
        try:
            engine.load(snapshot.state)
        except OpenbellError:  # cut, or of other capacities
            continue
        if engine.state_hash != snapshot.state_hash:
            continue
        report = native.recover(engine, str(journal_dir), str(hot_dir))
        if not report.core_differs_at:
            return engine, Recovered(snapshot.seq, engine.seq, report.frames_in + report.frames_out, _since(began))
    engine = native.Engine(capacity)
    report = native.recover(engine, str(journal_dir), str(hot_dir))
    if report.core_differs_at:
        raise InvariantError(
            f"recovery of {journal_dir}: expected the decision that the journal holds for seq "
            f"{report.core_differs_at}, found another ({report.what}); start the core that wrote it, or move the "
            "journal aside and reconcile by hand"
        )
    return engine, Recovered(0, engine.seq, report.frames_in + report.frames_out, _since(began))


def _since(began: float) -> float:
    return time.perf_counter() - began
