"""A running node and its people: two identities, by their user ids, over the real socket and the real journal."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from tests.cli.people import ANN, BOB, GROUP, PEOPLE, become
from tests.cli.world import World, far_strategy, openbell, wait_for

from configurations import node_toml
from openbell._native import OperatorVerb
from openbell.errors import OpenbellError
from openbell.journal import open_journal
from openbell.node.card import read_card
from openbell.ops.control.client import ask
from openbell.ops.control.proposals import RefusedError
from openbell.types import ArmState, Type

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root may become two other people")


@pytest.fixture
def world():
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        home.chmod(0o711)
        with World(home) as made:
            toml = node_toml(
                feed=made.feed,
                ready=made.ready,
                strategy=far_strategy(home),
                strategy_class="Far",
                identities=2,
                more=PEOPLE,
            )
            made.node_file.write_text(toml.replace("[control]", f'[control]\ngroup = "{GROUP}"'))
            made.run("--live")
            made.wait_for_orders()
            wait_for((made.hot / "control.sock").exists, "the control process")
            yield made


def as_person(world: World, uid: int, verb: str, /, **fields: Any) -> dict[str, Any]:
    with become(uid):
        return ask(world.hot, {"verb": verb, **fields})


def told(world: World, kind: Type) -> list[Any]:
    card = read_card(world.hot)
    journal = open_journal(card.journal_dir, card.hot_dir)
    return [f.record(i) for f in journal for i in range(len(f.raw)) if f.raw[i, 0] == kind]


def test_two_people_release_a_kill_and_one_cannot(world):
    openbell("kill", world.node_file, check=0)
    why = {"state": "full", "all": True, "release": True, "why": "feed is back"}
    with pytest.raises(RefusedError, match="uid 64003"):
        as_person(world, 64_003, "arm", **why)
    proposal = as_person(world, ANN, "arm", **why)["proposal"]["id"]
    with pytest.raises(RefusedError, match="another person than ann"):
        as_person(world, ANN, "approve", proposal=proposal)
    assert world.status()["kill"] == "HARD"
    assert "expected role risk" in openbell("approve", world.node_file, proposal, check=2).stderr
    assert proposal in openbell("approve", world.node_file, check=0).stdout

    assert as_person(world, BOB, "approve", proposal=proposal)["done"]
    world.wait_for_orders()
    with pytest.raises(RefusedError, match="was approved by bob"):
        as_person(world, BOB, "approve", proposal=proposal)

    arm = told(world, Type.ARM)[-1]
    assert [int(v) for v in arm["values"]] == [ANN, BOB, 0, 0]
    assert bytes(arm["text"]) == b"feed is back"

    def requests():
        return [record for record in told(world, Type.OPERATOR) if record["code"] == OperatorVerb.ASKED]

    wait_for(lambda: len(requests()) >= 6, "every request in the journal")
    asked = [tuple(int(v) for v in r["values"][[0, 3]]) for r in requests()]
    assert asked == [(64_003, 0), (ANN, 2), (ANN, 0), (0, 0), (BOB, 1), (BOB, 0)]


def test_one_instrument_is_killed_and_the_other_trades_on(world):
    done = openbell("kill", world.node_file, "--instrument", "OBEL", "--why", "odd", check=0)
    assert "hard kill of instrument OBEL" in done.stdout
    assert "2 orders were open, exposure" in done.stdout
    assert "2 cancels sent, 2 confirmed closed" in done.stdout
    assert {o["symbol"] for o in world.open_orders()} == {"RING"}

    assert world.status()["held"] == ["instrument OBEL CANCEL_ONLY (hard kill)"]
    assert "held: instrument OBEL CANCEL_ONLY (hard kill)" in openbell("status", world.node_file, check=0).stdout
    status = as_person(world, BOB, "status")
    assert status["scopes"]["instrument OBEL"]["kill"] == "HARD"
    assert status["scopes"]["node"]["state"] == "FULL"
    openbell("kill", world.node_file, "--strategy", "maker", check=0)
    wait_for(lambda: not world.open_orders(), "the other instrument")
    ask_ann = as_person(world, ANN, "arm", state="full", strategy="maker", release=True, why="x")
    as_person(world, BOB, "approve", proposal=ask_ann["proposal"]["id"])
    wait_for(lambda: {o["symbol"] for o in world.open_orders()} == {"RING"}, "quotes where nothing is killed")


def test_a_soft_kill_of_the_node_keeps_the_gate_open_for_what_reduces(world):
    done = openbell("kill", world.node_file, "--soft", check=0)
    assert "4 cancels sent, 4 confirmed closed" in done.stdout
    assert world.status()["kill"] == "SOFT"
    assert as_person(world, ANN, "status")["scopes"]["node"]["state"] == ArmState.REDUCE_ONLY.name


def test_the_control_process_comes_back_and_a_kill_needs_it_not(world):
    sock = world.hot / "control.sock"
    before = sock.stat().st_ctime_ns
    pid = next(p for p in children(world) if b"openbell.ops.control" in p[1])[0]
    os.kill(pid, 9)
    openbell("kill", world.node_file, check=0)
    assert not world.open_orders()
    wait_for(lambda: sock.exists() and sock.stat().st_ctime_ns != before, "a new control process")
    wait_for(lambda: answers(world), "its answer")


def answers(world: World) -> bool:
    try:
        return bool(as_person(world, ANN, "status")["scopes"]["node"]["kill"] == "HARD")
    except OpenbellError:  # not yet
        return False


def children(world: World) -> list[tuple[int, bytes]]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = path.read_bytes()
            if str(world.node_file).encode() in line:
                found.append((int(path.parent.name), line))
    return found
