"""Whole nodes under many seeds: `make sim ARGS="--seeds 2000 --seed 7"`.

Every seed is a day of its own: a configuration, a market and a swarm of faults. The run ends with a table of each fault
in each state of the node. A seed that fails is made small and printed with the command that runs it again.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.simulation import evidence as e
from tests.simulation import table
from tests.simulation.discipline import fix_hashes
from tests.simulation.faults import load
from tests.simulation.minimise import minimise
from tests.simulation.plan import STEPS, Plan
from tests.simulation.session import SECOND_RUN, Outcome, plan_of, play, play_twice

BATCH = 50
"""Seeds whose results are written together."""
TWICE_EVERY = 20
"""Of so many seeds one is run twice, and must end with the same hash."""
MINIMISE_S = 60.0


def run_seed(seed: str, steps: int, is_twice: bool) -> tuple[Outcome, bool]:
    """A seed's outcome, and whether Python was in the loop."""
    plan = plan_of(seed, steps)
    outcome = play_twice(plan) if is_twice else play(plan)
    return outcome, plan.speed == "python"


def options() -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(prog="make sim", description="Whole nodes under many seeds.")
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--first", type=int, default=None, help="number of the first; else what evidence lacks")
    parser.add_argument("--seed", default="7", help="what all of them begin with")
    parser.add_argument("--steps", type=int, default=STEPS, help="of a day")
    parser.add_argument("--budget-seconds", type=float, default=0.0, help="end after so long; 0: after all seeds")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--evidence", type=Path, help="a file that grows with every run")
    parser.add_argument("--only", default=None, help="kinds of faults, by comma: the others do not happen")
    parser.add_argument("--events", default=None, help="numbers of its events, by comma: the others do not happen")
    parser.add_argument("--no-table", action="store_true")
    parser.add_argument("--no-minimise", action="store_true", help="only name the seed that fails")
    parser.add_argument("--batch", type=int, default=BATCH, help="seeds whose results are written together")
    return parser.parse_args()


def main() -> int:
    """Run the seeds; 1 if one failed."""
    fix_hashes()
    wanted = options()
    load()
    if wanted.only is not None or wanted.events is not None:
        return run_again(wanted)
    sums, following = e.read(wanted.evidence, wanted.seed) if wanted.evidence else (e.Evidence(), 0)
    first = following if wanted.first is None else wanted.first
    began, here = time.monotonic(), e.Evidence()
    failure: Outcome | None = None
    with ProcessPoolExecutor(wanted.processes) as pool:
        for start in range(first, first + wanted.seeds, wanted.batch):
            numbers = range(start, min(start + wanted.batch, first + wanted.seeds))
            if wanted.budget_seconds and time.monotonic() - began > wanted.budget_seconds:
                break
            batch, batch_began = e.Evidence(), time.monotonic()
            names = [f"{wanted.seed}-{n}" for n in numbers]
            twice = [n % TWICE_EVERY == 0 for n in numbers]
            for outcome, is_python in pool.map(run_seed, names, [wanted.steps] * len(names), twice, chunksize=5):
                batch.add(outcome, is_python=is_python)
                if outcome.wrong:
                    print(f"seed {outcome.seed}: {outcome.wrong}", flush=True)
                    failure = failure or outcome
            here.merge(batch)
            if wanted.evidence:
                e.append(wanted.evidence, batch.line(wanted.seed, start, time.monotonic() - batch_began))
            if failure:
                break
    sums.merge(here)
    tell(sums, here, time.monotonic() - began, with_table=not wanted.no_table)
    if failure and not wanted.no_minimise:
        explain(failure, wanted)
    return 1 if failure else 0


def tell(sums: e.Evidence, here: e.Evidence, seconds: float, *, with_table: bool) -> None:
    """What was done, in all and now."""
    if with_table:
        print(table.matrix(sums.counts, sums.cells))
        for line in table.missing(sums.cells):
            print(f"too few states: {line}")
        print(f"{table.zeros(sums.cells)} cells are zero")
    facts = ", ".join(f"{name} {value:,}" for name, value in sums.facts.items())
    share = 100 * sums.with_python // max(1, sums.seeds)
    print(f"{sums.seeds:,} seeds, {share} % with Python strategies, {len(sums.failed)} failed; {facts}")
    each = 1_000 * here.cpu_s / max(1, here.seeds)
    print(f"now: {here.seeds:,} seeds in {seconds:.0f} s, {each:.0f} ms of CPU each")


def explain(failure: Outcome, wanted: argparse.Namespace) -> None:
    """The smallest run that fails, and how to have it again."""
    plan = plan_of(failure.seed, wanted.steps)
    numbers = {event: n for n, event in enumerate(plan.events)}
    run = play_twice if kind_of(failure.wrong) == kind_of(SECOND_RUN) else play
    small = minimise(plan, lambda p: kind_of(run(p).wrong) == kind_of(failure.wrong), MINIMISE_S)
    prefix, _, number = failure.seed.rpartition("-")
    chosen = ",".join(str(numbers[event]) for event in small.events)
    print(f"smallest: {len(small.events)} of {len(plan.events)} events in {small.steps} steps: {run(small).wrong}")
    for event in small.events:
        print(f"  step {event.step}: {event.fault}")
    print(f"again: make sim ARGS=\"--seed {prefix} --first {number} --steps {small.steps} --events '{chosen}'\"")


def kind_of(wrong: str) -> str:
    """What was broken, without numbers and places: a smaller run must break the same."""
    return re.sub(r"[^A-Za-z ]", "", wrong)[:40]


def chosen_plan(wanted: argparse.Namespace) -> Plan:
    """One seed's plan with some of its events. Numbers are those of a day of full length."""
    whole = plan_of(f"{wanted.seed}-{wanted.first or 0}", STEPS)
    events = whole.events
    if wanted.events is not None:
        events = tuple(events[int(n)] for n in wanted.events.split(",") if n)
    if wanted.only is not None:
        events = tuple(event for event in events if event.fault in wanted.only.split(","))
    return whole.with_events(events).shortened(wanted.steps)


def run_again(wanted: argparse.Namespace) -> int:
    """One plan; 1 if it fails."""
    plan = chosen_plan(wanted)
    outcome = play(plan)
    for event in plan.events:
        print(f"step {event.step}: {event.fault}")
    print(outcome.wrong or f"clean, state {outcome.state_hash:x}, {outcome.facts}")
    return int(bool(outcome.wrong))


if __name__ == "__main__":
    sys.exit(main())
