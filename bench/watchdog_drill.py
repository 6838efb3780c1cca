"""Stops the trading process of a live node with SIGSTOP again and again, under its watchdog.

    python -m bench.watchdog_drill [--stops 200] [--seed 1] [--way login|refused|silent|end] [--results FILE]

An exchange, a node with a strategy that sends all the time, and a watchdog run as processes of their own. Measured is
from the signal to the first moment from which the venue holds no order of the node. `refused`: the venue refuses the
watchdog's login; `silent`: it hears nothing at all at the venue's port; `end`: it does not try. Each row goes to the
file at once: a run that is begun again with the same file goes on where it was. Exit code 1: an order stayed for more
than two seconds.
"""

import argparse
import json
import os
import random
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.cli.world import wait_for

from bench.harness import percentile
from bench.kill_drill.__main__ import release
from bench.kill_drill.world import Room
from configurations import watched
from openbell.node.supervisor import RESTARTS_MAX
from openbell.ops.find import read_page
from openbell.ops.watchdog.guard import LOG_NAME

WITHIN_MS = 2_000.0
ENDS_OF_ONE_RUN = RESTARTS_MAX - 1
"""A supervisor gives up on a trading process that ends more often."""
FIGURES = {"SIGSTOP to every order gone at the venue": "gone_ms", "of it, the watchdog's own stop": "took_ms"}


class Watched:
    """A node and its watchdog, started anew before a supervisor gives up."""

    def __init__(self, room: Room, way: str, silent_port: int) -> None:
        self.room, self.way, self.silent_port = room, way, silent_port
        self._start()

    def stop(self, rng: random.Random) -> dict[str, Any]:
        """Stop the trading process once; what that took."""
        if self._ends == ENDS_OF_ONE_RUN:
            self._end()
            self._start()
        room = self.room
        wait_for(lambda: len(room.open_orders()) >= 2, "orders to rest")
        time.sleep(rng.uniform(0, 0.1))
        pid, open_, before = read_page(room.hot).writer_pid, len(room.open_orders()), len(self._stopped())
        began = time.monotonic()
        os.kill(pid, signal.SIGSTOP)
        gone_s = self._gone_s(before)
        said = self._stopped()[before]
        if any("was ended" in done for done in said["done"]):
            self._ends += 1
            wait_for(lambda: (page := read_page(room.hot)).is_alive and page.writer_pid != pid, "the next process")
        else:
            os.kill(pid, signal.SIGCONT)
        release(room)
        return {"gone_ms": (gone_s - began) * 1e3, "open": open_, **{k: said[k] for k in ("took_ms", "done", "left")}}

    def _gone_s(self, before: int) -> float:
        """When the last order had gone: none is there, none was seen since, and the watchdog is done."""
        gone_s: float | None = None
        while True:
            is_done, is_open, now_s = len(self._stopped()) > before, bool(self.room.open_orders()), time.monotonic()
            gone_s = None if is_open else gone_s or now_s
            if is_done and gone_s is not None:
                return gone_s

    def _stopped(self) -> list[dict[str, Any]]:
        path = self.room.journal / LOG_NAME
        rows = [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
        return [row for row in rows if row["what"] == "stopped"]

    def _start(self) -> None:
        room, self._ends = self.room, 0
        self._run = room.run("--live")
        wait_for((room.hot / "control.sock").exists, "the control process")
        wait_for(lambda: read_page(room.hot).is_alive, "the trading process")
        self._dog = room.spawn("watchdog", self._file())
        assert self._dog.stdout and "its heart beats" in self._dog.stdout.readline()

    def _end(self) -> None:
        for process in (self._dog, self._run):
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
            self.room.processes.remove(process)
        (self.room.hot / "control.sock").unlink(missing_ok=True)

    def _file(self) -> Path:
        """The node's file as the watchdog reads it."""
        text = self.room.node_file.read_text()
        if self.way == "silent":
            text = text.replace(self.room.ready["order_entry"], f"127.0.0.1:{self.silent_port}")
        act = "end" if self.way == "end" else "login"
        password = ['password = "plain:wrong"'] if self.way == "refused" else []
        path = self.room.home / "watched.toml"
        path.write_text(watched(text, f'act = "{act}"', *password))
        return path


def main() -> int:
    """Run the drill; 1 if an order stayed too long."""
    parser = argparse.ArgumentParser(prog="python -m bench.watchdog_drill", description=__doc__.splitlines()[0])
    parser.add_argument("--stops", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--way", choices=("login", "refused", "silent", "end"), default="login")
    parser.add_argument("--results", type=Path, default=None)
    asked = parser.parse_args()
    results = asked.results or Path(tempfile.mkdtemp(prefix="openbell-stops-")) / f"{asked.way}.jsonl"
    rows = [json.loads(line) for line in results.read_text().splitlines()] if results.is_file() else []
    print(f"seed {asked.seed}, {asked.way}: {len(rows)} of {asked.stops} stops are done; rows in {results}", flush=True)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        tempfile.TemporaryDirectory() as home,
        results.open("a") as file,
        Room(Path(home), 0, is_compiled=False) as room,
    ):
        watched = Watched(room, asked.way, silent.getsockname()[1])
        while len(rows) < asked.stops:
            rows.append(watched.stop(random.Random(f"{asked.seed}-{asked.way}-{len(rows)}")))
            print(json.dumps(rows[-1]), file=file, flush=True)
    return report(rows)


def report(rows: list[dict[str, Any]]) -> int:
    """Print the figures; 1 if an order stayed for more than two seconds."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {len(rows)} stops")
    for name, key in FIGURES.items():
        p50, p99, worst = (percentile([row[key] for row in rows], share) for share in (0.5, 0.99, 1.0))
        print(f"{name:42} p50 {p50:>7,.0f}  p99 {p99:>7,.0f}  worst {worst:>7,.0f} ms   must {WITHIN_MS:,.0f}")
    late = sum(row["gone_ms"] > WITHIN_MS for row in rows)
    unsure = sum(bool(row["left"]) for row in rows)
    print(f"later than {WITHIN_MS:,.0f} ms: {late}; with orders that the watchdog could not confirm: {unsure}")
    return int(bool(late))


if __name__ == "__main__":
    sys.exit(main())
