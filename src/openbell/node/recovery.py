"""Brings an engine to the end of its journal: the newest usable snapshot, then the frames after it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from openbell import _native as native
from openbell.errors import InvariantError, JournalDamagedError, OpenbellError
from openbell.node.snapshots import NoBeginError, Snapshot, expect_a_begin, looked_at_snapshots, newest_after


class CoreDiffersError(InvariantError):
    """This core decides otherwise than the one that wrote the journal."""


@dataclass(frozen=True)
class Recovered:
    """What a recovery did; `passed_over` are snapshots that were not used, and why."""

    snapshot_seq: int
    last_seq: int
    frames: int
    seconds: float
    passed_over: tuple[str, ...] = ()
    differs_at: int = 0
    """The first frame that this core decides otherwise, or after which its state is not the one there was; 0: none, or
    a person has acknowledged it before."""
    by_standby: bool = False
    lost_to: int = 0
    """The newest frame that a snapshot knew after the journal's end; 0: nothing shows that any was lost."""

    @property
    def lost(self) -> str:
        """What is known of frames that the journal has lost with its host; empty where nothing is."""
        if not self.lost_to:
            return ""
        frames = f"{self.lost_to - self.last_seq} frames lost"
        return f"ends at {self.last_seq}, a snapshot knew {self.lost_to}: {frames}"  # fits into a record

    @property
    def doubts(self) -> str:
        """Why positions and orders may not be the venue's; empty where nothing says so."""
        doubts = [f"the journal {self.lost}"] if self.lost else []
        doubts += [f"this core differs from the one before from seq {self.differs_at} on"] if self.differs_at else []
        return "; ".join(doubts)

    def __str__(self) -> str:
        if self.by_standby:
            return f"taken over by the standby at seq {self.last_seq:_}, in {self.seconds:.3f} s"
        start = f"snapshot at seq {self.snapshot_seq:_}" if self.snapshot_seq else "the first frame"
        said = f"recovered to seq {self.last_seq:_} from {start}: {self.frames:_} frames in {self.seconds:.3f} s"
        doubts = [f"{self.doubts}; held until reconciled"] if self.doubts else []
        return "; ".join([said, *doubts, *(f"passed over {one}" for one in self.passed_over)])


def recover_engine(
    capacity: native.EngineCapacity, journal_dir: Path, hot_dir: Path, *, accepts_this_core: bool = False
) -> tuple[native.Engine, Recovered]:
    """An engine at the end of the journal, and how it got there.

    With `accepts_this_core` a core that decides otherwise goes on from the state that it has reached by itself, and
    `differs_at` says so: its orders may not be those that left. Where the first frames were removed that state is the
    newest snapshot's that it can load.

    Raises:
        JournalDamagedError: bytes below the durable watermark are wrong.
        NoBeginError: the first frames were removed, and this core can load no snapshot.
        CoreDiffersError: this core decides otherwise than the one that wrote the journal.
    """
    began = time.perf_counter()
    passed_over: dict[str, str] = {}
    loadable: tuple[str, Snapshot] | None = None
    for name, snapshot in looked_at_snapshots(journal_dir, hot_dir):
        if isinstance(snapshot, str):
            passed_over[name] = snapshot
            continue
        engine = native.Engine(capacity)
        try:
            engine.load(snapshot.state)
        except OpenbellError as error:  # of other capacities
            passed_over[name] = str(error)
            continue
        if engine.seq != snapshot.seq:
            passed_over[name] = f"its state is of frame {engine.seq}, it says {snapshot.seq}"
            continue
        loadable = loadable or (name, snapshot)
        if engine.state_hash != snapshot.state_hash:
            passed_over[name] = "its state has another hash in this core"
            continue
        report = native.recover(engine, str(journal_dir), str(hot_dir))
        if not report.core_differs_at:
            return engine, _told(journal_dir, report, engine, began, snapshot.seq, passed_over)
        passed_over[name] = f"this core decides seq {report.core_differs_at} otherwise"
    engine = native.Engine(capacity)
    try:
        expect_a_begin(journal_dir, hot_dir, passed_over)
    except NoBeginError as error:
        if loadable is None:
            raise
        if not accepts_this_core:
            raise CoreDiffersError(str(error)) from None
        name, snapshot = loadable
        del passed_over[name]
        engine.load(snapshot.state)
        report = native.recover(engine, str(journal_dir), str(hot_dir))
        recovered = _told(journal_dir, report, engine, began, snapshot.seq, passed_over)
        return engine, replace(recovered, differs_at=recovered.differs_at or snapshot.seq)
    report = native.recover(engine, str(journal_dir), str(hot_dir))
    if report.core_differs_at and not accepts_this_core:
        raise CoreDiffersError(
            f"recovery of {journal_dir}: expected the decision that the journal holds for seq "
            f"{report.core_differs_at}, found another ({report.what}); {report.core_frames} decisions differ; start "
            "the core that wrote it"
        )
    return engine, _told(journal_dir, report, engine, began, 0, passed_over)


def expect_both_halves(journal_dir: Path, hot_dir: Path) -> None:
    """Look whether the disk holds what shared memory says that it promised.

    Raises:
        JournalDamagedError: the journal's directory is empty or gone, and frames of it are in shared memory.
    """
    if not (hot_dir / "journal.ctl").is_file():
        return
    promised = native.JournalReader(str(journal_dir), str(hot_dir)).durable_seq
    if promised and not any(journal_dir.glob("*.seg*")):
        raise JournalDamagedError(
            f"expected segments up to seq {promised:_} in {journal_dir}, found none, while {hot_dir} still holds the "
            "newest ones; nothing was started. Restore the directory from its copy; or give the journal up: move "
            f"{hot_dir} aside, start, and reconcile positions and open orders with the venue"
        )


def _told(
    journal_dir: Path,
    report: native.ReplayReport,
    engine: native.Engine,
    began: float,
    snapshot_seq: int,
    passed_over: dict[str, str],
) -> Recovered:
    return Recovered(
        snapshot_seq=snapshot_seq,
        last_seq=engine.seq,
        frames=report.frames_in + report.frames_out,
        seconds=time.perf_counter() - began,
        passed_over=tuple(f"{name}: {why}" for name, why in passed_over.items()),
        differs_at=report.core_differs_at,
        lost_to=newest_after(journal_dir, engine),
    )
