"""Tick to order over loopback sockets: a real node, an interpreted market maker, a venue in another process.

The venue (bench/loopback_venue.py) plays the AMZN day with its recorded spacing, idle time cut, one row a datagram, and
answers OUCH orders; it never waits for the node (open loop). Each hop counts from the return of the receive call.
"""

import os
import subprocess

from bench.amzn import amzn_zip
from bench.harness import REPO, Figure, Result
from bench.limits import limits_toml
from bench.processes import folder_in_memory, free_port, start
from openbell import _native as native

RUNS, SECONDS = 3, 15
GAP_NS_MAX = 5_000_000
"""Bursts keep their recorded spacing; only idle time is cut, to gaps long enough for caches to go cold."""
QUANTILES = [0.0, 0.5, 0.99, 0.999, 1.0]
TARGET_P50_NS = {"sent": 2_000}

NODE = """
[node]
name = "bench"
id = 1
mode = "live"
run_dir = "{dir}/hot"
journal_dir = "{dir}/journal"
limits = "{dir}/limits.toml"
durability = "memory"
wait = "busy"
arm_at_start = "full"
orders_per_second_max = 100000
[watchdog]
with_node = false
[[feeds]]
name = "feed"
kind = "itch_moldudp64"
listen = "127.0.0.1:{feed}"
session = "BENCH"
[[sessions]]
name = "ouch"
kind = "ouch42_soupbintcp"
connect = "127.0.0.1:{orders}"
user = "NODE1"
password = "plain:bench"
messages_per_second_max = 0
unreconciled = true
[[instruments]]
symbol = "AMZN"
[[strategies]]
name = "maker"
id = 1
file = "{strategy}"
class = "MarketMaker"
instruments = ["AMZN"]
process = "{process}"
"""


def run() -> Result:
    """Three lives of a node; the figures are of the one with the median p50."""
    lives = sorted((_life() for _ in range(RUNS)), key=lambda hops: hops["sent"][1][1])
    middle = lives[RUNS // 2]
    spread = ", ".join(f"{hops['sent'][1][1]:_}" for hops in lives)
    return Result(
        name="tick_to_order",
        input=f"AMZN 2012-06-21, gaps cut to {GAP_NS_MAX // 10**6} ms, {SECONDS} s; strategies/market_maker.py",
        figures=[_figure(hop, *middle[hop]) for hop in ("sequenced", "decided", "journalled", "sent")],
        notes=(
            f"ns from the return of the receive call; p50 of the {RUNS} runs to the send call: {spread}; durability "
            f"memory, busy wait, node and venue share {os.cpu_count()} cores with whatever else runs"
        ),
    )


def _figure(hop: str, count: int, values: list[int]) -> Figure:
    least, p50, p99, p999, most = map(float, values)
    target = TARGET_P50_NS.get(hop)
    return Figure(f"received to {hop}", "ns", count, least, p50, p99, most, target, more={"p99.9": p999})


def _life() -> dict[str, tuple[int, list[int]]]:
    """Hop -> (count, values at QUANTILES) of one run."""
    with folder_in_memory() as directory:
        feed = free_port()
        venue = start("bench.loopback_venue", amzn_zip(), GAP_NS_MAX, feed, stdout=subprocess.PIPE)
        try:
            assert venue.stdout
            values = {"dir": directory, "feed": feed, "orders": int(venue.stdout.readline())}
            text = NODE.format(**values, strategy=REPO / "strategies/market_maker.py", process="trading")
            (directory / "node.toml").write_text(text)
            (directory / "limits.toml").write_text(limits_toml("AMZN", position_max_lots=1_000_000))
            (directory / "hot").mkdir()
            node = start("openbell.node.trading", directory / "node.toml", "--for", SECONDS, stdout=subprocess.DEVNULL)
            if node.wait() not in (0, 3, 4):
                raise RuntimeError("the node failed; its message is above")
        finally:
            venue.terminate()
            venue.wait()
        rows = native.latency_percentiles(str(directory / "hot/latency"), QUANTILES)
        hops = dict(zip(native.LATENCY_HOPS, rows, strict=True))
        if not hops["sent"][0]:
            raise RuntimeError("expected orders, found none sent")
        return hops
