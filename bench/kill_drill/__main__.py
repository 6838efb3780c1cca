"""Kills a live node again and again, and counts the bytes of new orders that follow.

    python -m bench.kill_drill [--kills 1000] [--seed 1] [--stuck-ms 0] [--compiled] [--results FILE]

An exchange and a node with a strategy that sends all the time run as processes of their own. Each kill is one run of
`openbell-kill` at a moment drawn from the seed; a tap on the wire with a parser of its own sees what leaves. Then the
kill is released by the control socket, and the next one follows. Each row goes to the file at once: a run that is begun
again with the same file goes on where it was. Exit code 1: a new order left after the gate was closed.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.cli.world import wait_for

from bench.harness import percentile
from bench.kill_drill.tap import CANCEL, OPENS, Tap
from bench.kill_drill.world import Room
from openbell.__main__ import KILL_SENDER
from openbell.errors import OpenbellError
from openbell.ops.control.client import ask
from openbell.ops.find import read_page

GONE_WITHIN_S = 5.0
FLOOR_US = 100.0
"""A gate that took longer is compared with how long the trading thread had no processor."""
PATIENCE_US = 50_000.0
"""Of the warden, which then acts instead of the trading thread."""
FIGURES = {
    "command started to gate closed": ("received_us", None),
    "accepted to gate closed": ("closed_us", 100.0),
    "accepted to trading thread's answer": ("answered_us", None),
    "accepted to first cancel on the wire": ("first_cancel_us", 1_000.0),
    "accepted to last cancel on the wire": ("last_cancel_us", 1_000.0),
    "command started to last cancel on the wire": ("wire_us", 100_000.0),
    "accepted to every order gone at the venue": ("gone_us", 2_000_000.0),
}


def main() -> int:
    """Run the drill; 1 if a new order left after a gate was closed, or an order stayed."""
    parser = argparse.ArgumentParser(prog="python -m bench.kill_drill", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stuck-ms", type=int, default=0, help="the strategy loops so long, and is killed meanwhile")
    parser.add_argument("--compiled", action="store_true", help="the strategy is machine code; up to 180 ms a callback")
    parser.add_argument("--results", type=Path, default=None)
    asked = parser.parse_args()
    results = asked.results or Path(tempfile.mkdtemp(prefix="openbell-kills-")) / "kills.jsonl"
    rows = [json.loads(line) for line in results.read_text().splitlines()] if results.is_file() else []
    print(f"seed {asked.seed}: {asked.kills} kills, {len(rows)} done before; rows in {results}", flush=True)
    with (
        tempfile.TemporaryDirectory() as home,
        results.open("a") as file,
        Room(Path(home), asked.stuck_ms, is_compiled=asked.compiled) as room,
        Tap(int(room.ready["order_entry"].rpartition(":")[2])) as tap,
    ):
        room.run("--live")
        wait_for((room.hot / "control.sock").exists, "the control process")
        while len(rows) < asked.kills:
            rows.append(one_kill(room, tap, random.Random(f"{asked.seed}-{len(rows)}")))
            print(json.dumps(rows[-1]), file=file, flush=True)
            release(room)
        if tap.fault:
            print(tap.fault)
            return 1
    return report(rows)


def one_kill(room: Room, tap: Tap, rng: random.Random) -> dict[str, Any]:
    """Kill once, and look at the wire until every order is gone."""
    seen = len(tap.sent)
    room.stuck.unlink(missing_ok=True)
    wait_for(lambda: any(s.kind in OPENS for s in tap.sent[seen:]) or tap.fault, "new orders on the wire")
    if room.stuck_ms and not room.is_compiled:  # machine code opens no files; it is in its loop half of the time
        wait_for(room.stuck.exists, "the strategy to hang")
        time.sleep(rng.uniform(0, room.stuck_ms / 4000))
    else:
        time.sleep(rng.uniform(0.005, 0.1))
    trading = read_page(room.hot).writer_pid
    began_waiting, begun_ns = waited_ns(trading), time.time_ns()
    done = subprocess.run([KILL_SENDER, "--numbers", str(room.hot)], capture_output=True, text=True, check=False)
    waited = waited_ns(trading) - began_waiting
    at_ns, closed_ns, _, answered_ns, _ = map(int, done.stdout.split())
    wait_for(lambda: not room.open_orders(), "every order to be gone", GONE_WITHIN_S)
    gone_ns = time.time_ns()
    time.sleep(room.stuck_ms / 1000)  # it comes back, with what it had in mind
    after = [s for s in tap.sent[seen:] if s.ts_ns > at_ns + closed_ns]
    cancels = [(s.ts_ns - at_ns) / 1e3 for s in tap.sent[seen:] if s.kind == CANCEL and s.ts_ns > at_ns]
    return {
        "received_us": (at_ns + closed_ns - begun_ns) / 1e3,
        "closed_us": closed_ns / 1e3,
        "waited_us": waited / 1e3,
        "answered_us": answered_ns / 1e3 if answered_ns >= 0 else None,
        "cancels": len(cancels),
        "first_cancel_us": min(cancels, default=None),
        "last_cancel_us": max(cancels, default=None),
        "wire_us": max(cancels) + (at_ns - begun_ns) / 1e3 if cancels else None,
        "gone_us": (gone_ns - at_ns) / 1e3,
        "opened_before": sum(s.kind in OPENS for s in tap.sent[seen:] if s.ts_ns <= at_ns + closed_ns),
        "opened_after_us": [(s.ts_ns - at_ns) / 1e3 for s in after if s.kind in OPENS],
    }


def waited_ns(pid: int) -> int:
    """How long the main thread of a process was ready and had no processor, ever."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1])


