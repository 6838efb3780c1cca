"""Limits of a running node: compared with a file, tightened by one, loosened by two, kept for the next start."""

import contextlib
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.ops.control.desks import ANN, BOB, TOM, VIC, Desk

from configurations import limits_toml
from openbell import _native as native
from openbell.node.limit_lines import lines_of
from openbell.node.limits import LimitSet, parse_limits
from openbell.node.record import CapacityRecord, LimitsRecord, RunRecord, read_record
from openbell.ops.control.limits import NodeLimits
from openbell.types import Type


class FakeConfig:
    """Of a node's file: where its limits lie, and what they say."""

    def __init__(self, path: Path) -> None:
        self.node = SimpleNamespace(limits=path, journal_dir=path.parent)
        self.limits = parse_limits(path.read_text(), path)

    def check_limits(self, limits: LimitSet):
        return limits.fit({"OBEL": "USD"}, {"maker", "taker"}, (), 1_000)


@pytest.fixture
def made(tmp_path):
    path = tmp_path / "limits.toml"
    path.write_text(limits_toml("OBEL"))
    desk = Desk()
    limits = NodeLimits(FakeConfig(path), desk.node)
    desk.desk.limits = limits
    return desk, limits, path


def changed(path, **edits: str) -> str:
    text = path.read_text()
    for key, value in edits.items():
        lines = [f"{key} = {value}" if line.startswith(f"{key} =") else line for line in text.splitlines()]
        text = "\n".join(lines) + "\n"
    return text


def told(desk: Desk) -> int:
    return sum(record[0] == Type.LIMIT for record in desk.node.records)


def test_everybody_sees_what_is_in_force(made):
    desk, _, _ = made
    assert "version 1" in desk.ask(VIC, "limits")["limits"][0]


def test_tightening_takes_effect_at_once_and_stays_for_the_next_start(made):
    desk, limits, path = made
    before = path.read_text()
    text = changed(path, version="2", order_qty_max_lots="400")
    assert "500 -> 400" in desk.ask(TOM, "limits", file=text)["done"]
    assert told(desk) == 1
    assert (path.read_text(), limits.in_force.version) == (text, 2)
    assert path.with_name("limits.toml.v1").read_text() == before


def test_the_next_start_compares_with_what_is_in_force(made):
    desk, limits, path = made
    capacity = CapacityRecord.of(native.EngineCapacity())
    RunRecord(kind="node", capacity=capacity, strategies=()).write(path.parent)

    desk.ask(TOM, "limits", file=changed(path, version="2", order_qty_max_lots="400"))

    record = read_record(path.parent)
    assert record is not None and record.limits is not None
    assert record.limits == LimitsRecord.of(limits.in_force)
    assert (record.limits.version, record.limits.lines) == (2, tuple(lines_of(limits.in_force)))
    assert (record.limits.base_currency, "drift" in record.limits.unlimited) == ("USD", True)


def test_loosening_waits_for_another_person(made):
    desk, limits, path = made
    text = changed(path, version="2", order_qty_max_lots="600")
    said = desk.ask(TOM, "limits", file=text, why="more volume")
    assert "500 -> 600, x1.2  LOOSER" in said["proposal"]["says"][0]
    assert (told(desk), limits.in_force.version) == (0, 1)
    assert "expected role risk" in desk.ask(TOM, "approve", proposal="p-0")["error"]
    assert desk.ask(BOB, "approve", proposal="p-0")["ok"]
    assert (told(desk), limits.in_force.version, path.read_text()) == (1, 2, text)


