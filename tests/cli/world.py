"""An exchange and a node as processes of their own, for the verbs that run, watch and kill them."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from configurations import exchange_toml, free_udp_port, limits_toml, node_toml
from openbell.exchange.control import ask
from openbell.ops.find import read_page

WAIT_S = 30.0
REPO = Path(__file__).resolve().parents[2]
PACKAGES = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(REPO / "src"))))
ENV = {**os.environ, "PYTHONPATH": PACKAGES, "COLUMNS": "120"}
MAKER = REPO / "strategies" / "market_maker.py"


def wait_for(condition: Any, what: str, timeout_s: float = WAIT_S) -> Any:
    """Look until `condition` holds; the test fails after `timeout_s`."""
    give_up, pause = time.monotonic() + timeout_s, threading.Event()
    while not (found := condition()):
        assert time.monotonic() < give_up, f"waited {timeout_s} s for {what}"
        pause.wait(0.01)
    return found


def openbell(*arguments: Any, check: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run a verb to its end."""
    command = [sys.executable, "-m", "openbell", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False, env=ENV)
    assert check is None or done.returncode == check, (done.returncode, done.stdout, done.stderr)
    return done


class World:
    """One exchange; nodes are started by `run`. A context: leaving it ends every process."""

    more_exchange = ""
    """Sections that the exchange's file has besides."""

    def __init__(self, home: Path) -> None:
        self.home, self.hot, self.journal = home, home / "hot", home / "journal"
        self.node_file = home / "node.toml"
        self.feed = free_udp_port()
        self.processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> "World":
        (self.home / "exchange.toml").write_text(exchange_toml(feed=self.feed) + self.more_exchange)
        self.spawn("exchange", self.home / "exchange.toml")
        ready = self.home / "exchange.json"
        wait_for(ready.is_file, "the exchange")
        self.ready = json.loads(ready.read_text())
        self.write_node()
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.send_signal(signal.SIGINT)
            process.communicate(timeout=WAIT_S)

    def write_node(
        self, *, mode: str = "live", arm: str = "full", strategy: Path = MAKER, strategy_class: str = "MarketMaker"
    ) -> None:
        self.node_file.with_name("limits.toml").write_text(limits_toml())
        self.node_file.write_text(
            node_toml(
                feed=self.feed, ready=self.ready, mode=mode, arm=arm, strategy=strategy, strategy_class=strategy_class
            )
        )

    def run(self, *options: Any) -> subprocess.Popen[str]:
        """Start `openbell run`."""
        return self.spawn("run", self.node_file, *options)

    def status(self) -> dict[str, Any]:
        done = openbell("status", self.node_file, "--json")
        assert done.returncode in (0, 1), done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def status_or_none(self, condition: Any) -> bool:
        """Whether the status, if there is one already, meets the condition."""
        done = openbell("status", self.node_file, "--json")
        return done.returncode in (0, 1) and bool(condition(json.loads(done.stdout)))

    def wait_for_orders(self, least: int = 4) -> None:
        """Until the exchange holds so many of ours."""
        wait_for(lambda: len(self.open_orders()) >= least, f"{least} orders at the exchange")

    def ledger(self) -> dict[str, Any]:
        return asyncio.run(ask(self.ready["control"], {"verb": "ledger", "account": "NODE1"}))

    def open_orders(self) -> list[dict[str, Any]]:
        asked = {"verb": "open", "account": "NODE1"}
        return list(asyncio.run(ask(self.ready["control"], asked))["orders"])

    def is_alive(self) -> bool:
        return read_page(self.hot).is_alive

    def spawn(self, *arguments: Any) -> subprocess.Popen[str]:
        """Start a verb; it ends with the world."""
        process = subprocess.Popen(
            [sys.executable, "-m", "openbell", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=ENV,
        )
        self.processes.append(process)
        return process


def far_strategy(home: Path) -> Path:
    """A strategy whose four quotes rest where nothing trades, so that a test knows exactly what is open."""
    path = home / "far.py"
    path.write_text(
        """from openbell import Strategy


class Far(Strategy):
    def on_book(self, ctx, book):
        if book.bid_px and book.ask_px and not any(o.instrument == book.instrument for o in ctx.orders()):
            far = 100 * book.tick
            ctx.quote(book.instrument, bid_px=book.bid_px - far, bid_qty=100, ask_px=book.ask_px + far, ask_qty=100)
"""
    )
    return path


def stuck_strategy(home: Path) -> Path:
    """A strategy that never returns once its four quotes rest at the exchange."""
    path = home / "stuck.py"
    path.write_text(
        f"""from pathlib import Path
from openbell import Strategy
from openbell.types import OrderState

class Stuck(Strategy):
    def on_book(self, ctx, book):
        if book.bid_px and book.ask_px and not any(o.instrument == book.instrument for o in ctx.orders()):
            far = 100 * book.tick
            ctx.quote(book.instrument, bid_px=book.bid_px - far, bid_qty=100, ask_px=book.ask_px + far, ask_qty=100)
        if sum(o.state == OrderState.NEW for o in ctx.orders()) == 4:
            Path({str(home / "stuck")!r}).touch()
            while True:
                pass
"""
    )
    return path
