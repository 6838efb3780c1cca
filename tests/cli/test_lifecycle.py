"""`openbell strategy stop`, `start`, `flatten` on a node that goes on, and what `openbell status` shows of it."""

import json
import signal
import tempfile
from pathlib import Path

import pytest
from tests.cli.world import WAIT_S, World, openbell, wait_for


@pytest.fixture
def world():
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="openbell-test-") as folder, World(Path(folder)) as made:
        yield made


def shown(world: World) -> dict[str, object]:
    (row,) = world.status()["strategies"]
    return row


def tell(world: World, act: str, check: int = 0) -> str:
    done = openbell("strategy", act, "maker", "--node", world.node_file, "--why", "a test", check=check)
    return done.stdout + done.stderr


def position(world: World) -> dict[str, int]:
    return {symbol: row["position"] for symbol, row in world.ledger()["positions"].items()}


def test_a_strategy_is_stopped_started_and_flattened_while_its_node_goes_on(world):
    node = world.run("--live")
    wait_for(lambda: any(position(world).values()), "a position")
    wait_for((world.hot / "control.sock").exists, "the control process")

    assert "stop strategy maker; the journal says so" in tell(world, "stop")
    wait_for(lambda: not world.open_orders(), "its orders to be cancelled")
    wait_for(lambda: shown(world)["state"] == "stopped", "the state")
    held = position(world)
    assert any(held.values()), "its position stays"
    orders = len(world.ledger()["orders"])

    openbell("params", world.node_file, "maker", "size=7", check=0)
    tell(world, "start")
    wait_for(lambda: any(o["qty"] == 7 for o in world.open_orders()), "it to quote, with its new size")
    assert "size=7 (file: 100)" in shown(world)["params"]
    assert len(world.ledger()["orders"]) > orders

    tell(world, "flatten")
    wait_for(lambda: not any(position(world).values()) and not world.open_orders(), "no position")
    wait_for(lambda: shown(world)["state"] == "stopped", "the end of it")
    assert "strategy maker stopped, interpreted: size=7 (file: 100)" in openbell("status", world.node_file).stdout

    openbell("kill", world.node_file, "--strategy", "maker")
    assert "strategy maker is killed (hard): expected a release" in tell(world, "start", check=2)
    openbell("arm", world.hot, "full", "--strategy", "maker", "--release", "--why", "looked", check=0)
    tell(world, "start")
    wait_for(lambda: world.open_orders(), "quotes again")

    node.send_signal(signal.SIGINT)
    assert node.wait(WAIT_S) == 0
    assert world.open_orders() == []
    replayed = json.loads(openbell("replay", world.journal, "--verify", "--json", check=0).stdout)
    assert replayed["is_identical"]
