"""`openbell strategy replace` on a node that goes on: what is refused, what stays; restarts and replays know it."""

import json
import os
import signal
import tempfile
from pathlib import Path

import pytest
from tests.cli.world import WAIT_S, World, openbell, wait_for

from configurations import node_toml
from openbell._native import OperatorVerb
from openbell.journal import Source, open_journal
from openbell.ops.find import read_page
from openbell.types import Type

FIRST = '''
from openbell import Strategy, param


class Quotes(Strategy):
    """Quotes far away, `size` lots; counts what it hears."""

    size: int = param(11, ge=1, le=100)
    heard: int = 0
    fills: int = 0

    def on_start(self, ctx):
        self.heard += 0

    def on_book(self, ctx, book):
        self.heard += 1
        far = 100 * book.tick
        if book.bid_px and book.ask_px:
            ctx.quote(book.instrument, bid_px=book.bid_px - far, bid_qty=self.size, ask_px=book.ask_px + far,
                      ask_qty=self.size)
'''
SECOND = FIRST.replace("    heard: int = 0\n", "    more: int = 3\n    heard: int = 0\n").replace(
    "bid_qty=self.size", "bid_qty=self.size + self.more"
)
WRONG_TYPE = FIRST.replace("heard: int = 0", "heard: float = 0.0").replace("self.heard += 1", "self.heard += 1.0")
NO_IMPORT = FIRST + "\nimport nothing_of_that_name\n"
NOT_COMPILED = FIRST.replace("self.heard += 1\n", "self.heard += len([1])\n")
REFUSED = {
    "thread": {NO_IMPORT: "does not import: ModuleNotFoundError", FIRST: "than the one that runs, found the same in"},
    "compiled": {NOT_COMPILED: "a list"},
    "own": {WRONG_TYPE: "Quotes.heard: expected int, as the version that runs has it, found float"},
}
KINDS = {"thread": "", "compiled": 'speed = "compiled"\n', "own": "lag_max_ms = 10_000\n"}


@pytest.fixture
def world():
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="openbell-test-") as folder, World(Path(folder)) as made:
        yield made


def sizes(world):
    return {o["qty"] for o in world.open_orders()}


def state(world):
    (row,) = world.status()["strategies"]
    return row


def replace(world, *more, why="better", check=0):
    done = openbell("strategy", "replace", "maker", "--node", world.hot, "--why", why, *more, check=check)
    return done.stdout + done.stderr


def verified(world):
    done = openbell("replay", world.journal, "--verify", "--json")
    verdict = json.loads(done.stdout)
    assert verdict["is_identical"], verdict
    return verdict


@pytest.mark.parametrize("kind", KINDS)
def test_a_strategy_goes_on_with_another_version_and_its_sessions_stay(world, kind):
    file, other = world.home / "quotes.py", world.home / "other.py"
    file.write_text(FIRST)
    ready = {"feed": world.feed, "ready": world.ready, "strategy": file, "strategy_class": "Quotes"}
    text = node_toml(**ready, process="own" if kind == "own" else "trading", more=KINDS[kind])
    world.node_file.write_text(text.replace("seed = 7", f"seed = 7\nstandby = {str(kind == 'compiled').lower()}"))
    node = world.run("--live")
    wait_for(lambda: sizes(world) == {11}, "its quotes")
    wait_for((world.hot / "control.sock").exists, "the control process")
    openbell("params", world.node_file, "maker", "size=20", check=0)
    wait_for(lambda: sizes(world) == {20}, "the other size")

    for text, why in REFUSED[kind].items():
        other.write_text(text)
        assert why in replace(world, "--file", other, check=2)
    assert "expected why, found nothing" in replace(world, why="", check=2)
    assert sizes(world) == {20}, "the old one runs on"

    file.write_text(SECOND)
    said = replace(world)
    assert "new more" in said and "the journal says so" in said
    wait_for(lambda: sizes(world) == {20, 23}, "quotes of the new version, with the parameter that was changed")
    assert (state(world)["state"], "size=20 (file: 11)" in state(world)["params"]) == ("runs", True)
    assert logins(world) == 1, "the order session never ended"
    assert (world.hot / "version-1.json").exists() == (kind != "own"), "it was loaded beside the trading thread"

    os.kill(read_page(world.hot).writer_pid, signal.SIGKILL)
    wait_for(lambda: read_page(world.hot).epoch == 2 and read_page(world.hot).is_alive, "another trading process")
    wait_for(lambda: sizes(world) == {20, 23}, "the new version to quote again, with nobody to acknowledge it")
    assert any("by the standby" in text for text in recoveries(world)) == (kind == "compiled")

    other.write_text(SECOND.replace("more: int = 3", "more: int = 5").replace("self.more", "self.more + 2"))
    replace(world, "--file", other)
    wait_for(lambda: sizes(world) == {20, 25}, "the third version, with what the second one had in `more`")
    file.write_text(FIRST)  # of no account while the node runs
    node.send_signal(signal.SIGINT)
    assert node.wait(WAIT_S) == 0
    assert world.open_orders() == []
    assert not verified(world)["notes"]

    if kind == "thread":
        expect_the_file_to_count_again(world)


def expect_the_file_to_count_again(world):
    again = world.run("--live")
    wait_for(lambda: world.status_or_none(lambda s: s["epoch"] == 3), "a third life")
    assert "not armed: what runs is not what ran in epoch 2" in said_of(again), "the file counts again"


def rows(world, kind):
    frames = open_journal(world.journal, world.hot)
    found = (frame.record(i) for frame in frames for i in range(len(frame.raw)) if not frame.is_decision)
    return [row for row in found if int(row["type"]) == kind]


def logins(world):
    return sum(int(row["source"]) >= Source.ORDER_ENTRY for row in rows(world, Type.CONNECTED))


def recoveries(world):
    told = (row for row in rows(world, Type.OPERATOR) if int(row["code"]) == OperatorVerb.RECOVERED)
    return [bytes(row["text"]).rstrip(b"\0").decode() for row in told]


def said_of(node):
    node.send_signal(signal.SIGINT)
    _, err = node.communicate(timeout=WAIT_S)
    return err
