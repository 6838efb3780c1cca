"""A start with another core, strategy, limits or configuration than the journal's opens nothing until it is meant."""

import os
import signal
import threading

import pytest
from tests.cli.world import wait_for
from tests.node import lives

from openbell._native import JournalReader, JournalWriter, OperatorVerb
from openbell.errors import ConfigError, JournalDamagedError
from openbell.journal import Source, open_journal
from openbell.node.acknowledge import is_unacknowledged
from openbell.node.config import load_node
from openbell.node.limit_lines import lines_of, record_of
from openbell.node.limits import parse_limits
from openbell.node.recovery import CoreDiffersError
from openbell.node.snapshots import usable_snapshots
from openbell.node.start import Start
from openbell.node.supervisor import Supervisor
from openbell.types import ArmState, Reason, Type

SHORT_NS = 1_000_000
QTY_OFFSET = 32
"""Of an Order record."""


@pytest.fixture
def node(tmp_path):
    node_file = lives.write_node(tmp_path)
    lives.run_epoch(node_file, 1, lives.OPENING + lives.adds(1, 20))
    return node_file


def live(node_file, acknowledged=""):
    return lives.run_epoch(node_file, 23, [], acknowledged=acknowledged, run_ns=SHORT_NS)


def halves(node_file):
    return node_file.parent / "journal", node_file.parent / "hot"


def notes(node_file, verb):
    """Records of a verb in the journal: (uid or first value, text)."""
    found = []
    for frame in open_journal(node_file.parent / "journal", node_file.parent / "hot"):
        record = frame.record(0)
        if record["type"] == Type.OPERATOR and record["code"] == verb:
            found.append((int(record["values"][0]), bytes(record["text"]).rstrip(b"\0").decode()))
    return found


CHANGES = {
    "strategies": ("maker.py", lambda text: text.replace("int(3 *", "int(2 *"), "    maker: source "),
    "limits": ("limits.toml", lambda text: text.replace("version = 1", "version = 2"), "    version 1 -> 2"),
    "config": ("node.toml", lambda text: text.replace("seed = 7", "seed = 8"), "    node.seed: 7 -> 8"),
}


@pytest.mark.parametrize("part", CHANGES)
def test_what_changed_is_named_and_nothing_is_opened_until_it_is_meant(node, part):
    name, change, says = CHANGES[part]
    file = node.parent / name
    file.write_text(change(file.read_text()))

    engine, _, start = live(node)
    assert (engine.arm_state, is_unacknowledged(engine)) == (ArmState.CANCEL_ONLY, True)
    assert f"  {part}: " in "\n".join(start.says) and any(line.startswith(says) for line in start.says)
    assert f"--acknowledge {start.running.name}" in start.says[-1]

    engine, _, start = live(node)  # it asks again, although the newest epoch ran just this
    assert (engine.arm_state, is_unacknowledged(engine)) == (ArmState.CANCEL_ONLY, True)
    assert "nobody has acknowledged yet" in start.says[0]


def test_what_is_acknowledged_at_the_start_runs_and_the_journal_says_who_meant_it(node):
    (node.parent / "maker.py").write_text(lives.MAKER.replace("int(3 *", "int(2 *"))
    name = Start(load_node(node)).running.name

    with pytest.raises(ConfigError, match=f"expected {name}, which is what would run, found 0123"):
        live(node, "0123")
    engine, _, start = live(node, name)

    assert (engine.arm_state, is_unacknowledged(engine), start.says) == (ArmState.FULL, False, [])
    assert [text for _, text in notes(node, OperatorVerb.ACKNOWLEDGED)] == [name]
    engine, _, start = live(node)
    assert (engine.arm_state, start.says) == (ArmState.FULL, [])


def tighten(node, told_seq=23):
    """A life in which the node is told version 2, half the rate, and the file stays as it was; its text."""
    file = node.parent / "limits.toml"
    text = file.read_text().replace("version = 1", "version = 2").replace("rate_max = 1000", "rate_max = 500", 1)
    limits = parse_limits(text, file)
    (rate,) = (line for line in lines_of(limits) if line.kind == "ORDER_RATE")
    lives.run_epoch(node, told_seq, [], run_ns=SHORT_NS, told=(record_of(rate, limits, {}),))
    return text


