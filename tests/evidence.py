"""What has been shown of durability so far, what is missing, and some of it now: `make evidence MINUTES=30`.

Each campaign is a command of its own that goes on where its file ends, so the evidence adds up over runs. A file
belongs to one commit of the core or to several: what was found wrong stays in it until somebody removes the line.
Exit code 0: complete; 1: something was found wrong; 2: some of it is still missing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from tests.bugs.patches import all_bugs

REPO = Path(__file__).resolve().parents[1]
Rows = list[dict[str, Any]]
STATES_MIN = 8
"""Of a node, in each of which a fault of the simulation has to have happened."""
PYTHON_SHARE_MIN = 0.2
SIM_SEEDS_PER_S, KILLS_PER_S = 8.0, 0.5
"""Least that two cores do; only the size of a bite depends on it."""


@dataclass(frozen=True)
class Campaign:
    """One kind of evidence: how much is wanted, how a file's rows count, and the command that makes more."""

    name: str
    unit: str
    wanted: float
    count: Callable[[Rows], float]
    wrong: Callable[[Rows], Sequence[str]]
    command: Callable[[float, float, Path], list[str]]
    """(there already, seconds, file) -> arguments of Python."""

    path: str = ""
    """Of the rows, where the command chooses it; otherwise the campaign's name."""

    @property
    def file(self) -> Path:
        """Where its rows lie."""
        return REPO / "run/evidence" / (self.path or f"{self.name}.jsonl")

    def rows(self) -> Rows:
        """What the file holds."""
        if not self.file.is_file():
            return []
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def run(self, seconds: float) -> None:
        """Make more for about so long; what it says goes to the terminal."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        arguments = self.command(self.count(self.rows()), seconds, self.file)
        subprocess.run([sys.executable, "-m", *arguments], cwd=REPO, check=False)


def _simulated(there: float, seconds: float, file: Path) -> list[str]:
    seeds = int(min(CAMPAIGNS["simulation"].wanted - there, max(50.0, seconds * SIM_SEEDS_PER_S * 4)))
    return [
        "tests.simulation",
        f"--seeds={seeds}",
        f"--budget-seconds={seconds:.0f}",
        f"--evidence={file}",
        "--no-table",
    ]


def _imaged(_: float, seconds: float, file: Path) -> list[str]:
    return [
        "tests.journal.crash.images",
        "--scenarios=1000000",
        f"--budget-seconds={seconds:.0f}",
        f"--evidence={file}",
    ]


def _killed(there: float, seconds: float, file: Path) -> list[str]:
    kills = int(min(CAMPAIGNS["kills"].wanted, there + max(1.0, seconds * KILLS_PER_S)))
    return ["tests.chaos.kills", f"--kills={kills}", f"--evidence={file}"]


def _planted(_: float, __: float, file: Path) -> list[str]:
    return ["tests.bugs", f"--folder={file.parent}"]


def _soaked(_: float, __: float, file: Path) -> list[str]:
    return ["bench.soak", f"--hours={CAMPAIGNS['soak'].wanted}", f"--evidence={file}"]


def simulation_faults(rows: Rows) -> list[str]:
    """Seeds that failed, faults that met too few states, and too few Python strategies."""
    out = [f"seed {seed} failed" for row in rows for seed in row["failed"]]
    states: dict[str, set[str]] = {}
    for row in rows:
        for fault, cells in row["cells"].items():
            states.setdefault(fault, set()).update(state for state, times in cells.items() if times)
    few = sorted(fault for fault, met in states.items() if len(met) < STATES_MIN)
    out += [f"{fault}: in {len(states[fault])} states of a node, expected {STATES_MIN}" for fault in few]
    python, seeds = sum(row["python"] for row in rows), sum(row["seeds"] for row in rows)
    if python < PYTHON_SHARE_MIN * seeds:
        out.append(f"{python} of {seeds} seeds had a Python strategy, expected {PYTHON_SHARE_MIN:.0%}")
    return out


CAMPAIGNS = {
    one.name: one
    for one in (
        Campaign(
            "simulation",
            "seeds",
            20_000,
            lambda rows: sum(row["seeds"] for row in rows),
            simulation_faults,
            _simulated,
        ),
        Campaign(
            "images",
            "images of a power cut",
            20_000,
            lambda rows: sum(row["images"] for row in rows),
            lambda rows: [violation for row in rows for violation in row["violations"]],
            _imaged,
        ),
        Campaign(
            "bugs",
            "planted defects found",
            len(all_bugs()),
            lambda rows: len({row["name"] for row in rows}),
            lambda _: [],
            _planted,
            "bugs/found.jsonl",
        ),
        Campaign("kills", "kills of real processes", 2_000, len, lambda _: [], _killed),
        Campaign(
            "soak",
            "hours of a node",
            2.0,
            lambda rows: rows[-1]["hours"] if rows else 0.0,
            lambda _: [],
            _soaked,
        ),
    )
}


def report(console: Console) -> int:
    """Print what is there, wrong and missing; the exit code."""
    table = Table(title="evidence")
    for column in ("campaign", "there", "wanted", "missing", "wrong"):
        table.add_column(column, justify="left" if column == "campaign" else "right")
    found: Counter[str] = Counter()
    for campaign in CAMPAIGNS.values():
        rows = campaign.rows()
        there, wrong = campaign.count(rows), campaign.wrong(rows)
        missing = max(0.0, campaign.wanted - there)
        found["wrong"] += len(wrong)
        found["missing"] += missing > 0
        shown = (f"{value:,.4g}" if value < 10 else f"{value:,.0f}" for value in (there, campaign.wanted, missing))
        table.add_row(f"{campaign.name}: {campaign.unit}", *shown, str(len(wrong)))
        for line in wrong:
            console.print(f"[red]{campaign.name}: {line}[/red]")
    console.print(table)
    return 1 if found["wrong"] else 2 if found["missing"] else 0


def main() -> int:
    """Gather for some minutes, then say what is still missing."""
    parser = argparse.ArgumentParser(prog="make evidence", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=0.0, help="0: only say what is there")
    parser.add_argument("--only", choices=sorted(CAMPAIGNS), help="one campaign")
    asked = parser.parse_args()
    chosen = [CAMPAIGNS[asked.only]] if asked.only else [c for c in CAMPAIGNS.values() if c.name != "soak"]
    give_up = time.monotonic() + asked.minutes * 60
    while asked.minutes and (seconds := give_up - time.monotonic()) > 0:
        short = [c for c in chosen if c.count(c.rows()) < c.wanted]
        if not short:
            break
        before = [c.count(c.rows()) for c in short]
        for campaign in short:
            campaign.run(max(1.0, seconds / len(short)))
        if before == [c.count(c.rows()) for c in short]:
            break  # nothing is added any more; the reason stands above
    return report(Console())


if __name__ == "__main__":
    sys.exit(main())