@pytest.mark.parametrize(
    ("edits", "more", "said"),
    [
        ({}, "margin_bps = 5000", "OBEL: margin_bps none -> 5,000, x2  LOOSER"),
        ({"order_rate_max": "500", "order_rate_window_ms": "500"}, "", "500 in 500 ms, x2.25, counted anew  LOOSER"),
        ({"order_rate_window_ms": "900"}, "", "x1.25, counted anew  LOOSER"),
        ({"order_rate_window_ms": "2000"}, "", "1,000 in 1,000 ms -> 1,000 in 2,000 ms, counted anew"),
    ],
)
def test_what_looks_tighter_and_lets_more_pass_waits_for_another_person(made, edits, more, said):
    desk, limits, path = made
    text = changed(path, version="2", **edits) + f"{more}\n"
    answer = desk.ask(TOM, "limits", file=text, why="a better fit")
    assert said in answer["proposal"]["says"][0]
    assert (told(desk), limits.in_force.version) == (0, 1)


def test_a_change_that_was_overtaken_is_compared_again(made):
    desk, _, path = made
    wider = changed(path, version="3", order_qty_max_lots="600")
    desk.ask(TOM, "limits", file=wider, why="more volume")
    desk.ask(TOM, "limits", file=changed(path, version="2", order_qty_max_lots="400"))
    assert "compare again" in desk.ask(ANN, "approve", proposal="p-0")["error"]


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        ({"version": "2", "order_qty_max_lots": "500000"}, "order_qty_max_lots"),  # factor 1,000
        ({"version": "1", "order_qty_max_lots": "400"}, "expected more than 1"),
        ({"version": "2", "order_qty_max_lots": "-5"}, "order_qty_max_lots"),
        ({"version": "2", "order_qty_max_lots": "nan"}, "order_qty_max_lots"),
        ({"version": "2", "order_qty_max_lots": "true"}, "order_qty_max_lots"),
        ({"version": "2", "order_notional_max": "false"}, "order_notional_max"),
        ({"version": "2", "symbol": '"NONE"'}, "NONE"),
        ({"version": "2", "base_currency": '"EUR"'}, "EUR"),
        ({"version": "2", "owner": '""'}, "owner"),
    ],
)
def test_a_file_that_cannot_be_meant_changes_nothing_and_says_where(made, edits, said):
    desk, limits, path = made
    before = path.read_text()
    answer = desk.ask(ANN, "limits", file=changed(path, **edits), why="x")
    assert not answer["ok"]
    assert said in answer["error"]
    assert (told(desk), limits.in_force.version, path.read_text()) == (0, 1, before)


@pytest.mark.parametrize("text", ["", "x", "[firm", 'owner = "a"\nunknown = 1\n', "\x00"])
def test_what_is_no_file_of_limits_is_told_so(made, text):
    desk, _, _ = made
    answer = desk.ask(ANN, "limits", file=text or " ", why="x")
    assert not answer["ok"]
    assert "limits" in answer["error"]


def test_an_instrument_that_the_node_has_not_heard_of_waits(made):
    desk, _, path = made
    desk.node.symbols.clear()
    answer = desk.ask(TOM, "limits", file=changed(path, version="2", order_qty_max_lots="400"))
    assert "has not heard of 'OBEL' yet" in answer["error"]


def test_the_file_of_a_version_that_was_kept_before_is_not_written_over(made):
    desk, _, path = made
    kept = path.with_name("limits.toml.v1")
    kept.write_text("the first of that version\n")
    assert "500 -> 400" in desk.ask(TOM, "limits", file=changed(path, version="2", order_qty_max_lots="400"))["done"]
    assert kept.read_text() == "the first of that version\n"


# ---- what the disk does not take, and what is cut off


def fill(path: Path) -> None:
    """No room for the new version of this file, which is written beside it."""
    path.with_name(f"{path.name}.new").symlink_to("/dev/full")


def draft(path: Path) -> Path:
    return path.with_name("limits.toml.draft")


def test_what_cannot_be_written_is_not_loosened(made):
    desk, limits, path = made
    before = path.read_text()
    fill(draft(path))
    desk.ask(TOM, "limits", file=changed(path, version="2", order_qty_max_lots="600"), why="more volume")

    said = desk.ask(BOB, "approve", proposal="p-0")["error"]

    assert "limits.toml.draft.new: No space left on device; check the disk" in said
    assert said.endswith("nothing was loosened")
    assert (told(desk), limits.in_force.version, path.read_text()) == (0, 1, before)


