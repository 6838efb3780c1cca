"""One node on two exchanges: an order session at each, legs in both, and one of them killed in the middle."""

import asyncio
import json
import re
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from tests.cli.world import MAKER, REPO, WAIT_S, World, openbell, wait_for

from configurations import exchange_toml, free_tcp_port, free_udp_port, limits_toml, node_toml
from openbell._native import OperatorVerb
from openbell.exchange.control import ask
from openbell.journal import open_journal, records_view
from openbell.node.card import read_card
from openbell.posttrade.node_books import NodeBooks
from openbell.types import RECORDS, Type

VENUES = ("home", "away")
NAMES = {f"{symbol}@{venue}" for symbol in ("OBEL", "RING") for venue in VENUES}
ORDERS_LEFT = 3
"""The exit code of a node that leaves orders open."""
ARBITRAGE = REPO / "strategies" / "cross_exchange.py"
NODE_TABLES = re.compile(r"(\[\[feeds\]\].*?)(?=\n\[\[instruments\]\])", re.DOTALL)
FEED_AND_SESSION = """
[[feeds]]
name = "{name}"
kind = "itch_moldudp64"
listen = "127.0.0.1:{feed}"
retransmit = "{retransmit}"
stale_ms = 500
"""
SESSION = """
[[sessions]]
name = "{name}"
feeds = ["{name}"]
kind = "ouch42_soupbintcp"
connect = "{order_entry}"
user = "NODE1"
password = "plain:demo"
messages_per_second_max = 0
reconnect_ms = 50
reconnect_max_ms = 200
[sessions.reconciliation]
account = "NODE1"
venue = "{control}"
"""
STRATEGIES = """
[[strategies]]
name = "arbitrage"
id = 2
file = "{file}"
class = "CrossExchange"
instruments = ["OBEL"]
process = "trading"
params = {{ edge_ticks = 1, limit_ms = 100 }}
"""


