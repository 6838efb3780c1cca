"""Looking at a new version: whoever asks is told to ask again, and no look takes the control process along."""

import time
from pathlib import Path

import pytest

from openbell._native import StrategyLife
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

    def changed_parameters(self):
        return []

    def life_of(self, strategy):
        assert strategy == 0
        return StrategyLife.RUNS

    def version_of(self, strategy):
        assert strategy == 0
        return 0


class LoadingNode:
    """Stands in for the versions of a trading process: remembers what it was asked to load."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def prepare(self, strategy: int, number: int) -> None:
        self.asked.append((strategy, number))


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


def test_another_version_may_be_asked_for_while_the_trading_process_loads_the_first(desk: Replacing):
    with loading_beside(LoadingNode(), desk.hot_dir):
        replacing.loaded, before = lambda *_: None, replacing.loaded  # it takes its time
        try:
            assert looked_at(desk, desk.journal_dir / "maker_8.py", lambda look: look.answer is not None) is None
        finally:
            replacing.loaded = before

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
