"""A generated tape of 10 million orders in hftbacktest and in openbell, alternately, both compiled.

The same strategy: look at the touch on every event, join both touches anew on every hundredth. The peer keeps no
journal, checks no limits, and here never fills in part; openbell does all three.
"""

import statistics
import tempfile
from pathlib import Path

import numpy as np

from bench.generated import EVENTS, generated_events, generated_tape
from bench.harness import REPO, Result, throughput
from bench.peers_venv import run_beside
from openbell.backtest.result import BacktestResult
from openbell.backtest.run import BacktestSettings, run_backtest
from openbell.config_types import Speed
from openbell.types import Type

PAIRS = 5
ADD, REDUCE, EXECUTE = range(3)
ROW = [("ts", "i8"), ("kind", "i1"), ("is_buy", "i1"), ("px", "i8"), ("qty", "i8"), ("order_id", "i8"), ("left", "i8")]
IS_BUY = 1


def run() -> Result:
    """At least 5 pairs in one run; rates are of the events of the tape, the peer's extra ones not counted."""
    tape = generated_tape()
    rows, touch = _rows(generated_events())
    speeds = (lambda: run_once(tape, "compiled")), (lambda: run_once(tape, "interpreted"))
    beside = run_beside("hftbacktest_flow.py", "hftbacktest", rows, touch, PAIRS, *speeds)
    hello, theirs, (ours, interpreted) = beside
    their_rates = [EVENTS / one["seconds"] for one in theirs]
    our_rates = [one.card.events_per_s for one in ours]
    return Result(
        name="peer_hftbacktest",
        input=f"{EVENTS:_} generated orders of one instrument, latencies of 50 us; hftbacktest {hello['version']}",
        figures=[
            throughput("openbell, compiled, requote per 100", "events/s", our_rates, target=8e6),
            throughput("hftbacktest, the same", "events/s", their_rates),
            throughput(
                "ratio, pair by pair", "x", [a / b for a, b in zip(our_rates, their_rates, strict=True)], target=5.0
            ),
            throughput("openbell, interpreted", "events/s", [one.card.events_per_s for one in interpreted], target=1e6),
        ],
        notes=(
            f"callbacks: openbell {ours[-1].card.callbacks:_}, peer {theirs[-1]['callbacks']:_}; fills "
            f"{ours[-1].instruments[0].fills:_} and {theirs[-1]['fills']:_}; both books end alike; the peer compiles "
            f"{hello['compile_s']:.1f} s at each start; ratio of medians "
            f"{statistics.median(our_rates) / statistics.median(their_rates):.1f}"
        ),
    )


def run_once(tape: Path, speed: Speed) -> BacktestResult:
    """One backtest into a directory that is removed."""
    with tempfile.TemporaryDirectory() as scratch:
        strategy = REPO / "bench/strategies/per_event.py"
        settings = BacktestSettings(
            tape=tape, strategy_file=strategy, strategy_class="PerEvent", speed=speed, out=Path(scratch) / "out"
        )
        return run_backtest(settings)


def _rows(events: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """What the peer is given, and the prices of the touch at the end."""
    orders: dict[int, list[int]] = {}
    left = []
    columns = (events[name].tolist() for name in ("type", "order_id", "px", "qty", "flags"))
    for kind, order_id, px, qty, flags in zip(*columns, strict=True):
        if kind == Type.BOOK_ADD:
            orders[order_id] = [qty, px, flags & IS_BUY]
        else:
            orders[order_id][0] -= qty
        left.append(orders[order_id][0])
        if not left[-1]:
            del orders[order_id]
    rows = np.zeros(len(events), ROW)
    kinds = np.where(events["type"] == Type.BOOK_EXECUTE, EXECUTE, REDUCE)
    rows["kind"] = np.where(events["type"] == Type.BOOK_ADD, ADD, kinds)
    rows["ts"], rows["left"], rows["is_buy"] = events["ts_event"], left, events["flags"] & IS_BUY
    for name in ("px", "qty", "order_id"):
        rows[name] = events[name]
    bid = max(px for _, px, is_buy in orders.values() if is_buy)
    ask_px = min(px for _, px, is_buy in orders.values() if not is_buy)
    return rows, [bid, ask_px]