def test_an_instrument_heard_of_after_the_limits_were_changed_is_refused(tmp_path):
    node = lives.write_node(tmp_path)
    file = tmp_path / "limits.toml"
    limits = parse_limits(file.read_text().replace("version = 1", "version = 2"), file)
    (rate,) = (line for line in lines_of(limits) if line.kind == "ORDER_RATE")

    engine, _, _ = lives.run_epoch(node, 1, [*lives.OPENING, *lives.adds(1, 4)], told=(record_of(rate, limits, {}),))

    records = (f.record(i) for f in open_journal(*halves(node)) for i in range(len(f.raw)))
    refused = {int(record["reason"]) for record in records if record["type"] == Type.REFUSED}
    assert engine.limits_version == 2  # the file's, which are older, are not given any more
    assert refused == {Reason.NO_LIMITS}
    assert not engine.live_orders()


def test_a_file_older_than_what_the_node_was_told_opens_nothing(node):
    text = tighten(node)

    engine, _, start = live(node)

    assert (engine.arm_state, is_unacknowledged(engine)) == (ArmState.CANCEL_ONLY, True)
    assert start.says[0].startswith("not armed: what runs is not what ran in epoch 2")
    assert f"  limits: expected version 2 of {node.parent / 'limits.toml'}, which the node was told" in start.says[1]
    assert "limits.toml.draft beside it" in start.says[1]

    (node.parent / "limits.toml").write_text(text)
    engine, _, start = live(node)
    assert (engine.arm_state, engine.limits_version) == (ArmState.CANCEL_ONLY, 2)
    live(node, Start(load_node(node)).running.name)


def test_a_standby_that_read_the_file_before_it_was_replaced_takes_the_new_one(node):
    standby = Start(load_node(node))
    text = tighten(node)
    (node.parent / "limits.toml").write_text(text)

    engine, _ = standby.recover()

    assert (standby.config.limits.version, standby.record.limits.version) == (2, 2)
    assert not standby.is_acknowledged  # as at any other start
    assert engine.limits_version == 2 and not any("expected version" in line for line in standby.says)


def test_a_standby_stays_with_what_it_read_where_the_new_file_is_none(node):
    standby = Start(load_node(node))
    tighten(node)
    (node.parent / "limits.toml").write_text("[firm")

    standby.recover()

    assert (standby.config.limits.version, standby.is_acknowledged) == (1, False)
    assert "expected version 2" in standby.says[1]


def test_what_recovery_did_is_in_the_journal(node):
    live(node)
    live(node)

    assert [snapshot for snapshot, _ in notes(node, OperatorVerb.RECOVERED)] == [0, 0, 0]
    frames = [f for f in open_journal(node.parent / "journal") if f.record(0)["type"] == Type.OPERATOR]
    assert all(f.source == Source.NODE for f in frames if f.record(0)["code"] == OperatorVerb.RECOVERED)


def test_under_a_supervisor_the_standby_becomes_the_node_and_another_one_stands_by(tmp_path):
    node = lives.write_node(tmp_path)
    node.write_text(node.read_text().replace("seed = 7", "seed = 7\nstandby = true"))
    log, said = node.parent / "log", []

    def kill_and_stop() -> None:
        wait_for(lambda: log.is_file() and "standing by" in log.read_text(), "the standby")
        os.kill(supervisor.trading_pid, signal.SIGKILL)
        wait_for(lambda: "taken over by the standby" in log.read_text(), "the take-over")
        wait_for(lambda: log.read_text().count("standing by") == 2, "the next standby")
        supervisor.stop()

    with Supervisor(node, log=log) as supervisor:
        threading.Thread(target=kill_and_stop, daemon=True).start()
        said.append(supervisor.wait())
    assert said[0]["recovered"].startswith("taken over by the standby at seq ")
    assert said[0]["orders_open"] == 0 and said[0]["epoch"] == 2


