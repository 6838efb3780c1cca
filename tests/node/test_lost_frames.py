"""A journal that has lost its tail with its host says so, and holds the node until a person has reconciled."""

import shutil

import pytest
from tests.cli.world import openbell
from tests.node import lives
from tests.node.test_start import notes

from openbell import _native as native
from openbell import events
from openbell._native import OperatorVerb
from openbell.journal import Source
from openbell.journal.archiver import archive
from openbell.node import assemble
from openbell.node.acknowledge import is_unacknowledged
from openbell.node.config import load_node
from openbell.node.recovery import recover_engine
from openbell.node.snapshots import HEADER, write_snapshot
from openbell.types import ArmState

SHORT_NS = 1_000_000


@pytest.fixture
def lost(tmp_path):
    """(file of a node, the newest frame there was): its host went before the second of two epochs was on disk."""
    node = lives.write_node(tmp_path)
    journal, hot, kept = tmp_path / "journal", tmp_path / "hot", tmp_path / "kept"
    lives.run_epoch(node, 1, lives.OPENING + lives.adds(1, 20))
    archive(hot, journal)
    shutil.copytree(journal, kept)
    lives.run_epoch(node, 23, lives.adds(21, 20))
    archive(hot, journal)
    engine, _ = recover_engine(assemble.capacity_of(load_node(node)), journal, hot)
    write_snapshot(kept / "snapshots", engine)
    shutil.rmtree(hot)
    shutil.rmtree(journal)
    kept.rename(journal)
    return node, engine.seq


def live(node):
    return lives.run_epoch(node, 23, [], run_ns=SHORT_NS)


def test_what_a_snapshot_knew_and_the_journal_does_not_holds_the_node_over_every_start(lost):
    node, knew = lost

    engine, recovered, start = live(node)

    ends = recovered.last_seq
    said = f"ends at {ends}, a snapshot knew {knew}: {knew - ends} frames lost"
    assert 0 < ends < knew and recovered.lost == said
    assert f"the journal {said}; held until reconciled" in str(recovered)
    assert said in start.says[0] and "openbell reconcile" in start.says[0]
    assert f"--acknowledge {start.running.name}" in start.says[-1] and "openbell arm" in start.says[-1]
    assert notes(node, OperatorVerb.RECOVERED)[-1][1].startswith(said)
    assert (engine.arm_state, engine.is_reconciled) == (ArmState.CANCEL_ONLY, False)

    engine, recovered, _ = live(node)  # the journal went on, and that it is held stands in it
    assert (recovered.lost, engine.arm_state, is_unacknowledged(engine)) == ("", ArmState.CANCEL_ONLY, True)


def test_what_a_person_has_released_is_not_asked_again_while_the_snapshot_lies_there(lost):
    node, knew = lost
    config = load_node(node)
    engine, _, _ = live(node)
    engine, _ = recover_engine(assemble.capacity_of(config), config.node.journal_dir, config.node.hot_dir)
    released = native.LiveNode(assemble.live_config(config), engine, assemble.build_strategies(config))
    released.submit(events.arm(ArmState.FULL, after_kill=True), Source.OPERATOR)
    released.run(SHORT_NS)
    released.close()

    engine, recovered, start = live(node)

    assert recovered.last_seq < knew
    assert (recovered.lost, engine.arm_state, start.says) == ("", ArmState.FULL, [])


def test_a_snapshot_with_a_damaged_number_shows_no_loss(lost):
    node, _ = lost
    (snapshot,) = (node.parent / "journal/snapshots").glob("*.snap")
    whole = bytearray(snapshot.read_bytes())
    whole[HEADER.size - 32] ^= 1  # a bit of its seq
    snapshot.write_bytes(whole)

    assert live(node)[1].lost == ""


def test_a_node_in_doubt_says_so_and_does_not_end_with_success(lost):
    node, _ = lost

    done = openbell("run", node, "--for", 0.5, check=4)

    assert "frames lost; held until reconciled" in done.stderr
    assert "armed full, but IN DOUBT: held at CANCEL_ONLY" in done.stderr
    assert "the node is IN DOUBT: held at CANCEL_ONLY until a person has reconciled" in done.stderr
    assert "trading may go on" not in done.stderr
    assert "IN DOUBT" in done.stdout