def release(room: Room) -> None:
    """Arm the node again, once it has its session back."""
    request = {"verb": "arm", "state": "full", "all": True, "release": True, "why": "drill"}

    def is_released() -> bool:
        try:
            ask(room.hot, request)
        except OpenbellError:  # the kill is not in the journal yet
            return False
        return True

    wait_for(is_released, "the release")


def report(rows: list[dict[str, Any]]) -> int:
    """Print the figures; 1 if something left that must not."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {len(rows)} kills")
    for name, (key, target) in FIGURES.items():
        values = [row[key] for row in rows if row[key] is not None]
        if values:
            shown = [percentile(values, share) for share in (0.5, 0.99, 0.999, 1.0)]
            aim = f"   target {target:,.0f}" if target else ""
            print(f"{name:45} p50 {shown[0]:>10,.1f}  p99 {shown[1]:>10,.1f}  p99.9 {shown[2]:>10,.1f}  "
                  f"max {shown[3]:>10,.1f} us of {len(values)}{aim}")  # fmt: skip
    slow = [row for row in rows if row["closed_us"] > FLOOR_US and "waited_us" in row]
    if slow:  # what the machine takes: no gate closes while the thread that is in a send has no processor
        ours = [max(0.0, row["closed_us"] - row["waited_us"]) for row in slow]
        around = percentile([row["waited_us"] for row in slow], 0.5)
        print(
            f"gate closed after more than {FLOOR_US:.0f} us: {len(slow)} times; the trading thread waited for "
            f"a processor around it for {around:,.0f} us (median); the worst less that: {max(ours):,.0f} us"
        )
    stuck = sum(row["answered_us"] is None or row["answered_us"] > PATIENCE_US for row in rows)
    print(
        f"the trading thread answered within {PATIENCE_US / 1e3:.0f} ms: {len(rows) - stuck}; hung, or later: {stuck}"
    )
    late = [us for row in rows for us in row["opened_after_us"]]
    before, when = sum(row["opened_before"] for row in rows), ", ".join(f"{us:.0f} us" for us in late[:20])
    print(f"new orders and replaces on the wire: {before:,} before, {len(late)} after a gate was closed {when}")
    return int(bool(late))


if __name__ == "__main__":
    sys.exit(main())
