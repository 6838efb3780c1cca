"""The parts of the demo: its files, an exchange as a process of its own, and a comparison with its ledger."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import openbell
from openbell.errors import ConfigError, NetError
from openbell.exchange.control import ask
from openbell.node.limits import NOT_REQUIRED
from openbell.node.paths import SHARED_MEMORY

ACCOUNT = "NODE1"
SYMBOLS = {"OBEL": "50.00", "RING": "120.00"}
EVENTS_PER_S = 400.0
"""Of the flow, per instrument: busy to the eye, light for two cores."""
SEGMENT_MIB = 8
SHARED_MEMORY_LEAST = 128 << 20
"""With less of it free (containers often get 64 MB) the hot segments lie in the demo's own folder."""
CORES_TO_SPARE = 4
"""With so many the trading thread polls one of its own instead of sleeping."""
READY_WITHIN_S = 30.0
END_WITHIN_S = 10.0
LOOK_EVERY_S = 0.02
LOG_TAIL_LINES = 12

EXCHANGE_TOML = """# The exchange of one demo: two made-up instruments, steady flow, one account.
ready_file = "exchange.json"
{instruments}
[[accounts]]
name = "{account}"
password = "plain:demo"

[feed]
send_to = ["127.0.0.1:{feed_port}"]

[flow]
kind = "agents"
preset = "steady"
seed = {seed}
agents.traders.events_per_s = {events_per_s}
"""

NODE_TOML = """# The node of one demo: live, against the exchange beside it on this machine.
[node]
name = "{name}"
id = 1
mode = "live"
journal_dir = "journal"
limits = "limits.toml"
run_dir = {hot_dir}
durability = "memory"       # the archiver follows; "local" waits for the disk before each order
wait = "{wait}"
seed = {seed}
arm_at_start = "full"
segment_mib = {segment_mib}
snapshot_every_s = 5.0

[watchdog]                  # of a node that hangs
with_node = true
silence_ms = 3000           # whatever else a demo's machine is busy with

[[feeds]]
name = "itch"
kind = "itch_moldudp64"
listen = "127.0.0.1:{feed_port}"
retransmit = "{retransmit}"

[[sessions]]
name = "ouch"
kind = "ouch42_soupbintcp"
connect = "{order_entry}"
user = "{account}"
password = "plain:demo"
messages_per_second_max = 0
firm = "OBEL"
[sessions.reconciliation]   # the exchange states its ledger
account = "{account}"
venue = "{control}"
every_ms = 1000
{instruments}
[[strategies]]
name = "maker"
id = 1
owner = "demo"
file = {strategy}
class = "MarketMaker"
instruments = {symbols}
process = "trading"     # live, its own process is the default; a demo on few cores is quicker without
"""

INSTRUMENT_TOML = """
[[instruments]]
symbol = "{symbol}"
tick = "0.01"
"""

LIMITS_TOML = """# What the node of one demo may do; docs/limits.md explains every key.
owner = "demo"
version = 1
base_currency = "USD"
# Kinds that an order may pass without, on purpose: what is not limited has to be said.
unlimited = {unlimited}

[account]
order_rate_max = 1000
order_rate_window_ms = 1000
gross_notional_max = "1000000.00"
daily_loss_max = "50000.00"
{instruments}"""

LIMITS_OF_TOML = """
[[instruments]]
symbol = "{symbol}"
px_last = "{px}"
order_qty_max_lots = 500
order_notional_max = "150000.00"
position_long_max_lots = 2000
position_short_max_lots = 2000
collar_bps = 500
open_orders_max = 20
"""


def new_home() -> Path:
    """`run/demo-<time>` in the current folder, or a temporary folder when that cannot be written."""
    home = Path("run") / f"demo-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    try:
        home.mkdir(parents=True)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="openbell-demo-"))
    return home.resolve()


def hot_dir(home: Path) -> Path:
    """Where the shared memory of this demo lies."""
    shared = SHARED_MEMORY.parent
    if shared.is_dir() and shutil.disk_usage(shared).free >= SHARED_MEMORY_LEAST and os.access(shared, os.W_OK):
        return SHARED_MEMORY / f"demo-{os.getpid()}"
    return home / "hot"


def market_maker() -> Path:
    """The reference market maker, in the source tree or in the current folder.

    Raises:
        ConfigError: there is none.
    """
    places = [Path(openbell.__file__).parents[2], Path.cwd()]
    for place in places:
        if (path := place / "strategies" / "market_maker.py").is_file():
            return path
    raise ConfigError(
        "expected strategies/market_maker.py in the source tree or in this folder, found none; run from a checkout"
    )