class TwoVenues(World):
    """Two exchanges of the same instruments, with flow of their own; what a node knows of one is under its name."""

    def __enter__(self) -> "TwoVenues":
        self.venues: dict[str, subprocess.Popen[str]] = {}
        self.said: dict[str, dict[str, str]] = {}
        self.feeds = {name: free_udp_port() for name in VENUES}
        for seed, name in enumerate(VENUES):
            self.write_exchange(name, seed + 1)
            self.start_exchange(name)
        self.write_node()
        return self

    def write_exchange(self, name: str, seed: int) -> None:
        """It comes back at the same addresses, with its day."""
        text = exchange_toml(feed=self.feeds[name], ready_file=f"{name}.json", seed=seed)
        text = text.replace("[feed]", f'[feed]\nretransmit = "127.0.0.1:{free_udp_port()}"')
        text += f'[order_entry]\nlisten = "127.0.0.1:{free_tcp_port()}"\n'
        text += f'[control]\nlisten = "127.0.0.1:{free_tcp_port()}"\n'
        text += f'[journal]\ndir = "{name}-journal"\nhot_dir = "{self.home / name}-hot"\nsegment_mib = 4\n'
        (self.home / f"{name}.toml").write_text(text)

    def start_exchange(self, name: str) -> None:
        ready = self.home / f"{name}.json"
        ready.unlink(missing_ok=True)
        self.venues[name] = self.spawn("exchange", self.home / f"{name}.toml")
        wait_for(ready.is_file, f"the exchange {name}")
        self.said[name] = json.loads(ready.read_text())

    def kill_exchange(self, name: str) -> None:
        self.venues[name].kill()
        self.venues[name].communicate()

    def write_node(self, **_: Any) -> None:
        self.node_file.with_name("limits.toml").write_text(limits_toml())
        one = node_toml(feed=self.feeds["home"], ready=self.said["home"], strategy=MAKER)
        tables = [FEED_AND_SESSION.format(name=name, feed=self.feeds[name], **self.said[name]) for name in VENUES]
        tables += [SESSION.format(name=name, **self.said[name]) for name in VENUES]
        text = NODE_TABLES.sub(lambda _: "".join(tables), one).replace('["OBEL", "RING"]', '["RING"]')
        self.node_file.write_text(text + STRATEGIES.format(file=ARBITRAGE))

    def books(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = asyncio.run(ask(self.said[name]["control"], {"verb": "ledger", "account": "NODE1"}))
        return found

    def resting(self, name: str) -> int:
        return sum(o["state"] in ("NEW", "PARTIALLY_FILLED") for o in self.books(name)["orders"])

    def has_filled(self, name: str, symbol: str) -> bool:
        return any(fill["symbol"] == symbol for fill in self.books(name)["fills"])

    def session(self, name: str) -> dict[str, Any]:
        return next(row for row in self.status()["sessions"] if row["name"] == name)

    def reconcile(self, name: str) -> None:
        at = ("--session", name, "--venue", self.said[name]["control"], "--account", "NODE1")
        openbell("reconcile", self.node_file, *at, check=0)


@pytest.fixture
def world():
    with (
        tempfile.TemporaryDirectory(dir="/dev/shm", prefix="openbell-test-") as folder,
        TwoVenues(Path(folder)) as made,
    ):
        yield made


def trading(world: TwoVenues) -> subprocess.Popen[str]:
    """A node that has legs at both venues and quotes at both."""
    node = world.run("--live", "--json")
    for name in VENUES:
        wait_for(lambda name=name: world.has_filled(name, "OBEL"), f"a leg at {name}")
        wait_for(lambda name=name: world.resting(name) >= 2, f"quotes at {name}")
    return node


def ended(world: TwoVenues, node: subprocess.Popen[str], code: int = 0) -> dict[str, Any]:
    node.send_signal(signal.SIGINT)
    out, err = node.communicate(timeout=WAIT_S)
    assert node.returncode == code, err
    replayed = json.loads(openbell("replay", world.journal, "--verify", "--json", check=0).stdout)
    assert replayed["is_identical"]
    summary: dict[str, Any] = json.loads(out.splitlines()[-1])
    return summary


def named(world: TwoVenues, verb: str, *options: object) -> set[str]:
    """What the lines of a verb call their instruments."""
    lines = openbell(verb, world.journal, "--json", *options, check=0).stdout.splitlines()
    return {json.loads(line)["symbol"] for line in lines}


def left_open(world: TwoVenues) -> list[str]:
    """Why, of every order that was open at the end."""
    why = []
    for frame in open_journal(world.journal):
        if frame.raw.shape[1] == RECORDS["Control"].itemsize:
            rows = [row for row in records_view(frame.raw, "Control") if row["type"] == Type.OPERATOR]
            why += [row["text"].decode() for row in rows if row["code"] == OperatorVerb.LEFT_OPEN]
    return why


def test_a_venue_dies_with_legs_open_and_comes_back_and_both_agree(world):
    node = trading(world)

    world.kill_exchange("away")
    wait_for(lambda: not world.session("away")["is_up"], "its session to be down")
    assert world.session("home")["is_up"]
    assert world.resting("home") > 0  # the other one goes on
    assert "session away DOWN" in openbell("status", world.node_file).stdout
    assert {row["symbol"] for row in world.status()["rows"]} == NAMES
    world.start_exchange("away")
    wait_for(lambda: world.session("away")["is_up"], "its session to be resolved")
    wait_for(lambda: world.resting("away") >= 2, "quotes there again")

    summary = ended(world, node)

    assert summary["orders_open"] == 0
    for name in VENUES:
        assert world.resting(name) == 0
        world.reconcile(name)
    assert named(world, "orders", "--last", 10**6) == NAMES
    assert named(world, "orders", "--last", 10**6, "--symbol", "OBEL") == {"OBEL@home", "OBEL@away"}
    assert named(world, "orders", "--last", 10**6, "--symbol", "OBEL@away") == {"OBEL@away"}
    (profit,) = openbell("pnl", world.journal, "--json").stdout.splitlines()
    assert {row["symbol"] for row in json.loads(profit)["pnl"]} >= {"OBEL@home", "OBEL@away"}
    assert set(summary["positions"]) == NAMES
    asked = openbell("replay", world.journal, "--what-if", "arbitrage.edge_ticks=99", "--show", 1).stdout
    assert re.search(r"  arbitrage OBEL@(home|away): ", asked), asked
    books = NodeBooks(read_card(world.hot))
    of_each = [books.books(number).positions["OBEL"] for number in range(len(VENUES))]
    assert books.books().positions["OBEL"] == sum(of_each) == 0
    at = {name: world.books(name)["positions"] for name in VENUES}
    held = {f"{name} {symbol}": row["position"] for name in VENUES for symbol, row in at[name].items()}
    assert sum(held[f"{name} OBEL"] for name in VENUES) == 0, held  # no leg is left without the other


def test_a_venue_that_forgot_us_holds_the_whole_node(world):
    node = trading(world)

    world.kill_exchange("away")
    path = world.home / "away.toml"
    path.write_text(path.read_text().replace("away-journal", "another-journal").replace("away-hot", "another-hot"))
    world.start_exchange("away")
    wait_for(lambda: world.session("away")["is_doubted"], "the doubt")

    wait_for(lambda: world.resting("home") == 0, "the orders of the other venue to be cancelled")
    status = world.status()
    assert status["arm"] == "CANCEL_ONLY"
    assert not world.session("home")["is_doubted"]
    wait_for(lambda: "away" in openbell("breaks", world.node_file).stdout, "the break")
    summary = ended(world, node, ORDERS_LEFT)
    left = left_open(world)
    assert len(left) == summary["orders_open"] > 0
    assert all(one.startswith("no word of") for one in left)  # at the venue that forgot us
    world.reconcile("home")
