"""Compiled strategies in the engine: the same commands as interpreted ones, over a whole tape."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from openbell.backtest.run import BacktestSettings, run_backtest
from openbell.errors import StrategyError
from openbell.node.record import read_record
from openbell.node.verify import replay
from tapes import write_tape

SPEEDS = ("interpreted", "compiled")
HERE = Path(__file__).resolve()
STRATEGIES = [HERE.parents[3] / "strategies" / "market_maker.py", HERE.with_name("all_verbs.py")]

SIZE = "quantity shown on each side"

FAILS = """
from openbell import Strategy
from terms_of_failure import check


class Fails(Strategy):
    books: int = 0

    def on_book(self, ctx, book):
        self.books += 1
        check(self.books)
"""
HELPER = """def check(books):
    if books > 3:
        raise ValueError("four books")
"""


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    return write_tape(tmp_path_factory.mktemp("tape") / "tape", events=3_000)


def run(tape, out, strategy, speed):
    return run_backtest(BacktestSettings(tape=tape, strategy_file=strategy, speed=speed, out=out))


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda path: path.stem)
def test_both_speeds_emit_the_same_commands(tape, tmp_path, strategy):
    for ran, again in (SPEEDS, SPEEDS[::-1]):
        out = tmp_path / ran
        result = run(tape, out, strategy, ran)
        record = read_record(out)

        assert sum(row.orders for row in result.instruments) > 0, "a strategy that does nothing proves nothing"
        for speed in (ran, again):
            found = replay(out, record, run_strategies=True, speed=speed)
            assert found.is_identical, found
            assert not found.notes


def test_the_record_says_which_machine_code_traded(tape, tmp_path):
    for speed in SPEEDS:
        run(tape, tmp_path / speed, STRATEGIES[0], speed)
    interpreted, compiled = (read_record(tmp_path / speed).strategies[0] for speed in SPEEDS)

    assert (interpreted.speed, interpreted.object_hash) == ("interpreted", "")
    assert (compiled.speed, len(compiled.object_hash)) == ("compiled", 32)
    assert compiled.identity() == bytes.fromhex(compiled.source_hash + compiled.object_hash)


def test_other_machine_code_than_the_recorded_is_noted(tape, tmp_path):
    run(tape, tmp_path / "run", STRATEGIES[0], "compiled")
    record = read_record(tmp_path / "run")
    other = record.strategies[0].model_copy(update={"object_hash": "00" * 16})
    found = replay(tmp_path / "run", record.model_copy(update={"strategies": (other,)}), run_strategies=True)

    assert any("its machine code is" in note and "00" * 16 in note for note in found.notes)


def test_what_a_strategy_raises_halts_it_in_the_same_words(tape, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "terms_of_failure.py").write_text(HELPER)
    (tmp_path / "fails.py").write_text(FAILS)
    sys.modules.pop("terms_of_failure", None)

    halts = [run(tape, tmp_path / speed, tmp_path / "fails.py", speed).halts for speed in SPEEDS]

    assert halts[0] == halts[1]
    assert [halt.why for halt in halts[1]] == ["ValueError: four books (terms_of_failure.py:3)"]


def test_a_strategy_outside_the_subset_is_refused_and_nothing_runs(tape, tmp_path):
    strategy = tmp_path / "prints.py"
    strategy.write_text(
        "from openbell import Strategy\n\n\nclass Prints(Strategy):\n"
        "    def on_book(self, ctx, book):\n        print(book)\n"
    )

    with pytest.raises(StrategyError, match=r"prints\.py:6: print\(\) is not compiled; a callback has no console"):
        run(tape, tmp_path / "run", strategy, "compiled")
    assert not (tmp_path / "run").exists()


def openbell(*arguments):
    command = [sys.executable, "-m", "openbell", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_check_says_what_is_compiled():
    done = openbell("strategy", "check", STRATEGIES[0], "--json")

    said = json.loads(done.stdout)
    assert done.returncode == 0
    assert said["refusals"] == [] and "on_book" in said["callbacks"]
    size = next(one for one in said["params"] if one["name"] == "size")
    assert size == {"name": "size", "type": "int", "default": 100, "ge": 1, "le": None, "unit": "lots", "doc": SIZE}
    assert f"  parameter   size: 100 lots, 1 <= size; {SIZE}" in openbell("strategy", "check", STRATEGIES[0]).stdout


def test_check_says_what_is_not_and_why(tmp_path):
    strategy = tmp_path / "wrong.py"
    strategy.write_text(
        "from openbell import Strategy\n\n\nclass Wrong(Strategy):\n    n: int\n\n    def on_book(self, ctx, book):\n"
        "        self.n = book.bid_pxx\n        prices = []\n"
    )
    done = openbell("strategy", "check", strategy)

    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "Wrong: not compiled: 2 places are outside the subset",
        f"  {strategy}:8: book has no field bid_pxx; did you mean bid_px?",
        f"  {strategy}:9: a list is not compiled; declare `name: Array = array(float, 100)` in the class",
        'change these lines, or run it with speed = "interpreted" (docs/strategies.md)',
    ]


def test_check_runs_it_twice_and_compares(tape, tmp_path):
    strategy = tmp_path / "chancy.py"
    strategy.write_text(
        "import random\nfrom openbell import Strategy\n\n\nclass Chancy(Strategy):\n    def on_book(self, ctx, book):\n"
        "        ctx.quote(book.instrument, bid_px=book.bid_px, bid_qty=random.randint(1, 1_000_000))\n"
    )

    alike = openbell("strategy", "check", STRATEGIES[0], "--deterministic", "--tape", tape)
    other = openbell("strategy", "check", strategy, "--deterministic", "--tape", tape)

    assert (alike.returncode, alike.stdout) == (0, f"{STRATEGIES[0]}: decides alike when it is run again\n")
    assert other.returncode == 1 and "decides differently at seq" in other.stdout
    assert "expected a tape" in openbell("strategy", "check", strategy, "--deterministic").stderr


def test_a_new_strategy_runs_as_it_is(tape, tmp_path):
    folder = tmp_path / "new"
    assert openbell("strategy", "new", "fast_maker", "--folder", folder).returncode == 0

    passed = subprocess.run([sys.executable, "-m", "pytest", "-q", folder], capture_output=True, text=True, check=False)
    assert "3 passed" in passed.stdout, passed.stdout
    halts = [run(tape, tmp_path / speed, folder / "fast_maker.py", speed).halts for speed in SPEEDS]
    assert halts == [(), ()] or halts == [[], []]
    again = openbell("strategy", "new", "fast_maker", "--folder", folder)
    assert again.returncode == 2 and "expected no file of this name" in again.stderr


def test_a_new_strategy_has_a_configuration_that_a_node_takes(tmp_path):
    from openbell.node.config import load_node

    openbell("strategy", "new", "fast_maker", "--folder", tmp_path)

    (strategy,) = load_node(tmp_path / "fast_maker.toml").strategies
    assert (strategy.class_name, strategy.speed) == ("FastMaker", "interpreted")
