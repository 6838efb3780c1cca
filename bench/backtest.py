"""Backtest of the AMZN day with interpreted strategies: the whole product path, journal included."""

import tempfile
from pathlib import Path

from bench.amzn import amzn_tape
from bench.harness import REPO, Result, throughput
from openbell.backtest.result import BacktestResult
from openbell.backtest.run import BacktestSettings, run_backtest

REPETITIONS = 9
PER_EVENT = REPO / "bench/strategies/per_event.py"
MARKET_MAKER = REPO / "strategies/market_maker.py"


def run() -> Result:
    """Time `run_backtest` without its start-up: tape to engine to virtual venue, decisions journalled."""
    one = run_once(PER_EVENT)  # warms the page cache
    per_event = [run_once(PER_EVENT).card.events_per_s for _ in range(REPETITIONS)]
    maker = [run_once(MARKET_MAKER).card.events_per_s for _ in range(REPETITIONS)]
    return Result(
        name="backtest",
        input=f"AMZN 2012-06-21 level 5: {one.card.events:_} records, {one.card.frames:_} frames; latency 3 x 50 us",
        figures=[
            throughput("interpreted callback per event, requote per 100", "events/s", per_event, target=1e6),
            throughput("shipped market maker, requotes on every event", "events/s", maker),
        ],
        notes=f"{one.card.callbacks:_} callbacks; the journal is written; wall time from first to last event",
    )


def run_once(strategy: Path) -> BacktestResult:
    """One backtest of the day into a directory that is removed."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as scratch:
        return run_backtest(BacktestSettings(tape=amzn_tape(), strategy_file=strategy, out=Path(scratch) / "out"))
