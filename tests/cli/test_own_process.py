"""Strategies in processes of their own: killed, stopped, flooding; the others go on, and the journal replays."""

import json
import os
import signal
import tempfile
from pathlib import Path
from typing import Any

import pytest
from tests.cli.world import MAKER, WAIT_S, World, openbell, wait_for

from configurations import node_toml
from openbell._native import StrategyCell, ouch_token_decode
from openbell.journal import open_journal
from openbell.ops.find import read_page
from openbell.types import Type, strategy_of

OWN = 'speed = "{speed}"\nlag_max_ms = 1_000\nage_max_ms = 10_000\nage_max_frames = 1_000_000\n'
OTHER = """
[[strategies]]
name = "other"
id = 2
file = "{file}"
class = "Rest"
instruments = ["OBEL", "RING"]
process = "trading"
"""
REST = '''
from openbell import Strategy


class Rest(Strategy):
    """Four quotes where nothing trades."""

    def on_book(self, ctx, book):
        for order in ctx.orders():
            if order.instrument == book.instrument:
                return
        if book.bid_px and book.ask_px:
            far = 100 * book.tick
            ctx.quote(book.instrument, bid_px=book.bid_px - far, bid_qty=100, ask_px=book.ask_px + far, ask_qty=100)
'''
FLOOD = '''
from openbell import Strategy
from openbell.types import Side, Tif


class Flood(Strategy):
    """Thirty orders at every change of a book, which pass no limit of open orders."""

    def on_book(self, ctx, book):
        for n in range(30 if book.bid_px else 0):
            ctx.order(book.instrument, Side.BUY, book.bid_px - 200 * book.tick, 1 + n, Tif.IOC)
'''


SHY = '''
from openbell import Strategy, param
from openbell.types import Side, Tif


class Shy(Strategy):
    """An order at some changes of a book, far from where anything trades."""

    every: int = param(5)
    seen: int = 0

    def on_book(self, ctx, book):
        self.seen += 1
        if book.bid_px and self.seen % self.every == 0:
            ctx.order(book.instrument, Side.BUY, book.bid_px - 200 * book.tick, 1, Tif.IOC)
'''


@pytest.fixture
def world():
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="openbell-test-") as folder, World(Path(folder)) as made:
        yield made


def start(
    world: World, strategy: Path, strategy_class: str, speed: str = "interpreted", *, standby: bool = False
) -> Any:
    """A node whose strategy 1 has a process of its own and whose strategy 2 stands in the trading thread."""
    ready = {"feed": world.feed, "ready": world.ready, "strategy": strategy, "strategy_class": strategy_class}
    rest = world.home / "rest.py"
    rest.write_text(REST)
    more = OWN.format(speed=speed) + OTHER.format(file=rest)
    text = node_toml(**ready, process="own", more=more)
    world.node_file.write_text(text.replace("seed = 7", "seed = 7\nstandby = true") if standby else text)
    return world.run("--live")


def orders_of(world: World, strategy: int) -> list[dict[str, Any]]:
    of_it = [o for o in world.ledger()["orders"] if strategy_of(ouch_token_decode(o["token"])[0]) == strategy]
    return [o for o in of_it if o["leaves_qty"]]


def fills_of(world: World, strategy: int) -> int:
    return sum(strategy_of(ouch_token_decode(f["token"])[0]) == strategy for f in world.ledger()["fills"])


def controls(world: World, kind: Type) -> list[tuple[int, int, str]]:
    """(strategy, code, text) of the records of a kind, in the journal's order."""
    found = []
    for frame in open_journal(world.journal, world.hot):
        for i in range(len(frame.raw)):
            record = frame.record(i)
            if int(record["type"]) == kind and not frame.is_decision:
                text = bytes(record["text"]).rstrip(b"\0").decode()
                found.append((int(record["strategy"]), int(record["code"]), text))
    return found


def release(world: World) -> None:
    openbell("arm", world.hot, "full", "--strategy", "maker", "--release", "--why", "looked", check=0)


def stop_and_verify(world: World, node: Any) -> None:
    """Nothing is left open, and both speeds say again what was said."""
    node.send_signal(signal.SIGINT)
    assert node.wait(WAIT_S) == 0
    assert world.open_orders() == []
    for speed in ("interpreted", "compiled"):
        done = openbell("replay", world.journal, "--verify", "--speed", speed)
        assert done.returncode == 0, (done.stdout, done.stderr)
        assert "replay: identical" in done.stdout


