"""From the start of a process to the end of a first batch of events: Python, code compiled anew, from the cache."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from bench.amzn import amzn_tape
from bench.harness import REPO, Result, samples

REPETITIONS = 5
MARKET_MAKER = REPO / "strategies/market_maker.py"
FIRST_EVENTS = """
import sys
from pathlib import Path
from openbell.backtest.run import BacktestSettings, run_backtest
tape, strategy, speed, out = sys.argv[1:]
settings = BacktestSettings(tape=Path(tape), strategy_file=Path(strategy), speed=speed, out=Path(out))
run_backtest(settings, should_stop=lambda: True)
"""


def run() -> Result:
    """Time whole processes; each ends after the first 50,000 events of the tape."""
    tape = amzn_tape()
    with tempfile.TemporaryDirectory() as scratch:
        interpreted = [start(tape, "interpreted", Path(scratch)) for _ in range(REPETITIONS)]
        anew = [start(tape, "compiled", Path(scratch) / str(number)) for number in range(REPETITIONS)]
        again = [start(tape, "compiled", Path(scratch) / "0") for _ in range(REPETITIONS)]
    return Result(
        name="strategy_start",
        input="the shipped market maker, AMZN 2012-06-21 level 5, first 50_000 events",
        figures=[
            samples("interpreted", "s", interpreted, target=1.0),
            samples("compiled, empty cache", "s", anew, target=3.0),
            samples("compiled, from the cache", "s", again, target=1.5),
        ],
        notes="wall time of a process of its own, interpreter start and 0.1 s of events included",
    )


def start(tape: Path, speed: str, scratch: Path) -> float:
    """Seconds of one process whose cache of machine code lies in `scratch`."""
    arguments = [str(tape), str(MARKET_MAKER), speed, str(scratch / "out")]
    environment = os.environ | {"OPENBELL_CACHE": str(scratch / "cache")}
    began = perf_counter()
    subprocess.run([sys.executable, "-c", FIRST_EVENTS, *arguments], check=True, env=environment)
    return perf_counter() - began
