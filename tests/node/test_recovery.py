"""A snapshot is a shortcut, never the truth: recovery ends in the same state with good ones, bad ones and none."""

from pathlib import Path

import pytest
from tests.simulation.day import Day
from tests.simulation.faults import acts
from tests.simulation.process import capacity
from tests.simulation.session import plan_of

from openbell import _native as native
from openbell.errors import InvariantError, SnapshotError
from openbell.node.recovery import recover_engine
from openbell.node.snapshots import KEEP, Policy, audit, open_follower, read_snapshot, write_snapshot
from openbell.types import KillLevel


class Recorded:
    """A journal of a simulated session, with snapshots taken on the way."""

    def __init__(self, directory: Path, count: int) -> None:
        self.day = Day(plan_of("recovery").with_events(()), acts(), directory)
        self.node = self.day.node
        self.folder = self.node.journal_dir / "snapshots"
        self.snapshots = []
        follower = native.Follower(capacity(), str(self.node.journal_dir), str(self.node.hot_dir))
        for _ in range(count):
            self.run(150)
            while follower.poll():
                pass
            self.snapshots.append(write_snapshot(self.folder, follower.engine))
        self.run(150)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.day.step()

    def recover(self, sizes: native.EngineCapacity | None = None) -> tuple[int, int]:
        """(seq of the snapshot that was used, state hash at the end)."""
        directories = self.node.journal_dir, self.node.hot_dir
        engine, recovered = recover_engine(sizes or capacity(), *directories)
        return recovered.snapshot_seq, engine.state_hash


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path, 2)


def seq_of(path: Path) -> int:
    return int(path.stem)


def truth(recorded: Recorded) -> int:
    engine = native.Engine(capacity())
    native.recover(engine, str(recorded.node.journal_dir), str(recorded.node.hot_dir))
    return engine.state_hash


def test_the_newest_snapshot_is_used(recorded: Recorded):
    assert recorded.recover() == (seq_of(recorded.snapshots[1]), truth(recorded))


def test_a_snapshot_damaged_anywhere_is_passed_over_for_an_older_one(recorded: Recorded, rng):
    newest, older = recorded.snapshots[1], (seq_of(recorded.snapshots[0]), truth(recorded))
    whole = newest.read_bytes()
    header = range(48)
    for at in (*header, *(rng.randrange(len(whole)) for _ in range(150))):
        body = bytearray(whole)
        body[at] ^= 1 << rng.randrange(8)
        newest.write_bytes(body)
        assert recorded.recover() == older, f"bit of byte {at}"
    for length in (*header, *(rng.randrange(len(whole)) for _ in range(50))):
        newest.write_bytes(whole[:length])
        assert recorded.recover() == older, f"cut to {length} bytes"


def test_what_was_passed_over_and_why_is_told(recorded: Recorded):
    newest, older = reversed(recorded.snapshots)
    newest.write_bytes(newest.read_bytes()[:-1])

    directories = recorded.node.journal_dir, recorded.node.hot_dir
    _, recovered = recover_engine(capacity(), *directories)

    assert recovered.snapshot_seq == seq_of(older)
    (said,) = recovered.passed_over
    assert said.startswith(f"{newest.name}: snapshot ") and "undamaged bytes of state" in said
    assert said in str(recovered)


def test_a_follower_begins_where_recovery_would(recorded: Recorded):
    recorded.snapshots[1].write_bytes(b"")
    follower = open_follower(capacity(), recorded.node.journal_dir, recorded.node.hot_dir)
    assert follower.engine.seq == seq_of(recorded.snapshots[0])

    smaller = capacity()
    smaller.orders_max = 1 << 8
    follower = open_follower(smaller, recorded.node.journal_dir, recorded.node.hot_dir)
    while follower.poll():
        pass
    assert follower.engine.seq > seq_of(recorded.snapshots[0]) and follower.bytes > 0


@pytest.mark.parametrize(
    ("seconds", "frames", "bytes_", "is_due"),
    [(10, 1, 1, True), (9, 99, 999, False), (0, 100, 1, True), (0, 1, 1000, True), (99, 0, 0, False)],
)
def test_a_snapshot_is_due_by_time_frames_or_bytes_and_never_without_news(seconds, frames, bytes_, is_due):
    assert Policy(10, 100, 1000).is_due(seconds, frames, bytes_) == is_due


def test_a_cut_snapshot_says_so_and_without_any_the_first_frame_is_the_start(recorded: Recorded):
    for path in recorded.snapshots:
        path.write_bytes(path.read_bytes()[:-3])
        with pytest.raises(SnapshotError, match="undamaged bytes"):
            read_snapshot(path)

    assert recorded.recover() == (0, truth(recorded))


def test_a_snapshot_newer_than_the_journal_is_passed_over(recorded: Recorded, tmp_path: Path):
    other = Recorded(tmp_path / "longer", 4)
    engine = native.Engine(capacity())
    while engine.seq <= recorded.node.engine.seq:
        other.run(100)
        engine, _ = recover_engine(capacity(), other.node.journal_dir, other.node.hot_dir)
    write_snapshot(recorded.folder, engine)

    assert recorded.recover() == (seq_of(recorded.snapshots[1]), truth(recorded))


def test_a_snapshot_of_other_capacities_is_passed_over(recorded: Recorded):
    larger, smaller = capacity(), capacity()
    larger.instruments_max, smaller.orders_max = 5, 1 << 6

    assert recorded.recover(larger)[0] == 0
    assert recorded.recover(smaller)[0] in (0, *map(seq_of, recorded.snapshots))


def test_old_snapshots_are_removed(tmp_path: Path):
    recorded = Recorded(tmp_path, KEEP + 2)

    assert sorted(recorded.folder.glob("*.snap")) == recorded.snapshots[-KEEP:]


def test_books_that_contradict_themselves_kill_the_node(tmp_path):
    class Broken:
        def audit(self):
            raise InvariantError("I12")

    with pytest.raises(InvariantError):
        audit(Broken(), tmp_path)

    assert native.KillCell.open(str(tmp_path / "kill")).level == KillLevel.HARD
