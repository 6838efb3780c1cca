"""`openbell kill` from another process: orders gone, confirmed, and nothing sent after, even when a strategy hangs."""

import json
import signal
import subprocess
import sys

import pytest
from tests.cli.world import WAIT_S, World, far_strategy, openbell, stuck_strategy, wait_for

from openbell.ops.kill_follow import KillReport


@pytest.fixture
def world(tmp_path):
    with World(tmp_path) as made:
        yield made


def test_kill_cancels_confirms_survives_a_restart_and_is_released_by_a_person(world):
    world.write_node(strategy=far_strategy(world.home), strategy_class="Far")
    node = world.run("--live")
    world.wait_for_orders()
    before = world.ledger()
    said = json.loads(openbell("kill", world.node_file, "--json", check=0).stdout)

    assert world.open_orders() == []
    assert said["answered_ms"] is not None and not said["warden_acted"]
    assert said["orders_open"] == said["cancels_sent"] == said["cancels_confirmed"] == 4
    assert said["orders_left"] == said["orders_sent_after"] == 0
    assert "was killed already" in openbell("kill", world.node_file, check=0).stdout

    node.send_signal(signal.SIGINT)
    assert node.wait(WAIT_S) == 0
    assert [o["token"] for o in world.ledger()["orders"]] == [o["token"] for o in before["orders"]]
    world.run("--live")
    wait_for(lambda: (s := world.status())["is_session_up"] and s["is_alive"] and s["epoch"] == 2, "the restart")
    assert world.status()["kill"] == "HARD"

    wait_for((world.hot / "control.sock").exists, "the control process")
    assert "expected a release" in openbell("arm", world.hot, "full", "--all", check=2).stderr
    done = openbell("arm", world.hot, "full", "--all", "--release", "--why", "looked", check=0)
    assert "releases: killed (hard); the journal says so" in done.stdout
    world.wait_for_orders()
    assert world.status()["kill"] == "NONE"


def test_a_strategy_that_never_returns_does_not_stop_a_kill(world):
    world.write_node(strategy=stuck_strategy(world.home), strategy_class="Stuck")
    patient = world.node_file.read_text().replace("[node]", "[node]\ncallback_budget_ms = 60_000", 1)
    world.node_file.write_text(patient)
    node = world.run("--live")
    wait_for((world.home / "stuck").exists, "the strategy to hang")
    before = world.ledger()
    assert len(world.open_orders()) == 4

    done = openbell("kill", world.node_file, check=3)

    assert "the trading thread did not answer within 50 ms" in done.stdout
    assert "order sockets were shut by the warden" in done.stdout
    assert "4 orders were open by the journal" in done.stdout
    wait_for(lambda: not world.open_orders(), "cancel-on-disconnect")
    after = world.ledger()
    assert [o["token"] for o in after["orders"]] == [o["token"] for o in before["orders"]]
    assert after["fills"] == before["fills"]
    assert world.status()["warden_acted"]

    node.send_signal(signal.SIGINT)
    node.send_signal(signal.SIGTERM)  # as a second Ctrl-C, and never merged with the first
    assert node.wait(WAIT_S) == 3
    world.write_node()
    world.run("--live")
    wait_for(lambda: (s := world.status())["is_session_up"] and s["epoch"] == 2, "the restart")
    assert world.status()["orders"] == []  # reconciled with the venue, and still killed
    assert world.status()["kill"] == "HARD"
    assert len(world.ledger()["orders"]) == len(after["orders"])


def test_the_cord_shuts_the_sockets_at_once(world):
    world.run("--live")
    world.wait_for_orders()
    done = openbell("kill", world.node_file, "--level", "cord")

    assert "order sockets were shut by the warden" in done.stdout
    wait_for(lambda: not world.open_orders(), "no open orders")


def test_no_node_is_said_so(tmp_path):
    assert "expected a node's name" in openbell("kill", tmp_path / "none", check=2).stderr
    assert "found none" in openbell("kill", tmp_path / "none.toml", check=2).stderr


def test_nothing_heavy_is_imported_before_the_gate_closes():
    script = (
        "import sys\n"
        "import openbell.cli.kill, openbell.ops.find, openbell._native\n"
        "print([m for m in ('numpy', 'polars', 'pydantic', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "numpy" not in done.stdout
    assert "polars" not in done.stdout
    assert "pydantic" not in done.stdout


def report(level: str, sent_after: int) -> KillReport:
    return KillReport("n", level, 1.0, True, 1.0, False, 2, 2, 2, 1.0, sent_after, 0)


def test_what_reduces_passes_a_soft_kill_and_nothing_a_hard_one():
    soft, hard = report("soft", 5), report("hard", 5)

    assert (soft.is_flat, hard.is_flat, report("hard", 0).is_flat) == (True, False, True)
    assert soft.lines()[-1] == "new orders sent after the request: 5; what reduces passes a soft kill"
    assert hard.lines()[-1] == "new orders sent after the request: 5"
