"""Real processes to be killed: an exchange with flow, an archiver, a node; and what the exchange says of the node."""

import asyncio
import contextlib
import json
import mmap
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from configurations import SYMBOLS, exchange_toml, free_tcp_port, free_udp_port, limits_toml, node_toml
from openbell._native import Follower, JournalWriter, ouch_token_decode
from openbell.exchange.control import ask
from openbell.journal import Source, open_journal
from openbell.node.assemble import capacity_of
from openbell.node.config import load_node
from openbell.node.names import Names
from openbell.types import RECORDS, OrderState, Type

WAIT_S = 60.0
LOOK_EVERY_S = 0.0005
COMMITTED_SEQ_OFFSET = 64 + 16
"""Of journal.ctl: where the writer says how far it has come."""


def wait_for(condition: Any, what: str, timeout_s: float = WAIT_S) -> Any:
    """Poll `condition` until it is true; the test fails after `timeout_s`, so that no run can pass by luck."""
    give_up, pause = time.monotonic() + timeout_s, threading.Event()
    while not (found := condition()):
        assert time.monotonic() < give_up, f"waited {timeout_s} s for {what}"
        pause.wait(LOOK_EVERY_S)  # the processes under test need the cores
    return found


class World:
    """One exchange, one node and its archiver. A context: leaving it ends every process."""

    node_log = "openbell.node.trading.log"

    def __init__(
        self,
        directory: Path,
        hot: Path,
        *,
        cancel_on_disconnect: bool,
        seed: int,
        strategy: Path,
        strategy_class: str = "MarketMaker",
        durability: str = "memory",
        events_per_s: int = 1000,
        exchange_hot: Path | None = None,
    ) -> None:
        self.directory, self.hot = directory, hot
        self.feed = free_udp_port()
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "exchange.toml").write_text(
            exchange_toml(feed=self.feed, cancel_on_disconnect=cancel_on_disconnect, seed=seed, rate=events_per_s)
        )
        if exchange_hot is not None:
            self._let_exchange_come_back(exchange_hot)
        self.exchange = self._start_exchange()
        self.config_path = directory / "node.toml"
        (directory / "limits.toml").write_text(limits_toml())
        self.config_path.write_text(
            node_toml(
                feed=self.feed,
                ready=self.ready,
                hot=hot,
                durability=durability,
                strategy=strategy,
                strategy_class=strategy_class,
            )
        )
        self.config = load_node(self.config_path)
        hot.mkdir(parents=True, exist_ok=True)
        (directory / "journal").mkdir(exist_ok=True)
        self.archiver: subprocess.Popen[bytes] | None = None
        self.snapshots: subprocess.Popen[bytes] | None = None
        self._start_helpers()
        self.follower = Follower(capacity_of(self.config), str(directory / "journal"), str(hot))
        self.trading: subprocess.Popen[bytes] | None = None
        self.standby: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self.trading, self.standby, self.snapshots, self.archiver, self.exchange):
            if process is not None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                process.wait()

    def _spawn(self, module: str, *arguments: str, quiet: bool = False) -> subprocess.Popen[bytes]:
        with (self.directory / f"{module}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", module, *arguments], stdout=subprocess.DEVNULL if quiet else log, stderr=log
            )

    def _start_exchange(self) -> subprocess.Popen[bytes]:
        ready_file = self.directory / "exchange.json"
        ready_file.unlink(missing_ok=True)
        process = self._spawn("openbell", "exchange", str(self.directory / "exchange.toml"), quiet=True)
        wait_for(ready_file.exists, "the exchange to be ready")
        self.ready = json.loads(ready_file.read_text())
        return process

    def _let_exchange_come_back(self, hot: Path) -> None:
        """Give it a journal, and addresses that are the same in its next life."""
        path = self.directory / "exchange.toml"
        text = path.read_text().replace("[feed]", f'[feed]\nretransmit = "127.0.0.1:{free_udp_port()}"')
        text += f'[order_entry]\nlisten = "127.0.0.1:{free_tcp_port()}"\n'
        path.write_text(text + f'[journal]\ndir = "exchange-journal"\nhot_dir = "{hot}"\nsegment_mib = 4\n')

    def _start_helpers(self) -> None:
        self.archiver = self._start_archiver()
        self.snapshots = self._start_snapshots()

    def _start_archiver(self) -> subprocess.Popen[bytes]:
        return self._spawn("openbell.journal.archiver", str(self.hot), str(self.directory / "journal"))

    def _start_snapshots(self) -> subprocess.Popen[bytes]:
        return self._spawn("openbell.node.snapshots", str(self.config_path))

    def kill_helper(self, name: str) -> None:
        """kill -9 of `archiver`, `snapshots` or `exchange`; another one takes its place."""
        process: subprocess.Popen[bytes] = getattr(self, name)
        process.kill()
        process.wait()
        setattr(self, name, getattr(self, f"_start_{name}")())

    def fall_behind(self, frames: int) -> None:
        """Let so many frames follow the last snapshot while the node is dead: an order far away comes and goes."""
        assert self.snapshots is not None
        self.snapshots.kill()
        self.snapshots.wait()
        now_ns = self.follow().now_ns
        add, cancel = np.zeros(1, RECORDS["Market"]), np.zeros(1, RECORDS["Market"])
        add["type"], add["order_id"], add["px"], add["qty"], add["flags"] = Type.BOOK_ADD, 2**62, 100, 1, 1
        cancel["type"], cancel["order_id"], cancel["qty"] = Type.BOOK_CANCEL, 2**62, 1
        rows = [add.view(np.uint8), cancel.view(np.uint8)]
        if (child := os.fork()) == 0:  # a process of its own, so that it leaves the journal as a killed one does
            writer = JournalWriter(str(self.directory / "journal"), str(self.hot), segment_bytes=4 << 20, node=1)
            for n in range(frames):
                ts = now_ns + n
                while writer.append(1, Source.FEED, 48, rows[n % 2], ts_recv=ts, ts_seq=ts) is None:
                    os.sched_yield()  # the archiver is behind
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0

    # ---- the node ----------------------------------------------------------------------------------

    def start(self) -> None:
        self.trading = self._spawn("openbell.node.trading", str(self.config_path))

    def stand_by(self) -> None:
        """Start a standby of the node that runs, and wait until it has followed to its present."""
        log = self.directory / "openbell.node.standby.log"
        before = log.read_text() if log.is_file() else ""
        self.standby = self._spawn("openbell.node.standby", str(self.config_path))
        wait_for(lambda: "standing by" in log.read_text()[len(before) :], "the standby to have caught up")

    def promote(self) -> None:
        """The node is dead: what was its standby is the node."""
        assert self.standby is not None
        self.trading, self.standby = self.standby, None

    def reroute_orders(self, address: str) -> None:
        """Let the node connect to `address` instead of the exchange; before `start`."""
        self.config_path.write_text(self.config_path.read_text().replace(self.ready["order_entry"], address))

    def reroute_feed(self, port: int) -> None:
        """Let the node listen on another port than the exchange sends to; before `start`."""
        text = self.config_path.read_text()
        self.config_path.write_text(text.replace(f'listen = "127.0.0.1:{self.feed}"', f'listen = "127.0.0.1:{port}"'))

    def kill9(self) -> None:
        assert self.trading is not None
        self.trading.kill()
        assert self.trading.wait() == -signal.SIGKILL, (self.directory / "openbell.node.trading.log").read_text()

    def committed_seq(self) -> int:
        with (self.hot / "journal.ctl").open("rb") as file, mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ) as page:
            return int(struct.unpack_from("<Q", page, COMMITTED_SEQ_OFFSET)[0])

    def follow(self) -> Any:
        while self.follower.poll():
            pass
        return self.follower.engine

    def alive(self) -> bool:
        assert self.trading is not None
        code = self.trading.poll()
        log = self.directory / self.node_log
        assert code is None, f"the node ended by itself with {code}:\n{log.read_text()}"
        return True

    def wait_resolved(self, epoch: int) -> None:
        wait_for(
            lambda: self.alive() and self.follow().epoch >= epoch and self.follower.engine.is_session_up,
            f"epoch {epoch} to be resolved",
        )

    # ---- the exchange ------------------------------------------------------------------------------

    def ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
        return dict(asyncio.run(ask(self.ready["control"], {"verb": verb, **arguments})))

    def set_trading(self, state: str) -> None:
        for symbol in SYMBOLS:
            self.ask("state", symbol=symbol, state=state)

    def ledger(self) -> dict[str, Any]:
        return self.ask("ledger", account="NODE1")

    # ---- the comparison ----------------------------------------------------------------------------

    def node_view(self) -> dict[str, Any]:
        engine = self.follow()
        ids = [*self.config.strategy_ids().values()]
        positions, names = {}, Names(self.config.feed_names()).of(engine)
        for instrument in range(engine.instruments):
            rows = [engine.position(i, instrument) for i in ids]
            positions[names[instrument]] = {
                "position": sum(r["qty"] for r in rows),
                "cash": sum(r["cash"] for r in rows),
            }
        orders = {
            (o.cl_ord_id, o.version): (o.px, o.leaves_qty)
            for o in engine.live_orders()
            if o.state != OrderState.IN_DOUBT
        }
        in_doubt = [o.cl_ord_id for o in engine.live_orders() if o.state == OrderState.IN_DOUBT]
        return {"positions": positions, "orders": orders, "in_doubt": in_doubt}

    def venue_view(self) -> dict[str, Any]:
        ledger = self.ledger()
        orders = {
            tuple(ouch_token_decode(o["token"])): (o["px"], o["leaves_qty"])
            for o in ledger["orders"]
            if o["state"] in ("NEW", "PARTIALLY_FILLED")
        }
        return {"positions": ledger["positions"], "orders": orders, "in_doubt": []}

    def reports(self) -> tuple[Counter[tuple[int, int]], Counter[int]]:
        """From the journal: how often each fill (match, order) and each acceptance (order) was applied."""
        fills: Counter[tuple[int, int]] = Counter()
        accepted: Counter[int] = Counter()
        journal = open_journal(self.directory / "journal", self.hot)
        for reports in journal.arrays("Report"):
            for row in reports[reports["type"] == int(Type.FILLED)]:
                fills[int(row["exec_id"]), int(row["cl_ord_id"])] += 1
            for row in reports[reports["type"] == int(Type.ACCEPTED)]:
                accepted[int(row["cl_ord_id"])] += 1
        return fills, accepted
