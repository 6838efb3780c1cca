"""Does a strategy decide alike when it is run again? Two processes, two hash seeds, one tape.

What an interpreted class may look at by mistake (a clock, an unseeded random number, the order of a set) shows as a
frame that is decided differently.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from openbell.errors import StrategyError
from openbell.journal import open_journal
from openbell.types import Type

RUN = """
import sys
from openbell.backtest.run import BacktestSettings, run_backtest
run_backtest(BacktestSettings.model_validate_json(sys.argv[1]))
"""


@dataclass(frozen=True)
class Divergence:
    """The first frame that two runs decided differently: its seq and what each said there."""

    seq: int
    first: tuple[str, ...]
    second: tuple[str, ...]


Params = Mapping[str, bool | int | float | str]


def divergence(file: Path, class_name: str | None, tape: Path, params: Params) -> Divergence | None:
    """Run the backtest in two processes of different hash seeds; None when every decision is the same.

    Raises:
        StrategyError: a run did not end well; the message is the last line of what it said.
    """
    with tempfile.TemporaryDirectory() as scratch:
        journals = [_run(file, class_name, tape, params, Path(scratch), seed) for seed in (1, 2)]
        for one, other in zip(*map(_decisions, journals), strict=False):
            if one != other:
                return Divergence(min(one[0], other[0]), _words(one), _words(other))
    return None


def _run(file: Path, class_name: str | None, tape: Path, params: Params, scratch: Path, seed: int) -> Path:
    from openbell.backtest.run import BacktestSettings

    out = scratch / f"run{seed}"
    settings = BacktestSettings(tape=tape, strategy_file=file, strategy_class=class_name, params=dict(params), out=out)
    done = subprocess.run(
        [sys.executable, "-c", RUN, settings.model_dump_json()],
        env=os.environ | {"PYTHONHASHSEED": str(seed)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["nothing said"])[-1]
        raise StrategyError(f"{file}: expected a backtest, found exit code {done.returncode}: {last}")
    return out


Decided = tuple[int, bytes]


def _decisions(journal: Path) -> Iterator[Decided]:
    """Every decision, then an end that no frame equals."""
    for frame in open_journal(journal):
        if frame.is_decision:
            yield frame.cause_seq, bytes(frame.raw)
    yield sys.maxsize, b""


def _words(decided: Decided) -> tuple[str, ...]:
    raw = decided[1]
    return tuple(Type(raw[at]).name for at in range(0, len(raw), 128) if raw[at] != Type.HASH)
