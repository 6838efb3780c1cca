"""`openbell status` beside the exchange's own word, and fast."""

import signal
import subprocess
import sys

import pytest
from tests.cli.world import WAIT_S, World, openbell


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp("status")) as made:
        yield made


def test_status_of_a_running_node_and_of_its_end(world):
    node = world.run("--live")
    world.wait_for_orders()

    view = world.status()
    assert view["is_alive"] and view["is_session_up"] and view["arm"] == "FULL"
    assert [row["symbol"] for row in view["rows"]] == ["OBEL", "RING"]
    assert all(0 < row["bid_px"] < row["ask_px"] and row["trading"] == "TRADING" for row in view["rows"])
    assert {hop["hop"] for hop in view["latency"]} >= {"sequenced", "decided", "journalled", "sent"}
    assert view["counters"]["sent"] > 0 and view["counters"]["feed_lost"] == 0
    assert view["durability"] == "memory"
    text = openbell("status", world.hot, check=0).stdout
    for word in ("armed FULL", "session up", "our bid", "events/s", "tick to order", "frames not yet on disk"):
        assert word in text

    node.send_signal(signal.SIGINT)
    assert node.wait(WAIT_S) == 0
    view = world.status()
    assert not view["is_alive"] and view["orders"] == []
    held = {row["symbol"]: {"position": row["position"], "cash": row["cash"]} for row in view["rows"]}
    assert held == world.ledger()["positions"]
    assert "not running" in openbell("status", world.journal, check=1).stdout


def test_no_node_is_said_so(tmp_path):
    done = openbell("status", tmp_path / "nobody", check=2)
    assert "expected a node's name, its .toml file or its hot directory" in done.stderr


def test_status_imports_nothing_slow():
    script = "import sys, openbell.cli.status, openbell.ops.watch; print([m for m in sys.modules if '.' not in m])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not [m for m in ("polars", "pydantic", "numba", "pandas", "pyarrow") if f"'{m}'" in done.stdout]
