"""A core that reads the state otherwise, on a journal whose first frames were removed: refused, or accepted."""

import shutil

import pytest
from tests.cli.world import wait_for
from tests.node import lives

from openbell import _native as native
from openbell.errors import JournalError
from openbell.journal import JournalWriter, open_journal
from openbell.journal.archiver import archive
from openbell.journal.retention import Retention, retain
from openbell.journal.segments import removed_through
from openbell.node import assemble
from openbell.node.config import load_node
from openbell.node.recovery import CoreDiffersError, recover_engine
from openbell.node.snapshots import NoBeginError, open_follower, read_snapshot, usable_snapshots, write_snapshot
from openbell.node.start import Start
from openbell.node.supervisor import Supervisor
from openbell.types import ArmState

HASH_AT = 32
SHORT_NS = 1_000_000


@pytest.fixture
def node(tmp_path):
    """Its journal begins in the middle, and both snapshots are of a core that computes another hash of the state."""
    node = lives.write_node(tmp_path)
    lives.run_epoch(node, 1, lives.OPENING + lives.adds(1, 120))
    journal, hot = tmp_path / "journal", tmp_path / "hot"
    in_small_segments(journal, hot)
    capacity = assemble.capacity_of(load_node(node))
    last = recover_engine(capacity, journal, hot)[0].seq
    for seq in (last - 5, last):
        engine = native.Engine(capacity)
        native.recover(engine, str(journal), str(hot), seq)
        write_snapshot(journal / "snapshots", engine)
    assert retain(journal, Retention(keep_bytes=1)).removed and removed_through(journal)
    for path in snapshots(node):
        raw = bytearray(path.read_bytes())
        raw[HASH_AT] ^= 1
        path.write_bytes(raw)
    return node


def in_small_segments(journal, hot):
    frames = list(open_journal(journal, hot))
    for folder in (journal, hot):
        shutil.move(folder, folder.with_name(f"old-{folder.name}"))
    writer = JournalWriter(str(journal), str(hot), segment_bytes=16 << 10, frame_bytes_max=4096, hot_segments_max=64)
    for f in frames:
        records = f.raw.reshape(-1)
        writer.append(f.frame_class, f.source, f.raw.shape[1], records, f.cause_seq, f.source_seq, f.ts_recv, f.ts_seq)
    writer.close()
    archive(hot, journal)
    shutil.rmtree(hot)


def snapshots(node):
    return sorted((node.parent / "journal/snapshots").glob("*.snap"))


def live(node, acknowledged=""):
    return lives.run_epoch(node, 123, [], acknowledged=acknowledged, run_ns=SHORT_NS)


def test_it_is_refused_with_the_snapshots_by_name_and_the_way_on(node):
    older, newest = (path.name for path in snapshots(node))
    name = Start(load_node(node)).running.name

    with pytest.raises(CoreDiffersError, match=r"the frames before \d+ were removed") as error:
        live(node)

    said = str(error.value)
    assert f"found {newest}: its state has another hash in this core; {older}: its state" in said
    assert f"openbell run ... --acknowledge {name}" in said


def test_where_it_is_accepted_the_newest_snapshot_begins_and_a_person_reconciles(node):
    _, newest = snapshots(node)
    at = read_snapshot(newest).seq
    name = Start(load_node(node)).running.name

    engine, recovered, start = live(node, name)

    assert (recovered.snapshot_seq, recovered.differs_at) == (at, at)
    assert f"this core differs from the one before from seq {at} on; held until reconciled" in str(recovered)
    assert "openbell reconcile" in start.says[0]
    assert engine.arm_state == ArmState.CANCEL_ONLY
    assert [one.seq for one in usable_snapshots(*halves(node))] == [recovered.last_seq]

    engine, again, _ = live(node)  # of its own state
    assert (again.snapshot_seq, again.differs_at, engine.arm_state) == (recovered.last_seq, 0, ArmState.CANCEL_ONLY)


def halves(node):
    return node.parent / "journal", node.parent / "hot"


def test_a_follower_says_the_same_and_without_snapshots_nothing_is_accepted(node):
    capacity = assemble.capacity_of(load_node(node))
    with pytest.raises(NoBeginError, match=r"found .* another hash in this core"):
        open_follower(capacity, *halves(node))

    for path in snapshots(node):
        path.unlink()
    with pytest.raises(JournalError, match=r"expected a snapshot .* found none; .* bring what was removed back"):
        live(node, Start(load_node(node)).running.name)


def test_the_other_processes_wait_for_the_state_of_the_accepted_core(node):
    log = node.parent / "log"
    with Supervisor(node, log=log, acknowledged=Start(load_node(node)).running.name) as supervisor:
        wait_for(lambda: log.is_file() and "held until reconciled" in log.read_text(), "the epoch")
        helpers = dict(supervisor._helpers)
        supervisor.stop()
        assert supervisor.wait()["is_doubted"]

    assert "Traceback" not in log.read_text()
    assert {name: helper.returncode for name, helper in helpers.items()}.keys() >= {"snapshots", "control"}