def test_a_stop_that_ends_a_hanging_node_is_no_hour_for_the_standby(tmp_path):
    node = lives.write_node(tmp_path)
    node.write_text(node.read_text().replace("seed = 7", "seed = 7\nstandby = true"))
    log = node.parent / "log"

    def has_begun() -> bool:
        return any(frame.is_decision for frame in open_journal(*halves(node)))

    with Supervisor(node, log=log) as supervisor:
        wait_for(lambda: log.is_file() and "standing by" in log.read_text(), "the standby")
        wait_for(has_begun, "the first decision of the first epoch")
        os.kill(supervisor.trading_pid, signal.SIGSTOP)
        supervisor.stop()
        supervisor.stop()
        summary = supervisor.wait()

    assert summary["was_ended"] and summary["epoch"] == 1
    assert "taken over" not in log.read_text()
    assert sum(frame.record(0)["type"] == Type.STARTED for frame in open_journal(*halves(node))) == 1


def test_a_helper_that_stands_still_does_not_hold_up_the_end(node, monkeypatch, capsys):
    monkeypatch.setattr("openbell.node.supervisor.HELPERS_WITHIN_S", 0.5)

    with Supervisor(node, log=node.parent / "log") as supervisor:
        control = supervisor._helpers["control"]
        control.send_signal(signal.SIGSTOP)
        supervisor.stop()
        supervisor.wait()

    assert control.returncode == -signal.SIGKILL
    assert "control: no answer within" in capsys.readouterr().err


def test_a_journal_of_which_only_the_hot_half_is_left_says_what_is_there_and_the_way_out(node):
    with Supervisor(node, log=node.parent / "log") as supervisor:
        wait_for(lambda: JournalReader(*map(str, halves(node))).durable_seq, "the archiver")
        supervisor.stop()
        supervisor.wait()
    journal, hot = halves(node)
    journal.rename(node.parent / "moved")

    with pytest.raises(JournalDamagedError, match=rf"in {journal}, found none, while {hot} still .* reconcile"):
        live(node)
    with pytest.raises(JournalDamagedError, match="nothing was started"), Supervisor(node):
        pass


def test_a_core_that_decides_otherwise_is_accepted_by_name_and_then_a_person_reconciles(node):
    """The journal is written again with one price approved otherwise, as another core might have."""
    forged(node.parent)
    name = Start(load_node(node)).running.name

    with pytest.raises(CoreDiffersError, match=f"start the core that wrote it; or, .* --acknowledge {name}"):
        live(node)
    engine, recovered, _ = live(node, name)
    assert recovered.differs_at and engine.arm_state == ArmState.CANCEL_ONLY

    assert [s.seq for s in usable_snapshots(*halves(node))] == [recovered.last_seq]
    for begins_at in (recovered.last_seq, 0):  # the next start needs nobody's word, with a snapshot or without
        engine, again, _ = live(node)
        assert (again.snapshot_seq, again.differs_at) == (begins_at, 0)
        for path in (node.parent / "journal/snapshots").glob("*.snap"):
            path.unlink()


def forged(directory):
    """Write the journal below `directory` again, the quantity of its first order one lot larger."""
    old = directory / "old"
    (directory / "journal").rename(old)
    frames = list(open_journal(old, directory / "hot"))
    (directory / "hot").rename(directory / "old-hot")
    writer, is_forged = JournalWriter(str(directory / "journal"), str(directory / "hot"), segment_bytes=4 << 20), False
    for f in frames:
        raw = f.raw.copy()
        if f.is_decision and not is_forged and Type.NEW_ORDER in raw[:, 0]:
            is_forged = True
            row = raw[raw[:, 0] == Type.NEW_ORDER][0]
            raw[list(raw[:, 0]).index(Type.NEW_ORDER), QTY_OFFSET] = row[QTY_OFFSET] + 1
        writer.append(
            f.frame_class, f.source, raw.shape[1], raw.reshape(-1), f.cause_seq, f.source_seq, f.ts_recv, f.ts_seq
        )
    writer.close()
    assert is_forged
