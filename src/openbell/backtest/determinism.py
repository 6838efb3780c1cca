"""Does a strategy decide alike when it is run again? A backtest, and a replay of it in another process.

What an interpreted class may look at by mistake (a clock, an unseeded random number, the order of a set) shows as a
frame that is decided differently: the two processes have different hash seeds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from openbell.errors import StrategyError
from openbell.node.verify import Finding

RUN = """
import sys
from openbell.backtest.run import BacktestSettings, run_backtest
run_backtest(BacktestSettings.model_validate_json(sys.argv[1]))
"""
AGAIN = """
import dataclasses, json, pathlib, sys
from openbell.node.record import read_record
from openbell.node.verify import replay
journal = pathlib.Path(sys.argv[1])
print(json.dumps(dataclasses.asdict(replay(journal, read_record(journal), run_strategies=True).strategy)))
"""
Params = Mapping[str, bool | int | float | str]


def run_twice(file: Path, class_name: str | None, tape: Path, params: Params) -> Finding:
    """Where the second run decided differently first, and what; seq 0: nowhere.

    Raises:
        StrategyError: a run did not end well; the message is the last line of what it said.
    """
    from openbell.backtest.run import BacktestSettings

    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "run"
        settings = BacktestSettings(
            tape=tape, strategy_file=file, strategy_class=class_name, params=dict(params), out=out
        )
        _run(file, RUN, settings.model_dump_json(), hash_seed=1)
        return Finding(**json.loads(_run(file, AGAIN, str(out), hash_seed=2)))


def _run(file: Path, script: str, argument: str, *, hash_seed: int) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script, argument],
        env=os.environ | {"PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["nothing said"])[-1]
        raise StrategyError(f"{file}: expected a backtest, found exit code {done.returncode}: {last}")
    return done.stdout
