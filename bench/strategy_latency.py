"""What one callback costs inside the real engine, over the AMZN day: interpreted and compiled.

The samples are of the whole of "ask the strategies about this frame": dispatch, callback, declared state. The two
readings of the clock, and a host that calls nobody, are measured with a class without callbacks, in the same run and
at the same speed, and taken away; an empty callback is not.
"""

import tempfile
from pathlib import Path

import numpy as np

from bench.amzn import amzn_tape
from bench.harness import REPO, Figure, Result
from openbell import _native as native
from openbell.backtest.run import BacktestSettings, run_backtest

ROUNDS = 5
SAMPLES_MAX = 1 << 18
FILE = REPO / "bench/strategies/touch.py"
CASES = [
    ("interpreted", "TouchDecides", 500),
    ("interpreted", "TouchQuotes", 900),
    ("compiled", "TouchDecides", 25),
    ("compiled", "TouchQuotes", None),
]


def run() -> Result:
    """Rounds of all cases, one after another, so that a slow minute of the machine meets them all."""
    clocks = {speed: [] for speed in ("interpreted", "compiled")}
    samples: dict[tuple[str, str], list[np.ndarray]] = {}
    for _ in range(ROUNDS):
        for speed, found in clocks.items():
            found.append(float(np.median(durations(speed, "Deaf"))))
        for speed, name, _target in CASES:
            samples.setdefault((speed, name), []).append(durations(speed, name))
    figures = [
        spread(f"{speed} {name}", np.concatenate(samples[speed, name]) - min(clocks[speed]), target)
        for speed, name, target in CASES
    ]
    return Result(
        name="strategy_latency",
        input=f"AMZN 2012-06-21 level 5, every frame that changed the book, {ROUNDS} rounds",
        figures=figures,
        notes=(
            f"taken away: the clock and a host whose strategy has no callback, {min(clocks['compiled']):.0f} ns "
            f"compiled, {min(clocks['interpreted']):.0f} ns interpreted"
        ),
    )


def durations(speed: str, name: str) -> np.ndarray:
    """ns of every frame that changed the book, in one backtest."""
    timed: list[native.TimedStrategies] = []

    def around(strategies: native.IntentSource) -> native.IntentSource:
        timed.append(native.TimedStrategies(strategies, SAMPLES_MAX))
        return timed[0]

    with tempfile.TemporaryDirectory() as scratch:
        settings = BacktestSettings(
            tape=amzn_tape(), strategy_file=FILE, strategy_class=name, speed=speed, out=Path(scratch) / "out"
        )
        run_backtest(settings, around=around)
    return np.frombuffer(timed[0].take(), np.uint32).astype(np.float64)


def spread(name: str, values: np.ndarray, target: float | None) -> Figure:
    """A figure of many samples."""
    low, median, p99, p999, high = np.quantile(values, [0, 0.5, 0.99, 0.999, 1])
    return Figure(name, "ns", len(values), low, median, p99, high, target=target, more={"p99.9": float(p999)})