def test_what_tightens_is_done_on_a_full_disk_and_the_old_file_is_an_alarm(made, capsys):
    desk, limits, path = made
    before = path.read_text()
    fill(draft(path))

    done = desk.ask(TOM, "limits", file=changed(path, version="2", order_qty_max_lots="400"))["done"]

    alarm = "ALARM: the node holds version 2, the file still says 1: cannot write"
    assert "500 -> 400" in done and alarm in done and "No space left on device" in done
    assert alarm in capsys.readouterr().err
    assert any(alarm.encode() in bytes(row["text"]) for row in desk.told(Type.OPERATOR))
    assert (told(desk), limits.in_force.version, path.read_text()) == (1, 2, before)
    # It is judged by what the node holds, not by the file.
    desk.ask(TOM, "limits", file=changed(path, version="3", order_qty_max_lots="450"), why="back")
    assert (told(desk), limits.in_force.version) == (1, 2)


def test_a_version_that_was_not_written_is_not_mixed_up_with_an_older_draft(made):
    desk, _, path = made
    draft(path).write_text("of another time\n")
    before = path.read_text()
    fill(draft(path))
    assert "ALARM" in desk.ask(TOM, "limits", file=changed(path, version="2", order_qty_max_lots="400"))["done"]
    assert path.read_text() == before


def test_a_file_that_cannot_be_replaced_is_an_alarm(made):
    desk, limits, path = made
    text = changed(path, version="2", order_qty_max_lots="400")

    def push(record: bytes) -> bool:
        draft(path).unlink(missing_ok=True)  # somebody tidies up
        desk.node.records.append(record)
        return True

    desk.node.push = push
    assert "the file still says 1: cannot rename" in desk.ask(TOM, "limits", file=text)["done"]
    assert (told(desk), limits.in_force.version) == (1, 2)


def test_a_record_that_cannot_be_written_is_an_alarm(made):
    desk, limits, path = made
    RunRecord(kind="node", capacity=CapacityRecord.of(native.EngineCapacity()), strategies=()).write(path.parent)
    fill(path.parent / "node.json")
    text = changed(path, version="2", order_qty_max_lots="400")
    done = desk.ask(TOM, "limits", file=text)["done"]
    assert "ALARM: the next start compares with version 1: cannot write" in done
    assert (limits.in_force.version, path.read_text()) == (2, text)


def test_the_set_is_on_disk_before_the_node_is_told_and_an_end_in_between_leaves_it_there(made):
    desk, _, path = made
    before, text = path.read_text(), changed(path, version="2", order_qty_max_lots="400")
    reads, writes = os.pipe()
    if (child := os.fork()) == 0:
        with contextlib.suppress(BaseException):
            desk.node.push = lambda record: os.write(writes, record[:1]) and os._exit(0)
            desk.ask(TOM, "limits", file=text)
        os._exit(1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert os.read(reads, 1) == bytes([Type.LIMIT])
    os.close(reads)
    os.close(writes)
    assert (path.read_text(), draft(path).read_text()) == (before, text)

    # A control process that begins anew knows the file, and the node what it was told.
    again = NodeLimits(FakeConfig(path), desk.node)
    desk.node.limits_held, desk.desk.limits = 2, again
    answer = desk.ask(TOM, "limits", file=changed(path, version="3", order_qty_max_lots="450"))
    assert f"expected the node to hold version 1 of {path}, found 2" in answer["error"]
    assert "limits.toml.draft beside it" in answer["error"]
    assert told(desk) == 0


def test_a_full_ring_leaves_the_file_as_it_was(made):
    desk, limits, path = made
    before, desk.node.room = path.read_text(), 0
    answer = desk.ask(TOM, "limits", file=changed(path, version="2", order_qty_max_lots="400"))
    assert "takes no commands" in answer["error"]
    assert (limits.in_force.version, path.read_text()) == (1, before)
