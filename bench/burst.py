"""A burst of ten times the sustained rate for ten seconds, on two lines over loopback: what is lost, and for how long
the node is late. Once with the buffers that are configured by default, once with ones that must overflow.
"""

import json
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench.harness import Figure, Result, percentile
from bench.processes import free_port, start, wait_until_it_runs
from bench.tick_to_order import LIMITS
from openbell import _native as native

RATE, BEFORE_S, BURST_S, AFTER_S = 20_000, 5, 10, 5
BUFFERS_KIB = {"8 MiB": 8_192, "128 KiB": 128}
LOOK_EVERY_S = 0.002
WINDOW_NS = 100_000_000
NODE = """
[node]
name = "burst"
id = 1
mode = "shadow"
run_dir = "{dir}/hot"
journal_dir = "{dir}/journal"
limits = "{dir}/limits.toml"
durability = "memory"
wait = "block"
arm_at_start = "off"
[[feeds]]
name = "f"
kind = "itch_moldudp64"
listen = "127.0.0.1:{a}"
listen_b = "127.0.0.1:{b}"
retransmit = "127.0.0.1:{requests}"
retry_ms = 50
tries_max = 100
receive_buffer_kib = {buffer_kib}
[[instruments]]
symbol = "OBEL"
"""


def run() -> Result:
    """Every message is applied at the end; a loss of the kernel is counted and asked for again."""
    figures, notes = [], []
    for name, buffer_kib in BUFFERS_KIB.items():
        seen = _life(buffer_kib)
        figures += _figures(name, seen)
        notes.append(_note(name, seen))
    return Result(
        name="burst",
        input=f"{RATE:_} messages/s for {BEFORE_S} s, ten times that for {BURST_S} s, as before for {AFTER_S} s",
        figures=figures,
        notes="; ".join(notes),
    )


def _figures(name: str, seen: dict[str, Any]) -> list[Figure]:
    before, burst, after = (_waits(seen, i) for i in range(3))
    out = [_spread(f"{name}: wait in the socket, {when}", waits) for when, waits in
           (("sustained", before), ("burst", burst), ("after", after))]  # fmt: skip
    late_s, behind_s = _late_s(seen, percentile(before, 0.99)), _behind_s(seen)
    return [
        *out,
        Figure(f"{name}: burst's end until the wait is as before", "s", 1, *[late_s] * 4, target=1.0),
        Figure(f"{name}: burst's end until nothing is missing", "s", 1, *[behind_s] * 4, target=1.0),
    ]


def _note(name: str, seen: dict[str, Any]) -> str:
    c = seen["counters"]
    dropped = sum(c[f"feed.f.{line}.dropped"] for line in "AB")
    reached = " / ".join(f"{rate:,.0f}" for rate in seen["sender"]["rates"])
    return (
        f"{name}: sent {seen['sender']['messages']:,} messages at {reached} a second, applied {seen['applied']:,}, "
        f"kernel dropped {dropped:,} datagrams, gaps {c['feed.f.gaps']:,}, recovered {c['feed.f.recovered']:,}, "
        f"lost {c['feed.f.lost']:,}, book valid: {seen['is_valid']}"
    )


def _spread(name: str, waits: list[int]) -> Figure:
    values = (float(min(waits)), median(waits), percentile(waits, 0.99), float(max(waits)))
    return Figure(name, "ns", len(waits), *values)


def _waits(seen: dict[str, Any], phase: int) -> list[int]:
    begin, end = seen["sender"]["times_ns"][phase : phase + 2]
    return [wait for at, wait, _ in seen["samples"] if begin <= at < end] or [0]


def _late_s(seen: dict[str, Any], normal_ns: float) -> float:
    """From the end of the burst to the end of the last tenth of a second whose median is above normal."""
    burst_end, end = seen["sender"]["times_ns"][2:4]
    late_s = 0.0
    for begin in range(burst_end, end, WINDOW_NS):
        window = [wait for at, wait, _ in seen["samples"] if begin <= at < begin + WINDOW_NS]
        if window and median(window) > normal_ns:
            late_s = (begin + WINDOW_NS - burst_end) / 1e9
    return late_s


def _behind_s(seen: dict[str, Any]) -> float:
    """From the end of the burst to the last moment at which a message was missing."""
    burst_end = seen["sender"]["times_ns"][2]
    return max([(at - burst_end) / 1e9 for at, _, behind in seen["samples"] if behind and at > burst_end] or [0.0])


def _life(buffer_kib: int) -> dict[str, Any]:
    base = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="openbell-burst-", dir=base if base.is_dir() else None))
    a, b = free_port(), free_port()
    rates = [str(n) for n in (a, b, RATE, BEFORE_S, BURST_S, AFTER_S)]
    sender = start("bench.burst_sender", *rates, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    node = None
    try:
        requests = int(sender.stdout.readline())
        text = NODE.format(dir=folder, a=a, b=b, requests=requests, buffer_kib=buffer_kib)
        (folder / "node.toml").write_text(text)
        (folder / "limits.toml").write_text(LIMITS.replace("AMZN", "OBEL"))
        node = start("openbell", "run", folder / "node.toml", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        counters = folder / "hot/counters"
        wait_until_it_runs(counters, node)
        sender.stdin.write("go\n")
        sender.stdin.flush()
        samples = _watch(counters, sender)
        told = json.loads(sender.stdout.readline())
        seen = dict(native.Counters.attach(str(counters)).read())
        node.send_signal(signal.SIGINT)
        node.communicate(timeout=60)
        engine = native.Engine(_capacity())
        native.recover(engine, str(folder / "journal"), "")
        return {
            "sender": told,
            "samples": samples,
            "counters": seen,
            "applied": engine.source_seq(16),
            "is_valid": engine.is_book_valid(0),
        }
    finally:
        for process in (sender, node):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _capacity() -> native.EngineCapacity:
    out = native.EngineCapacity()
    out.book_orders_max = 262_144
    return out


def _watch(path: Path, sender: subprocess.Popen[str]) -> list[tuple[int, int, int]]:
    """(ns, wait of the oldest datagram of the last batch, messages behind) until the sender ends."""
    page, samples = native.Counters.attach(str(path)), []
    while sender.poll() is None:
        now = dict(page.read())
        samples.append((time.time_ns(), now["feed.f.waited_ns"], now["feed.f.behind"]))
        time.sleep(LOOK_EVERY_S)
    return samples
