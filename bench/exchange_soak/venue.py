"""The exchange of the soak: a process of its own, with a journal, that can be killed and started again."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.exchange_soak.sessions import PASSWORD
from bench.harness import REPO
from openbell.exchange.control import Answer, ask

SYMBOLS = tuple(f"SYM{n}" for n in range(10))
DEAD_PEER_MS = 600_000
"""Our clients send no heartbeats: on a busy machine most of them wait for long."""
CONNECTS_PER_S_MAX = 100_000
"""All our clients come from one address, again and again."""
TIMEOUT_S = 600.0


class Venue:
    """`openbell exchange` over a folder; `protocols` are those of its accounts, by name."""

    def __init__(self, folder: Path, protocols: dict[str, str], orders: int) -> None:
        shared_memory = Path("/dev/shm")
        self.hot_dir = Path(
            tempfile.mkdtemp(prefix="openbell-soak-", dir=shared_memory if shared_memory.is_dir() else folder)
        )
        self.config = folder / "exchange.toml"
        self.config.write_text(_configuration(folder, self.hot_dir, protocols, orders))
        self.process: subprocess.Popen[bytes] | None = None
        self.ready: dict[str, Any] = {}

    def start(self) -> float:
        """Start the process; return how long it took until it listened, in s.

        Raises:
            RuntimeError: it did not start; it has said why.
        """
        begin = perf_counter()
        command = [sys.executable, "-m", "openbell", "exchange", str(self.config)]
        environment = {**os.environ, "PYTHONPATH": str(REPO / "src")}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=REPO, env=environment)
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"expected the exchange to start, found that it ended with {self.process.wait()}")
        self.ready = json.loads(line)
        return perf_counter() - begin

    @property
    def address(self) -> tuple[str, int]:
        """Where it takes orders."""
        host, port = self.ready["order_entry"].split(":")
        return host, int(port)

    def kill(self) -> None:
        """End it without a word: kill -9."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(TIMEOUT_S)
        if self.process.stdout:
            self.process.stdout.close()
        self.process = None

    def close(self) -> None:
        """Leave nothing running, and no shared memory."""
        self.kill()
        shutil.rmtree(self.hot_dir)

    def ask(self, **request: Any) -> Answer:
        """Return the exchange's answer over its control socket."""
        return asyncio.run(ask(self.ready["control"], request, timeout_s=TIMEOUT_S))

    def memory(self) -> dict[str, int]:
        """Return its resident memory in bytes: RssAnon, RssFile, RssShmem."""
        assert self.process
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        rows = (line.split() for line in lines if line.startswith("Rss"))
        return {name.rstrip(":"): 1024 * int(kilobytes) for name, kilobytes, *_ in rows}


def _configuration(folder: Path, hot_dir: Path, protocols: dict[str, str], orders: int) -> str:
    listed = "".join(f'[[instruments]]\nsymbol = "{symbol}"\npx = "50.00"\n' for symbol in SYMBOLS)
    accounts = "".join(
        f'[[accounts]]\nname = "{name}"\npassword = "plain:{PASSWORD}"\nprotocol = "{protocol}"\n'
        f"cancel_on_disconnect = {str(n % 3 == 0).lower()}\n"
        for n, (name, protocol) in enumerate(protocols.items())
    )
    return (
        f'session = "SOAK"\n{listed}{accounts}'
        f"[order_entry]\ndead_peer_ms = {DEAD_PEER_MS}\nconnects_per_s_max = {CONNECTS_PER_S_MAX}\n"
        f'[limits]\ntokens_max = {orders + orders // 4}\nmemory_dir = "{folder / "memory"}"\n'
        f'[journal]\ndir = "{folder / "journal"}"\nhot_dir = "{hot_dir}"\n'
    )
