"""Every kind of break, planted in what the venue says to a running `openbell reconcile --follow`.

Between the exchange and the verb stands a liar: it asks the real exchange and changes one thing in the answer. How long
it takes is printed (`-s`): .6 s on a busy machine; that a second is enough is shown on a simulated clock.
"""

import asyncio
import json
import signal
import socketserver
import threading
import time

import pytest
from tests.cli.world import WAIT_S, World, far_strategy, wait_for
from tests.posttrade.worlds import ChargingWorld

from openbell._native import ouch_token
from openbell.exchange.control import ask
from openbell.posttrade.reconcile import BreakKind

WITHIN_S = 10.0
"""Of a machine with other things to do."""
OTHER = ouch_token(1 << 58 | 9 << 40 | 77, 1)


def first(rows, **wanted):
    return next(row for row in rows if all(row[key] == value for key, value in wanted.items()))


def is_open(row):
    return row["state"] in ("NEW", "PARTIALLY_FILLED")


def an_order(said):
    return next(row for row in said["orders"] if is_open(row))


def a_fill(said):
    return first(said["fills"], state="GOOD")


def set_in(find, **values):
    """Change one row of the answer."""

    def plant(said):
        row = find(said)
        row.update({key: value(row[key]) if callable(value) else value for key, value in values.items()})

    return plant


def other_side(side):
    return "S" if side == "B" else "B"


def more(value):
    return value + 100


ORDERS = {
    BreakKind.MISSING_ORDER: lambda said: said["orders"].remove(an_order(said)),
    BreakKind.UNKNOWN_ORDER: lambda said: said["orders"].append(an_order(said) | {"token": OTHER}),
    BreakKind.STALE_ORDER: set_in(an_order, state="CANCELED", leaves_qty=0),
    BreakKind.ORDER_QTY: set_in(an_order, leaves_qty=more),
    BreakKind.ORDER_PX: set_in(an_order, px=more),
    BreakKind.ORDER_SIDE: set_in(an_order, side=other_side),
}
TRADES = {
    BreakKind.MISSING_FILL: lambda said: said["fills"].append(a_fill(said) | {"match_id": 10**9}),
    BreakKind.UNKNOWN_FILL: lambda said: said["fills"].remove(a_fill(said)),
    BreakKind.DUPLICATE_FILL: lambda said: said["fills"].append(dict(a_fill(said))),
    BreakKind.FILL_QTY: set_in(a_fill, qty=more),
    BreakKind.FILL_PX: set_in(a_fill, px=more),
    BreakKind.FILL_SIDE: set_in(a_fill, side=other_side),
    BreakKind.FILL_SYMBOL: set_in(a_fill, symbol=lambda symbol: "RING" if symbol == "OBEL" else "OBEL"),
    BreakKind.FILL_FEE: set_in(a_fill, fee=more),
    BreakKind.MISSED_BUST: set_in(a_fill, state="BUSTED"),
    BreakKind.POSITION: set_in(lambda said: said["positions"]["OBEL"], position=more),
    BreakKind.POSITION_OF_FILLS: set_in(lambda said: said["positions"]["RING"], position=more),
    BreakKind.CASH: set_in(lambda said: said["positions"]["OBEL"], cash=more),
    BreakKind.UNKNOWN_SYMBOL: lambda said: said["positions"].update(MSFT={"position": 5, "cash": 0}),
}


class Liar(socketserver.ThreadingTCPServer):
    """Answers as the exchange does, but for what `plant` changes."""

    daemon_threads = True

    def __init__(self, exchange):
        super().__init__(("127.0.0.1", 0), LyingAnswers)
        self.exchange, self.plant, self.asked = exchange, None, 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.server_address[1]}"


class LyingAnswers(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            said = asyncio.run(ask(self.server.exchange, json.loads(line)))
            self.server.asked += 1
            if self.server.plant:
                self.server.plant(said)
            self.wfile.write(json.dumps({"ok": True, **said}).encode() + b"\n")


class Desk:
    """A world, the liar in it, and the verb that follows."""

    def __init__(self, world, node):
        self.liar = Liar(world.ready["control"])
        self.verb = world.spawn(
            "reconcile", node, "--venue", self.liar.address, "--account", "NODE1", "--follow", "--json"
        )
        wait_for(lambda: self.liar.asked > 1, "the verb to ask")

    def news(self):
        return json.loads(self.verb.stdout.readline())

    def found(self, plant, kind):
        """Seconds from planting until the break is told; then the truth is told again, and every break closes."""
        planted_at = time.monotonic()
        self.liar.plant = plant
        opened = {}
        while kind.name not in opened:
            news = self.news()
            opened |= {news["kind"]: news["number"]} if news["news"] == "opened" else {}
        seconds = time.monotonic() - planted_at
        self.liar.plant = None
        open_now = set(opened.values())
        while open_now:
            news = self.news()
            open_now = open_now | {news["number"]} if news["news"] == "opened" else open_now - {news["number"]}
        print(f"{kind.name}: {seconds:.2f} s")
        return seconds

    def close(self):
        self.verb.send_signal(signal.SIGINT)
        self.verb.wait(WAIT_S)
        self.liar.shutdown()
        self.liar.server_close()


@pytest.fixture(scope="module")
def quoting(tmp_path_factory):
    """A node whose four quotes rest."""
    home = tmp_path_factory.mktemp("quoting")
    with World(home) as world:
        world.write_node(strategy=far_strategy(home), strategy_class="Far")
        world.run("--live")
        world.wait_for_orders()
        desk = Desk(world, world.node_file)
        yield desk
        desk.close()


@pytest.fixture(scope="module")
def traded(tmp_path_factory):
    """A node that has traded, and gone home."""
    with ChargingWorld(tmp_path_factory.mktemp("traded")) as world:
        node = world.run("--live")
        wait_for(lambda: {fill["symbol"] for fill in world.ledger()["fills"]} == {"OBEL", "RING"}, "fills")
        node.send_signal(signal.SIGINT)
        assert node.wait(WAIT_S) == 0
        desk = Desk(world, world.journal)
        yield desk
        desk.close()


@pytest.mark.parametrize("kind", ORDERS, ids=lambda kind: kind.name)
def test_a_break_in_open_orders_is_found_and_closes_again(quoting, kind):
    assert quoting.found(ORDERS[kind], kind) < WITHIN_S


@pytest.mark.parametrize("kind", TRADES, ids=lambda kind: kind.name)
def test_a_break_in_trades_and_sums_is_found_and_closes_again(traded, kind):
    assert traded.found(TRADES[kind], kind) < WITHIN_S
