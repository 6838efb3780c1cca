"""Backtest of the AMZN day at both speeds: the whole product path, journal included."""

import tempfile
from pathlib import Path

from bench.amzn import amzn_tape
from bench.harness import REPO, Result, throughput
from openbell.backtest.result import BacktestResult
from openbell.backtest.run import BacktestSettings, run_backtest
from openbell.config_types import Speed

REPETITIONS = 9
PER_EVENT = (REPO / "bench/strategies/per_event.py", "PerEvent", "interpreted")
COUNTED = (REPO / "bench/strategies/per_event.py", "PerEventCounted", "interpreted")
MARKET_MAKER = (REPO / "strategies/market_maker.py", "MarketMaker", "interpreted")
COMPILED = (*PER_EVENT[:2], "compiled")
COMPILED_MAKER = (*MARKET_MAKER[:2], "compiled")


def run() -> Result:
    """Time `run_backtest` without its start-up: tape to engine to virtual venue, decisions journalled."""
    one = run_once(*PER_EVENT)  # warms the page cache
    cases = (PER_EVENT, COUNTED, MARKET_MAKER, COMPILED, COMPILED_MAKER)
    runs = [[run_once(*case).card.events_per_s for case in cases] for _ in range(REPETITIONS)]
    per_event, counted, maker, compiled, compiled_maker = zip(*runs, strict=True)
    return Result(
        name="backtest",
        input=f"AMZN 2012-06-21 level 5: {one.card.events:_} records, {one.card.frames:_} frames; latency 3 x 50 us",
        figures=[
            throughput("interpreted callback per event, requote per 100", "events/s", per_event, target=1e6),
            throughput("the same, declared state journalled per event", "events/s", counted),
            throughput("shipped market maker, requotes on every event", "events/s", maker),
            throughput("compiled callback per event, requote per 100", "events/s", compiled),
            throughput("compiled market maker, requotes on every event", "events/s", compiled_maker),
        ],
        notes=f"{one.card.callbacks:_} callbacks; the journal is written; wall time from first to last event",
    )


def run_once(strategy: Path, strategy_class: str, speed: Speed) -> BacktestResult:
    """One backtest of the day into a directory that is removed."""
    with tempfile.TemporaryDirectory() as scratch:
        settings = BacktestSettings(
            tape=amzn_tape(),
            strategy_file=strategy,
            strategy_class=strategy_class,
            speed=speed,
            out=Path(scratch) / "out",
        )
        return run_backtest(settings)
