"""`openbell demo`: books equal, replay identical, exit 0."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tests.cli.world import ENV, WAIT_S, wait_for

from openbell.node.config import load_node
from openbell.node.record import read_record
from openbell.node.verify import replay


def demo(folder: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "openbell", "demo", *options],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENV,
    )


def test_the_demo_ends_with_equal_books_and_an_identical_replay(tmp_path):
    process = demo(tmp_path, "--headless", "--duration", "3", "--seed", "7", "--json")
    out, err = process.communicate(timeout=WAIT_S)
    result = json.loads(out)

    assert process.returncode == 0, err
    assert result["ok"] and result["replay"] == "identical" and result["ledger"] == "equal"
    assert result["core"] == result["strategy"] == "identical"
    assert result["orders"]["new"] > 0 and result["orders"]["open"] == 0
    assert result["latency_ns"]["sent"]["p50"] > 0
    assert sorted(result["positions"]) == ["OBEL", "RING"]

    journal = Path(result["journal"])
    assert not load_node(journal.parent / "node.toml").node.hot_dir.exists()  # shared memory is given back
    assert_another_strategy_differs(journal)


def assert_another_strategy_differs(journal):
    """The verdict is earned: with another parameter the same journal is not identical."""
    record = read_record(journal)
    other = record.strategies[0].model_copy(update={"params": {"size": 200}})
    verdict = replay(journal, record.model_copy(update={"strategies": (other,)}), run_strategies=True)

    assert verdict.core.is_identical
    assert verdict.strategy.differs_at > 0


def test_ctrl_c_ends_it_early_in_good_order(tmp_path):
    process = demo(tmp_path, "--duration", "600")
    wait_for(lambda: list(tmp_path.glob("run/demo-*/journal/card.json")), "the node")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=WAIT_S)

    assert process.returncode == 0, err
    assert out.splitlines()[-1] == "replay: identical"
    assert "0 open" in out
    shutil.rmtree(tmp_path / "run")
