"""What makes more evidence: a command each, that goes on where its rows end or begins with a new seed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from bench.stamp import REPO, stamp

MILLION = 1_000_000
SIM_SEEDS_PER_S, KILLS_PER_S, RACES_PER_S, READS_PER_S, ROUNDS_PER_S = 8.0, 0.5, 0.3, 500.0, 2_000.0
"""Least that two cores do; only the size of a bite depends on it."""
READERS = ("state", "snapshot", "record", "node.toml", "limits.toml")
SAID_LINES = 3


class Ask(NamedTuple):
    """What is missing, how long it may take, and where rows go."""

    missing: float
    seconds: float
    file: Path

    @property
    def lines(self) -> int:
        """Rows that the file has, of whatever code."""
        return len(self.file.read_text().splitlines()) if self.file.is_file() else 0

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The same, read."""
        return [json.loads(text) for text in self.file.read_text().splitlines()] if self.file.is_file() else []

    def bite(self, per_s: float, least: float = 1.0) -> int:
        """So many now."""
        return int(min(self.missing, max(least, self.seconds * per_s)))


Run = Callable[[Ask], None]


def simulate(ask: Ask) -> None:
    """The next seeds."""
    seeds = ask.bite(SIM_SEEDS_PER_S * 4, 50)
    _module("tests.simulation", f"--seeds={seeds}", f"--budget-seconds={ask.seconds:.0f}", "--no-table", _to(ask))


def cut_power(ask: Ask) -> None:
    """The next scenarios."""
    _module("journal.crash.images", "--scenarios=1000000", f"--budget-seconds={ask.seconds:.0f}", _to(ask))


def plant(ask: Ask) -> None:
    """Every defect that was not found at this commit, and the control run."""
    _module("tests.bugs", f"--folder={REPO / 'build/bugs'}", _to(ask))


def kill(ask: Ask) -> None:
    """The next kills of a node under load, or of one of its helpers."""
    _module("tests.chaos.kills", f"--kills={ask.lines + ask.bite(KILLS_PER_S)}", _to(ask))


def kill_behind(ask: Ask) -> None:
    """The same, a million records after the last snapshot."""
    kills = ask.lines + ask.bite(KILLS_PER_S / 10)
    _module("tests.chaos.kills", f"--kills={kills}", f"--behind={MILLION}", _to(ask))


def kill_with_standby(ask: Ask) -> None:
    """The same, with a standby that takes over."""
    _module("tests.chaos.kills", f"--kills={ask.lines + ask.bite(KILLS_PER_S)}", "--standby", _to(ask))


def race(ask: Ask) -> None:
    """The next sessions under faults of the exchange."""
    _module("tests.chaos.races", f"--sessions={ask.lines + ask.bite(RACES_PER_S, 2)}", _to(ask))


def soak(ask: Ask) -> None:
    """The whole of it, however long it was asked for."""
    runs = len([*ask.file.parent.glob("soak*.jsonl")])
    _module("bench.soak", "--hours=2", f"--evidence={ask.file.with_name(f'soak{runs}.jsonl')}")


def fail_calls(ask: Ask) -> None:
    """The loops that have not been gone through at this code."""
    _module("journal.crash.nth", "--every=1", f"--budget-seconds={ask.seconds:.0f}", _to(ask))


def bench(*names: str) -> Run:
    """Files of bench/, each a row."""

    def run(ask: Ask) -> None:
        for name in names:
            _module("bench", name)
            result = json.loads((REPO / f"bench/results/{name}.json").read_text())
            figures = {figure["name"]: figure for figure in result["figures"]}
            _append(ask.file, {"kind": "bench", "name": name, "figures": figures, "machine": result["machine"]})

    return run


def same_hash(ask: Ask) -> None:
    """One session in every kind of build, which are built first."""
    seed = 7 + ask.lines
    row = _command("same-hash", "make", "same-hash", f"ARGS=--seed {seed}")
    found = REPO / "build/same-hash/builds.jsonl"
    builds = [json.loads(text)["build"] for text in found.read_text().splitlines()] if found.is_file() else []
    _append(ask.file, row | {"seed": seed, "builds": builds})


def fuzz(ask: Ask) -> None:
    """Segments of a journal."""
    seed, runs = 7 + ask.lines, int(ask.missing)
    row = _command("fuzz", "make", "fuzz", f"ARGS=--runs {runs} --seed {seed}", "TARGETS=journal")
    _append(ask.file, row | {"target": "journal", "seed": seed, "runs": runs})


def read_anything(ask: Ask) -> None:
    """Each reader a part of the time."""
    here = stamp()["code"]
    for number, target in enumerate(READERS):
        done = sum(row["runs"] for row in ask.rows if row["target"] == target and row["code"] == here)
        runs, seed = int(ask.seconds * READS_PER_S / len(READERS)), str(ask.lines + number)
        if done * len(READERS) < done + ask.missing:  # those that have least first
            words = ("--runs", str(runs), "--seed", seed, "--targets", target)
            row = _command("readers", sys.executable, "-m", "journal.crash.readers", *words)
            _append(ask.file, row | {"target": target, "seed": seed, "runs": runs})


def stress(ask: Ask) -> None:
    """Threads on both sides, under another seed each time."""
    seed, rounds = 7 + ask.lines, ask.bite(ROUNDS_PER_S, 10_000)
    row = _command("stress", "make", "stress", f"ARGS=--rounds {rounds} --seed {seed}")
    _append(ask.file, row | {"seed": seed, "rounds": rounds})


def sanitize(ask: Ask) -> None:
    """The rooms of the native core under the address and undefined-behaviour sanitizers, built first."""
    _append(ask.file, _command("sanitizers", "make", "sanitize") | {"seed": ask.lines})


def _to(ask: Ask) -> str:
    return f"--evidence={ask.file}"


def _module(*words: str) -> None:
    """What it says goes to the terminal; its rows say how it ended."""
    subprocess.run([sys.executable, "-m", *words], cwd=REPO, check=False)


def _command(kind: str, *words: str) -> dict[str, Any]:
    """A command that ends with yes or no, as a row."""
    began = time.monotonic()
    done = subprocess.run(words, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    said = done.stdout.strip().splitlines()[-SAID_LINES:]
    print("\n".join(said), flush=True)
    facts = {"exit": done.returncode, "said": " / ".join(said), "seconds": round(time.monotonic() - began, 1)}
    return {"kind": kind, "command": " ".join(words[-4:]), **facts, "load": os.getloadavg()[0]}


def _append(file: Path, row: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as out:
        print(json.dumps(row | stamp()), file=out)
