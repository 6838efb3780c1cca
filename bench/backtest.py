"""Backtest of the AMZN day with interpreted strategies: the whole product path, journal included."""

import tempfile
from pathlib import Path

from bench.amzn import amzn_tape
from bench.harness import REPO, Result, throughput
from openbell.backtest.result import BacktestResult
from openbell.backtest.run import BacktestSettings, run_backtest

REPETITIONS = 9
PER_EVENT = (REPO / "bench/strategies/per_event.py", "PerEvent")
COUNTED = (REPO / "bench/strategies/per_event.py", "PerEventCounted")
MARKET_MAKER = (REPO / "strategies/market_maker.py", "MarketMaker")


def run() -> Result:
    """Time `run_backtest` without its start-up: tape to engine to virtual venue, decisions journalled."""
    one = run_once(*PER_EVENT)  # warms the page cache
    cases = (PER_EVENT, COUNTED, MARKET_MAKER)
    runs = [[run_once(*case).card.events_per_s for case in cases] for _ in range(REPETITIONS)]
    per_event, counted, maker = zip(*runs, strict=True)
    return Result(
        name="backtest",
        input=f"AMZN 2012-06-21 level 5: {one.card.events:_} records, {one.card.frames:_} frames; latency 3 x 50 us",
        figures=[
            throughput("interpreted callback per event, requote per 100", "events/s", per_event, target=1e6),
            throughput("the same, declared state journalled per event", "events/s", counted),
            throughput("shipped market maker, requotes on every event", "events/s", maker),
        ],
        notes=f"{one.card.callbacks:_} callbacks; the journal is written; wall time from first to last event",
    )


def run_once(strategy: Path, strategy_class: str) -> BacktestResult:
    """One backtest of the day into a directory that is removed."""
    with tempfile.TemporaryDirectory() as scratch:
        settings = BacktestSettings(
            tape=amzn_tape(), strategy_file=strategy, strategy_class=strategy_class, out=Path(scratch) / "out"
        )
        return run_backtest(settings)
