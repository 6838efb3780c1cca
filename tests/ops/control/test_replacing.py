"""Looking at a new version: whoever asks is told to ask again, and no look takes the control process along."""

import time
from pathlib import Path

import pytest

from openbell._native import StrategyLife
from openbell.errors import OpenbellError
from openbell.node.loading import ask_to_load, loaded, loading_beside
from openbell.node.record import CapacityRecord, RunRecord, StrategyRecord
from openbell.ops.control import replacing
from openbell.ops.control.proposals import RefusedError
from openbell.ops.control.replacing import Replacement, Replacing

SOURCE = """
from openbell.strategy import Strategy, param

class Maker(Strategy):
    size: int = param({size}, ge=1, le=100)
"""
SIZES = {"instruments_max": 1, "book_orders_max": 1, "orders_max": 1, "strategies_max": 2, "timers_max": 1}
PATIENCE_S = 60


class Node:
    """One strategy that was never replaced."""

    def __init__(self) -> None:
        self.strategies = {"maker": 0}
        self.life = StrategyLife.RUNS

    def changed_parameters(self):
        return []

    def life_of(self, strategy):
        assert strategy == 0
        return self.life

    def version_of(self, strategy):
        assert strategy == 0
        return 0


class LoadingNode:
    """Stands in for the versions of a trading process: remembers what it was asked to load."""

    def __init__(self, error: str = "") -> None:
        self.asked: list[tuple[int, int]] = []
        self.error = error

    def prepare(self, strategy: int, number: int) -> None:
        self.asked.append((strategy, number))
        if self.error:
            raise OpenbellError(self.error)


@pytest.fixture
def desk(tmp_path: Path) -> Replacing:
    files = {}
    for size in (7, 8, 9):
        files[size] = tmp_path / f"maker_{size}.py"
        files[size].write_text(SOURCE.format(size=size))
    running = StrategyRecord.of(
        id=0, name="maker", file=files[7], class_name="Maker", params={}, symbols=(), speed="interpreted"
    )
    run = RunRecord(kind="node", capacity=CapacityRecord(**SIZES), strategies=(running,))
    (tmp_path / "hot").mkdir()
    return Replacing(Node(), tmp_path, tmp_path / "hot", {"maker": (files[7], "Maker")}, lambda: run)


def looked_at(desk: Replacing, file: Path, until=lambda _: False) -> Replacement | None:
    """Ask again until it is looked at, or `until` holds of the look."""
    give_up = time.monotonic() + PATIENCE_S
    while (found := desk.look("maker", str(file), "Maker")) is None and not until(desk._look):
        assert time.monotonic() < give_up
    return found


def test_another_version_may_be_asked_for_while_the_trading_process_loads_the_first(desk: Replacing, monkeypatch):
    with loading_beside(LoadingNode(), desk.hot_dir):
        with monkeypatch.context() as slow:
            slow.setattr(replacing, "loaded", lambda *_: None)  # it takes its time
            assert looked_at(desk, desk.journal_dir / "maker_8.py", lambda look: look.answer is not None) is None

        found = looked_at(desk, desk.journal_dir / "maker_9.py")
    assert found is not None
    assert "maker_9.py" in found.says[0]


def test_of_two_versions_one_is_looked_at_at_a_time(desk: Replacing):
    assert desk.look("maker", str(desk.journal_dir / "maker_8.py"), "Maker") is None
    with pytest.raises(RefusedError, match="another version is being looked at"):
        desk.look("maker", str(desk.journal_dir / "maker_9.py"), "Maker")
    with desk._look.said:
        desk._look.child.wait(PATIENCE_S)


def test_what_is_asked_for_while_another_version_loads_is_loaded_after_it(tmp_path: Path):
    versions = LoadingNode()
    with loading_beside(versions, tmp_path):
        for number in range(1, 40):  # more than one read of the pipe takes
            ask_to_load(tmp_path, 1, number)
        give_up = time.monotonic() + PATIENCE_S
        while loaded(tmp_path, 1, 39) is None:
            assert time.monotonic() < give_up
    assert versions.asked == [(1, number) for number in range(1, 40)]


def test_a_look_that_nobody_came_back_for_gives_way_to_the_next(desk: Replacing):
    assert desk.look("maker", str(desk.journal_dir / "maker_8.py"), "Maker") is None
    desk._look.child.wait(PATIENCE_S)
    with loading_beside(LoadingNode(), desk.hot_dir):
        found = looked_at(desk, desk.journal_dir / "maker_9.py")
    assert found is not None


def refused(desk: Replacing, file: Path) -> str:
    with pytest.raises(RefusedError) as said:
        looked_at(desk, file)
    assert desk._look is None  # and the next one may come
    return str(said.value)


def test_without_a_trading_process_it_is_not_replaced(desk: Replacing):
    said = refused(desk, desk.journal_dir / "maker_8.py")
    assert "expected a trading process to load it, found: No such file or directory; does it run?" in said


def test_what_the_trading_process_says_of_it_is_told(desk: Replacing):
    with loading_beside(LoadingNode("no room"), desk.hot_dir):
        assert refused(desk, desk.journal_dir / "maker_8.py") == "no room"


def test_a_trading_process_that_does_not_load_it_is_not_waited_for_without_end(desk: Replacing, monkeypatch):
    monkeypatch.setattr(replacing, "LOAD_WITHIN_S", 0.0)
    monkeypatch.setattr(replacing, "loaded", lambda *_: None)
    with loading_beside(LoadingNode(), desk.hot_dir):
        assert "to load it in 0 s, found not" in refused(desk, desk.journal_dir / "maker_8.py")


def test_a_class_that_never_ends_its_import_is_ended(desk: Replacing, monkeypatch):
    monkeypatch.setattr(replacing, "LOOK_WITHIN_S", 0.0)
    (desk.journal_dir / "loops.py").write_text("while True:\n    pass\n")
    assert "to load within 0 s, found it at it" in refused(desk, desk.journal_dir / "loops.py")


def test_a_class_that_ends_the_process_is_told_with_its_code(desk: Replacing):
    (desk.journal_dir / "ends.py").write_text("import os\n\nos._exit(7)\n")
    assert "found that it ended the process that tried, with code 7" in refused(desk, desk.journal_dir / "ends.py")


def test_a_file_that_is_not_there_is_told_so(desk: Replacing):
    assert "nothing.py" in refused(desk, desk.journal_dir / "nothing.py")


def test_one_that_is_flattened_is_not_replaced(desk: Replacing):
    desk.node.life = StrategyLife.FLATTENING
    assert "expected it not to be flattening" in refused(desk, desk.journal_dir / "maker_8.py")
