"""A running node hears signals and takes parameters from other processes, and keeps what it was told over a restart."""

import signal
import tempfile
from pathlib import Path

import pytest
from tests.cli.world import WAIT_S, World, openbell, wait_for

from configurations import node_toml
from openbell.journal import open_journal
from openbell.ops.control.proposals import RefusedError
from openbell.ops.signals import send_signal
from openbell.types import Type

HEARS = '''
from openbell.strategy import Strategy, param

class Hears(Strategy):
    """Bids below the touch when it is told to."""
    size: int = param(1, ge=1, le=50, unit="lots")

    def on_signal(self, ctx, signal):
        book = ctx.book(signal.instrument)
        ctx.quote(signal.instrument, bid_px=book.bid_px - int(signal.value) * book.tick, bid_qty=self.size)
'''
SIGNALS = """
[[signals]]
name = "go"
id = 1
low = 0.0
high = 10.0
strategy = "maker"
"""


@pytest.fixture
def world():
    with tempfile.TemporaryDirectory() as folder, World(Path(folder)) as made:
        strategy = Path(folder) / "hears.py"
        strategy.write_text(HEARS)
        ready = {"feed": made.feed, "ready": made.ready, "strategy": strategy, "strategy_class": "Hears"}
        made.node_file.write_text(node_toml(**ready, more=SIGNALS))
        yield made


def start(world: World):
    process = world.run("--live")
    wait_for(lambda: openbell("params", world.node_file).returncode == 0, "the control process")
    wait_for(lambda: world.status_or_none(lambda s: s["arm"] == "FULL" and s["is_session_up"]), "an armed node")
    return process


def tell(world: World, value: float) -> None:
    send_signal(world.hot, "go", value, instrument="OBEL")


def quantities(world: World) -> list[int]:
    return [order["qty"] for order in world.open_orders()]


def test_signals_are_heard_and_parameters_hold_over_a_restart(world: World):
    process = start(world)
    done = openbell("signal", "go", 5, "--node", world.node_file, "--instrument", "OBEL", check=0)
    assert "go = 5" in done.stdout
    wait_for(lambda: quantities(world) == [1], "an order of one")

    assert "1 <= size <= 50" in openbell("params", world.node_file, "maker", "size=51", check=2).stderr
    changed = openbell("params", world.node_file, "maker", "size=7", "--why", "more", check=0)
    assert "maker.size: 1 -> 7" in changed.stdout
    tell(world, 6)
    wait_for(lambda: quantities(world) == [7], "an order of seven")
    assert "maker.size = 7 lots  [1, 50]  (file: 1)" in openbell("params", world.node_file, check=0).stdout
    with pytest.raises(RefusedError, match="0 <= value <= 10"):
        tell(world, 11)

    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=WAIT_S)
    start(world)
    tell(world, 6)
    wait_for(lambda: quantities(world) == [7], "seven again")

    journal = open_journal(world.journal, world.hot)
    heard = [float(f.record(i)["value"]) for f in journal for i in range(len(f.raw)) if f.raw[i, 0] == Type.SIGNAL]
    assert heard == [5.0, 6.0, 6.0]