def free_udp_port() -> int:
    """A UDP port that nobody uses now: the exchange must know where to send before anyone listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class DemoExchange:
    """The exchange as a process of its own. A context: leaving it ends the process."""

    def __init__(self, home: Path, seed: int) -> None:
        self.home = home
        self.feed_port = free_udp_port()
        self.config_path = home / "exchange.toml"
        self.log = home / "exchange.log"
        self.config_path.write_text(
            EXCHANGE_TOML.format(
                instruments="".join(f'\n[[instruments]]\nsymbol = "{s}"\npx = "{px}"\n' for s, px in SYMBOLS.items()),
                account=ACCOUNT,
                feed_port=self.feed_port,
                seed=seed,
                events_per_s=EVENTS_PER_S,
            )
        )

    def __enter__(self) -> DemoExchange:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "openbell", "exchange", str(self.config_path)],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the node first
            )
        try:
            self.ready = self._wait_until_ready()
        except BaseException:
            self._process.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait_until_ready(self) -> dict[str, Any]:
        ready, give_up = self.home / "exchange.json", time.monotonic() + READY_WITHIN_S
        while not ready.is_file():
            if self._process.poll() is not None or time.monotonic() > give_up:
                raise NetError(f"exchange: expected it to start, found:\n{log_tail(self.log)}")
            time.sleep(LOOK_EVERY_S)
        found: dict[str, Any] = json.loads(ready.read_text())
        return found

    def ledger(self) -> dict[str, Any]:
        """Orders, fills, positions and cash of our account as the exchange holds them."""
        return asyncio.run(ask(self.ready["control"], {"verb": "ledger", "account": ACCOUNT}))


def write_node_file(home: Path, exchange: DemoExchange, seed: int) -> Path:
    """The node's file for this exchange; its path."""
    limits = "".join(LIMITS_OF_TOML.format(symbol=symbol, px=px) for symbol, px in SYMBOLS.items())
    (home / "limits.toml").write_text(LIMITS_TOML.format(unlimited=json.dumps([*NOT_REQUIRED]), instruments=limits))
    path = home / "node.toml"
    path.write_text(
        NODE_TOML.format(
            name=f"demo-{os.getpid()}",
            seed=seed,
            wait="busy" if (os.cpu_count() or 1) >= CORES_TO_SPARE else "block",
            segment_mib=SEGMENT_MIB,
            hot_dir=json.dumps(str(hot_dir(home))),
            feed_port=exchange.feed_port,
            retransmit=exchange.ready["retransmit"],
            order_entry=exchange.ready["order_entry"],
            control=exchange.ready["control"],
            account=ACCOUNT,
            instruments="".join(INSTRUMENT_TOML.format(symbol=symbol) for symbol in SYMBOLS),
            strategy=json.dumps(str(market_maker())),
            symbols=json.dumps(list(SYMBOLS)),
        )
    )
    return path


@dataclass(frozen=True)
class Comparison:
    """Our books beside the exchange's: every line that differs."""

    differences: tuple[str, ...]
    orders: int
    fills: int

    @property
    def is_equal(self) -> bool:
        """Positions, cash, fills and open orders agree."""
        return not self.differences


def compare(summary: dict[str, Any], ledger: dict[str, Any]) -> Comparison:
    """Positions, cash, fills and open orders of a node's summary beside the exchange's ledger."""
    differences = []
    for symbol, theirs in ledger["positions"].items():
        ours = summary["positions"].get(symbol, {"position": 0, "cash": 0, "fills": 0})
        filled = sum(fill["symbol"] == symbol for fill in ledger["fills"])
        for name, expected in (("position", theirs["position"]), ("cash", theirs["cash"]), ("fills", filled)):
            if ours[name] != expected:
                differences.append(f"{symbol} {name}: the exchange says {expected}, we say {ours[name]}")
    live = sum(order["state"] in ("NEW", "PARTIALLY_FILLED") for order in ledger["orders"])
    if live != summary["orders_open"]:
        differences.append(f"open orders: the exchange says {live}, we say {summary['orders_open']}")
    return Comparison(tuple(differences), len(ledger["orders"]), len(ledger["fills"]))


def log_tail(path: Path) -> str:
    """The last lines of a log, for an error message."""
    with contextlib.suppress(OSError):
        return "\n".join(path.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
    return ""
