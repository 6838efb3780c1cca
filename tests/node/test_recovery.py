"""A snapshot is a shortcut, never the truth: recovery ends in the same state with good ones, bad ones and none."""

from pathlib import Path

import pytest
from tests.simulation.world import World, capacity

from openbell import _native as native
from openbell.errors import InvariantError, SnapshotError
from openbell.node.recovery import recover_engine
from openbell.node.snapshots import KEEP, audit, read_snapshot, write_snapshot
from openbell.types import KillLevel


class Recorded:
    """A journal of a simulated session, with snapshots taken on the way."""

    def __init__(self, directory: Path, count: int) -> None:
        self.world = World("recovery", directory)
        self.folder = self.world.journal_dir / "snapshots"
        self.snapshots = []
        follower = native.Follower(capacity(), str(self.world.journal_dir), str(self.world.hot_dir))
        for _ in range(count):
            self.world.run(150)
            while follower.poll():
                pass
            self.snapshots.append(write_snapshot(self.folder, follower.engine))
        self.world.run(150)

    def recover(self, sizes: native.EngineCapacity | None = None) -> tuple[int, int]:
        """(seq of the snapshot that was used, state hash at the end)."""
        directories = self.world.journal_dir, self.world.hot_dir
        engine, recovered = recover_engine(sizes or capacity(), *directories)
        return recovered.snapshot_seq, engine.state_hash


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path, 2)


def seq_of(path: Path) -> int:
    return int(path.stem)


def truth(recorded: Recorded) -> int:
    engine = native.Engine(capacity())
    native.recover(engine, str(recorded.world.journal_dir), str(recorded.world.hot_dir))
    return engine.state_hash


def test_the_newest_snapshot_is_used(recorded: Recorded):
    assert recorded.recover() == (seq_of(recorded.snapshots[1]), truth(recorded))


@pytest.mark.parametrize("at", [0, 9, 13, 20, 40, 60, 500, -1])
def test_a_damaged_snapshot_is_passed_over_for_an_older_one(recorded: Recorded, at: int):
    newest = recorded.snapshots[1]
    body = bytearray(newest.read_bytes())
    body[at] ^= 0x40
    newest.write_bytes(body)

    used, state = recorded.recover()

    assert (used, state) == (seq_of(recorded.snapshots[0]), truth(recorded))


def test_a_cut_snapshot_says_so_and_without_any_the_first_frame_is_the_start(recorded: Recorded):
    for path in recorded.snapshots:
        path.write_bytes(path.read_bytes()[:-3])
        with pytest.raises(SnapshotError, match="undamaged bytes"):
            read_snapshot(path)

    assert recorded.recover() == (0, truth(recorded))


def test_a_snapshot_newer_than_the_journal_is_passed_over(recorded: Recorded, tmp_path: Path):
    other = Recorded(tmp_path / "longer", 4)
    engine = native.Engine(capacity())
    while engine.seq <= recorded.world.node.last_seq:
        other.world.run(100)
        engine, _ = recover_engine(capacity(), other.world.journal_dir, other.world.hot_dir)
    write_snapshot(recorded.folder, engine)

    assert recorded.recover() == (seq_of(recorded.snapshots[1]), truth(recorded))


def test_a_snapshot_of_other_capacities_is_passed_over(recorded: Recorded):
    larger, smaller = capacity(), capacity()
    larger.instruments_max, smaller.orders_max = 5, 1 << 8

    assert recorded.recover(larger)[0] == 0
    assert recorded.recover(smaller)[0] in (0, seq_of(recorded.snapshots[1]))


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
