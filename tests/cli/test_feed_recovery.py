"""A node on two lines of a real exchange that loses packets on command: what one line lacks the other has, what both
lack is asked for, and what nobody answers comes as a snapshot."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.cli.world import WAIT_S, World, openbell, wait_for

from configurations import SYMBOLS, exchange_toml, free_udp_port
from openbell.exchange.control import ask

LINES = """
[glimpse]
user = "SNAP"
password = "plain:secret"
[[feed.lines]]
name = "A"
send_to = ["127.0.0.1:{a}"]
[[feed.lines]]
name = "B"
send_to = ["127.0.0.1:{b}"]
delay_ms = 2.0
"""
SNAPSHOTS = """
[feeds.snapshots]
connect = "{glimpse}"
user = "SNAP"
password = "plain:secret"
buffer_mib = 1
"""


class TwoLines(World):
    """The exchange sends its feed on two lines, B later than A; the node trades nothing."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.feed_b = free_udp_port()

    def __enter__(self) -> "TwoLines":
        text = exchange_toml(feed=self.feed).replace(f'send_to = ["127.0.0.1:{self.feed}"]\n', "")
        (self.home / "exchange.toml").write_text(text + LINES.format(a=self.feed, b=self.feed_b))
        self.spawn("exchange", self.home / "exchange.toml")
        ready = self.home / "exchange.json"
        wait_for(ready.is_file, "the exchange")
        self.ready = json.loads(ready.read_text())
        return self

    def start(self, *, retransmit: bool) -> None:
        self.write_node(mode="shadow", arm="off")
        before = f'retransmit = "{self.ready["retransmit"]}"\n'
        after = before if retransmit else ""
        second = f'listen_b = "127.0.0.1:{self.feed_b}"\nretry_ms = 1000\n' + SNAPSHOTS.format(**self.ready)
        self.node_file.write_text(self.node_file.read_text().replace(before, after + second))
        self.node = self.run()
        wait_for(lambda: self.status_or_none(lambda s: s["rows"] and all(r["is_valid"] for r in s["rows"])), "books")

    def ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
        return asyncio.run(ask(self.ready["control"], {"verb": verb, **arguments}))

    def wait_for_feed(self, condition: Any, what: str) -> dict[str, Any]:
        """Until the status says so of the feed; that status."""
        wait_for(lambda: self.status_or_none(lambda s: condition(s["feeds"][0])), what)
        return self.status()

    def touches(self, rows: list[dict[str, Any]]) -> list[tuple[int, ...]]:
        return [tuple(row[key] for key in ("bid_px", "bid_qty", "ask_px", "ask_qty")) for row in rows]

    def both_say_the_same(self) -> bool:
        ours, theirs = self.status(), self.ask("status")["instruments"].values()
        return all(r["is_valid"] for r in ours["rows"]) and self.touches(ours["rows"]) == self.touches(theirs)

    def verify(self) -> None:
        """The market falls silent; then node and exchange say the same, and the journal plays again."""
        for symbol in SYMBOLS:
            self.ask("state", symbol=symbol, state="H")
        wait_for(self.both_say_the_same, "the books of node and exchange to be equal")
        self.node.send_signal(signal.SIGINT)
        out, err = self.node.communicate(timeout=WAIT_S)
        assert self.node.returncode == 0, (out, err)
        openbell("replay", self.journal, check=0)
        self.log = err


@pytest.fixture
def world(tmp_path):
    with TwoLines(tmp_path) as made:
        yield made


def test_two_lossy_lines_and_a_request_server_lose_nothing(world):
    world.start(retransmit=True)
    for line in "AB":
        world.ask("fault", fault="loss", on=line, p=0.3)
    view = world.wait_for_feed(lambda f: f["recovered"] > 20 and all(li["skipped"] > 20 for li in f["lines"]), "losses")
    world.ask("clear")

    feed = view["feeds"][0]
    assert feed["lost"] == feed["snapshots"] == 0 and feed["requests"] > 0
    first_a, first_b = (line["first"] for line in feed["lines"])
    assert first_a > first_b > 0
    assert feed["lines"][1]["lag_ns"] > 1_000_000 > feed["lines"][0]["lag_ns"]
    assert "skipped" in openbell("status", world.hot, check=0).stdout
    world.verify()


def test_what_nobody_answers_comes_as_a_snapshot(world):
    world.start(retransmit=False)
    for line in "AB":
        world.ask("fault", fault="drop", on=line, count=7)
    view = world.wait_for_feed(lambda f: f["snapshots"] > 0 and not f["recovering"], "a snapshot")

    assert view["feeds"][0]["lost"] > 0 and view["feeds"][0]["requests"] == 0
    world.verify()
    assert "lost messages" in world.log and "books are valid again" in world.log


def test_a_node_that_comes_late_begins_with_a_snapshot(world):
    wait_for(lambda: world.ask("status")["feed"]["packets"] > 50, "the market to move")
    world.start(retransmit=False)

    assert world.status()["feeds"][0]["snapshots"] == 1
    world.verify()