def test_a_process_that_dies_or_hangs_loses_its_quotes_and_comes_back_by_a_release(world):
    node = start(world, MAKER, "MarketMaker")
    wait_for(lambda: orders_of(world, 1) and len(orders_of(world, 2)) == 4, "both strategies to quote")
    wait_for(lambda: fills_of(world, 1) >= 3, "fills")
    cell = StrategyCell.open(str(world.hot), 1)
    first = cell.pid

    os.kill(first, signal.SIGKILL)
    wait_for(lambda: not cell.is_on and not orders_of(world, 1), "the quotes of the dead to be pulled")
    assert len(orders_of(world, 2)) == 4, "the other one goes on"
    assert controls(world, Type.STRATEGY_HALTED) == [(1, 2, "its process is gone")]
    assert "halted: maker" in openbell("status", world.node_file).stdout
    wait_for(lambda: cell.is_held and cell.pid != first, "another process of it")
    assert not cell.is_on, "it waits for a person"

    release(world)
    wait_for(lambda: cell.is_on and orders_of(world, 1), "it to quote again")
    os.kill(read_page(world.hot).writer_pid, signal.SIGKILL)
    wait_for(lambda: read_page(world.hot).epoch == 2 and read_page(world.hot).is_alive, "another trading process")
    wait_for(lambda: cell.is_on and orders_of(world, 1), "it to quote for that one")
    os.kill(cell.pid, signal.SIGSTOP)
    wait_for(lambda: not cell.is_on and not orders_of(world, 1), "the quotes of one that hangs to be pulled")
    strategy, code, why = controls(world, Type.STRATEGY_HALTED)[-1]
    assert (strategy, code) == (1, 3)
    assert "within 1000 ms" in why
    wait_for(lambda: cell.is_held and not cell.is_condemned, "the process that hung to be ended")

    release(world)
    wait_for(lambda: cell.is_on and orders_of(world, 1), "it to quote again")
    assert [code for _, code, _ in controls(world, Type.SAID) if code == 1] == [1, 1, 1, 1]
    stop_and_verify(world, node)


def test_one_that_floods_is_kept_in_bounds_and_killed_as_any_other(world):
    strategy = world.home / "flood.py"
    strategy.write_text(FLOOD)
    node = start(world, strategy, "Flood", speed="compiled")
    wait_for(lambda: len(orders_of(world, 2)) == 4, "the other strategy to quote")
    wait_for(lambda: world.status_or_none(lambda s: s["counters"]["refusals"] > 1_000), "the flood to be refused")
    assert len(orders_of(world, 2)) == 4
    openbell("kill", world.node_file, "--strategy", "maker", check=0)
    openbell("kill", world.node_file, check=0)
    assert world.open_orders() == []
    stop_and_verify(world, node)


def test_a_standby_takes_over_and_a_range_of_a_life_is_compared_by_itself(world):
    strategy = world.home / "maker.py"
    strategy.write_text(MAKER.read_text())
    node = start(world, strategy, "MarketMaker", standby=True)
    wait_for(lambda: orders_of(world, 1) and len(orders_of(world, 2)) == 4, "both strategies to quote")
    cell = StrategyCell.open(str(world.hot), 1)
    first = cell.pid
    os.kill(read_page(world.hot).writer_pid, signal.SIGKILL)
    wait_for(lambda: read_page(world.hot).epoch == 2 and read_page(world.hot).is_alive, "the standby to be the node")
    wait_for(lambda: cell.is_on and orders_of(world, 1), "the strategy to quote for it")
    assert cell.pid == first, "its process went on"
    assert any("by the standby" in text for _, _, text in controls(world, Type.OPERATOR))
    wait_for(lambda: fills_of(world, 1) >= 3, "fills")
    stop_and_verify(world, node)

    strategy.write_text(MAKER.read_text().replace("size: int = param(100", "size: int = param(99"))
    frames = [f for f in open_journal(world.journal) if f.epoch == 2 and not f.is_decision]
    asked = [f.cause_seq for f in frames if f.raw[0][0] == Type.SAID and f.cause_seq]
    middle = asked[len(asked) // 2]
    done = openbell("replay", world.journal, "--verify", "--from", middle, "--json", check=1)
    verdict = json.loads(done.stdout)
    assert (verdict["core"]["differs_at"], verdict["strategy"]["differs_at"]) == (0, middle)


def test_what_one_would_have_asked_that_was_seldom_asked_anything(world):
    file = world.home / "shy.py"
    file.write_text(SHY)
    node = start(world, file, "Shy")
    wait_for(lambda: len(world.ledger()["orders"]) > 12, "some orders")
    stop_and_verify(world, node)

    def asked(every: int) -> Any:
        done = openbell("replay", world.journal, "--what-if", f"maker.every={every}", "--json")
        return json.loads(done.stdout)

    assert asked(5)["differs"] == 0
    told = asked(1)
    assert {change["kind"] for change in told["changes"]} == {"ORDER"}
    assert "ORDER not asked any more" not in told["totals"]
    assert told["totals"]["ORDER asked beside"] > 2 * 12, "it goes on after what nobody heard"
