"""What many runs have shown, in one file that grows: a line for each batch of seeds, read again by the next run.

A line is JSON: {"kind": "simulation", "commit", "code", "seed", "first", "seeds", "python", "failed", "cpu_s",
"seconds", "facts", "counts", "cells"}. `cells` is {fault: {state: times}}. Seeds that are in it are not run again.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bench.stamp import stamp
from tests.simulation.session import Outcome

KIND = "simulation"


@dataclass
class Evidence:
    """Sums over seeds."""

    seeds: int = 0
    with_python: int = 0
    failed: list[str] = field(default_factory=list)
    cpu_s: float = 0.0
    facts: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    cells: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, outcome: Outcome, *, is_python: bool) -> None:
        """One more seed."""
        self.seeds += 1
        self.with_python += is_python
        self.cpu_s += outcome.cpu_s
        self.facts.update(outcome.facts)
        self.counts.update(outcome.counts)
        self.cells.update(outcome.cells)
        if outcome.wrong:
            self.failed.append(outcome.seed)

    def merge(self, other: Evidence) -> None:
        """All of another one."""
        self.seeds += other.seeds
        self.with_python += other.with_python
        self.cpu_s += other.cpu_s
        self.failed += other.failed
        for mine, theirs in ((self.facts, other.facts), (self.counts, other.counts), (self.cells, other.cells)):
            mine.update(theirs)  # type: ignore[arg-type]

    def line(self, seed: str, first: int, seconds: float) -> str:
        """As it stands in the file; the seconds are those of a clock on the wall."""
        cells: dict[str, dict[str, int]] = {}
        for (fault, state), times in sorted(self.cells.items()):
            cells.setdefault(fault, {})[state] = times
        return json.dumps(
            {
                "kind": KIND,
                **stamp(),
                "seed": seed,
                "first": first,
                "seeds": self.seeds,
                "python": self.with_python,
                "failed": self.failed,
                "cpu_s": round(self.cpu_s, 3),
                "seconds": round(seconds, 3),
                "facts": dict(self.facts),
                "counts": dict(sorted(self.counts.items())),
                "cells": cells,
            }
        )


def read(path: Path, seed: str) -> tuple[Evidence, int]:
    """What the file holds, and the number of the first seed of `seed` that it does not."""
    sums, following = Evidence(), 0
    if not path.is_file():
        return sums, following
    for text in path.read_text().splitlines():
        row = json.loads(text)
        if row.get("kind") != KIND:
            continue
        cells = Counter({(fault, state): n for fault, of in row["cells"].items() for state, n in of.items()})
        sums.merge(
            Evidence(
                row["seeds"],
                row["python"],
                row["failed"],
                row["cpu_s"],
                Counter(row["facts"]),
                Counter(row["counts"]),
                cells,
            )
        )
        if row["seed"] == seed:
            following = max(following, row["first"] + row["seeds"])
    return sums, following


def append(path: Path, line: str) -> None:
    """One line more."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(line + "\n")
