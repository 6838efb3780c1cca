"""A strategy in the trading thread and in a process of its own: from the sequencing of a tick to the send call.

The same node and venue as tick_to_order, one kind after the other in one run. Both are measured from the journal: the
engine time of the tick's frame against the time at which the first order that answers it was handed to the socket.
"""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from bench import tick_to_order
from bench.amzn import amzn_zip
from bench.harness import REPO, Figure, Result
from bench.limits import limits_toml
from bench.processes import folder_in_memory, free_port, start
from openbell.journal import Source, open_journal
from openbell.types import Type

ROUNDS, SECONDS = 2, 8
OPENING = (Type.NEW_ORDER, Type.REPLACE_ORDER)
OWN = "age_max_ms = 10_000\nage_max_frames = 1_000_000\nlag_max_ms = 10_000\n"


def run() -> Result:
    """Rounds of both kinds, alternately."""
    found: dict[str, list[np.ndarray[Any, Any]]] = {"trading thread": [], "own process": []}
    for _ in range(ROUNDS):
        for kind, samples in found.items():
            samples.append(_life(OWN if kind == "own process" else ""))
    return Result(
        name="own_process",
        input=f"AMZN 2012-06-21, {SECONDS} s; strategies/market_maker.py, interpreted, busy wait; {ROUNDS} rounds",
        figures=[_figure(kind, np.concatenate(samples)) for kind, samples in found.items()],
        notes="ns from the engine time of the tick's frame to the send call of the first order that answers it",
    )


def _figure(kind: str, values: np.ndarray[Any, Any]) -> Figure:
    low, median, p99, p999, high = np.quantile(values, [0, 0.5, 0.99, 0.999, 1])
    return Figure(kind, "ns", len(values), low, median, p99, high, more={"p99.9": float(p999)})


def _life(more: str) -> np.ndarray[Any, Any]:
    """One run of a node whose strategy table ends with `more`; a sample for each tick that was answered."""
    with folder_in_memory() as directory:
        feed = free_port()
        gap_ns = tick_to_order.GAP_NS_MAX
        venue = start("bench.loopback_venue", amzn_zip(), gap_ns, feed, stdout=subprocess.PIPE)
        started = [venue]
        try:
            assert venue.stdout
            values = {"dir": directory, "feed": feed, "orders": int(venue.stdout.readline())}
            process, strategy = "own" if more else "trading", REPO / "strategies/market_maker.py"
            text = tick_to_order.NODE.format(**values, strategy=strategy, process=process) + more
            (directory / "node.toml").write_text(text)
            (directory / "limits.toml").write_text(limits_toml("AMZN", position_max_lots=1_000_000))
            (directory / "hot").mkdir()
            quiet, file = subprocess.DEVNULL, directory / "node.toml"
            node = start("openbell.node.trading", file, "--for", SECONDS, stdout=quiet)
            if more:
                module = "openbell.node.strategy_process"
                started.append(start(module, file, "live", "maker", stdout=quiet))
            if node.wait() not in (0, 3, 4):
                raise RuntimeError("the node failed; its message is above")
        finally:
            for process in started:
                process.terminate()
                process.wait()
        return _samples(directory)


def _samples(directory: Path) -> np.ndarray[Any, Any]:
    ticks: dict[int, int] = {}  # engine time of a feed's frame, by number
    caused: dict[int, int] = {}  # the frame that a process had seen, by the number of the one that says so
    waits: dict[tuple[int, int], int] = {}  # (id, version) of a command -> its tick
    answers: dict[int, int] = {}
    for frame in open_journal(directory / "journal", directory / "hot"):
        if not frame.is_decision:
            if Source.FEED <= frame.source < Source.ORDER_ENTRY:
                ticks[frame.seq] = frame.ts_seq
            elif frame.cause_seq:
                caused[frame.seq] = frame.cause_seq
        for i in range(len(frame.raw)):
            kind = int(frame.raw[i][0])
            if kind in OPENING:
                tick = caused.get(frame.cause_seq, frame.cause_seq)
                if tick in ticks:
                    record = frame.record(i)
                    waits[int(record["cl_ord_id"]), int(record["version"])] = tick
            elif kind == Type.SENT:
                record = frame.record(i)
                tick = waits.pop((int(record["cl_ord_id"]), int(record["version"])), 0)
                if tick:
                    answers.setdefault(tick, int(record["ts_sent"]) - ticks[tick])
    if not answers:
        raise RuntimeError("expected orders, found none sent")
    return np.array([*answers.values()], np.float64)
