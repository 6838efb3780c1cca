"""The campaigns: how much of each is wanted, how rows count, what in them is wrong or falls short, what makes more."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tests.bugs.bench import CONTROL
from tests.bugs.patches import all_bugs
from tests.evidence import making
from tests.simulation.faults import FAULTS, load

from chaos.desk_faults import KINDS
from journal.crash.nth import LOOPS

Row = dict[str, Any]
Rows = Sequence[Row]
STATES_MIN = 8
"""Of a node, in each of which a fault of the simulation has to have happened."""
PYTHON_SHARE_MIN = 0.2
CI_SEEDS, CI_SECONDS = 2_000, 300.0
CANCEL_ONLY_S, RECONCILED_S, TAKE_OVER_S, COLD_REPLAY_S = 2.0, 10.0, 1.0, 30.0
RACES_OF_EACH = 20
BUILDS = ("debug", "release", "sanitizers")
FUZZ_RUNS, READER_RUNS, STRESS_ROUNDS = 1_000_000, 100_000, 1_000_000
BENCHES = ("journal", "journal_peers", "recovery")
COLD = "frames, no snapshot"


class Line(NamedTuple):
    """A promise to show."""

    name: str
    says: str


SEEDS = Line("seeds", "20 000 simulated days, a fifth with Python, each fault in 8 states, 2 000 within 5 minutes")
BUGS = Line("planted defects", "all of them found, by a bench that finds nothing where nothing is planted")
CRASHES = Line("crashes", "20 000 images of a power cut, 2 000 kills of real processes with local durability")
RACES = Line("races", "500 sessions under faults of a real exchange's own desk end with its books, each fault 20 times")
RESTARTS = Line("restarts", "CANCEL_ONLY in 2 s, reconciled in 10 s, a million records on; 10 million cold in 30 s")
TAKE_OVER = Line("take-over", "by the standby, p99 of 1 s to CANCEL_ONLY, no order twice")
ONE_STATE = Line("one state", "the same journal and hash in debug, release and sanitizer builds")
SOAK = Line("soak", "two hours at 50 000 messages a second, nothing grows")
FIGURES = Line("figures", "append, group commit, sync beside bare fdatasync, replay, SQLite, LMDB")
ROBUST = Line("robust", "each n-th call fails, any bytes are read, sanitizers and threads without a finding")


def nothing(_: Rows) -> list[str]:
    """There is nothing else to ask of these rows."""
    return []


@dataclass(frozen=True)
class Campaign:
    """One kind of evidence."""

    line: Line
    name: str
    unit: str
    wanted: float
    is_row: Callable[[Row], bool]
    key: Callable[[Row], Hashable]
    """What a row is about: shown twice it counts once, as it was shown last."""

    count: Callable[[Rows], float]
    wrong: Callable[[Rows], list[str]]
    """Violations: one of them is enough."""

    run: making.Run
    short: Callable[[Rows], list[str]] = nothing
    """What is asked of the rows as a whole, and not reached yet."""

    is_long: bool = False
    """Builds something, or takes hours: only when it is asked for by name."""

    @property
    def file_name(self) -> str:
        """Where its rows go."""
        return f"{self.name.replace(' ', '-')}.jsonl"


def rows_in(folder: Path) -> list[Row]:
    """All that was ever written there, file by file."""
    return [json.loads(text) for path in sorted(folder.glob("*.jsonl")) for text in path.read_text().splitlines()]


def of_kind(kind: str, **facts: object) -> Callable[[Row], bool]:
    """Rows of a kind, with these facts."""
    return lambda row: row.get("kind") == kind and all(row.get(name) == value for name, value in facts.items())


def of(*names: str) -> Callable[[Row], Hashable]:
    """These fields of a row say what it is about."""
    return lambda row: tuple(row.get(name) for name in names)


def total(name: str) -> Callable[[Rows], float]:
    """The sum of a field."""
    return lambda rows: sum(row.get(name, 0) for row in rows)


def told(name: str) -> Callable[[Rows], list[str]]:
    """What rows say themselves of what was wrong: a list, or one text."""

    def found(rows: Rows) -> list[str]:
        values = [row.get(name) or [] for row in rows]
        return [text for value in values for text in ([value] if isinstance(value, str) else value)]

    return found


def failed_command(rows: Rows) -> list[str]:
    """Commands that did not end with 0."""
    return [f"{row['command']}: exit code {row['exit']}: {row['said']}" for row in rows if row["exit"] != 0]


def passed(name: str) -> Callable[[Rows], float]:
    """The sum of a field, over commands that ended with 0."""
    return lambda rows: sum(row.get(name, 0) for row in rows if row["exit"] == 0)


def p99(rows: Rows, name: str) -> float:
    """Of the rows that have the field."""
    values = sorted(row[name] for row in rows if name in row)
    return values[min(len(values) - 1, int(len(values) * 0.99))] if values else 0.0


def within(what: str, name: str, limit: float) -> Callable[[Rows], list[str]]:
    """The 99th percentile of a duration."""

    def found(rows: Rows) -> list[str]:
        value = p99(rows, name)
        return [f"{what}: expected p99 within {limit:g} s, found {value:.3g}"] if value > limit else []

    return found


def both(*checks: Callable[[Rows], list[str]]) -> Callable[[Rows], list[str]]:
    """All that several checks find."""
    return lambda rows: [text for check in checks for text in check(rows)]


# ---- the simulation


def failed_seeds(rows: Rows) -> list[str]:
    """Seeds that broke a promise."""
    return [f"seed {seed} failed" for row in rows for seed in row["failed"]]


def few_states(rows: Rows) -> list[str]:
    """Faults that met too few states of a node, too few Python strategies, too slow."""
    load()
    states: dict[str, set[str]] = {fault: set() for fault in FAULTS} if rows else {}
    for row in rows:
        for fault, cells in row["cells"].items():
            states.setdefault(fault, set()).update(state for state, times in cells.items() if times)
    few = sorted(fault for fault, met in states.items() if len(met) < STATES_MIN)
    out = [f"{fault}: in {len(states[fault])} states of a node, expected {STATES_MIN}" for fault in few]
    python, seeds = total("python")(rows), total("seeds")(rows)
    if python < PYTHON_SHARE_MIN * seeds:
        out.append(f"{python:.0f} of {seeds:.0f} seeds had a Python strategy, expected {PYTHON_SHARE_MIN:.0%}")
    if timed := sorted(row["seconds"] / row["seeds"] for row in rows if row.get("seconds")):
        seconds = CI_SEEDS * timed[len(timed) // 2]
        if seconds > CI_SECONDS:
            out.append(f"{CI_SEEDS:,} seeds: expected within {CI_SECONDS:.0f} s, at this rate {seconds:.0f}")
    return out


# ---- others


def few_races(rows: Rows) -> list[str]:
    """Faults of the exchange's desk that hardly ever happened."""
    happened = {name: sum(row.get("faults", {}).get(name, 0) for row in rows) for name in KINDS}
    few = [name for name, times in happened.items() if times < RACES_OF_EACH] if rows else []
    return [f"{name}: {happened[name]} times, expected {RACES_OF_EACH}" for name in few]


def found_defects(rows: Rows) -> float:
    """Defects that are planted today and were found."""
    return len({row["name"] for row in rows} & {bug.name for bug in all_bugs()})


def no_control(rows: Rows) -> list[str]:
    """A defect says nothing where the tree without it was not clean under the same budget."""
    controls = [row for row in rows if row["name"] == CONTROL]
    return [] if controls or not rows else ["no run of the tree without a defect, under the same seeds and tests"]


def red_control(rows: Rows) -> list[str]:
    """The tree without a defect was found to have one."""
    return [f"without a defect: {row['what']}" for row in rows if row["name"] == CONTROL and row["by"]]


def flat_hours(rows: Rows) -> float:
    """The longest run without a problem: hours of several do not add up."""
    return max((row["hours"] for row in rows if not row["problems"]), default=0.0)


def builds_of_one_state(rows: Rows) -> float:
    """Builds that ended where all others did."""
    return max((len(set(row["builds"]) & set(BUILDS)) for row in rows if row["exit"] == 0), default=0)


def least_of(names: Iterable[str], each: float) -> Callable[[Rows], float]:
    """A sum over several targets, each counted up to what is wanted of it."""

    def count(rows: Rows) -> float:
        done = [sum(row["runs"] for row in rows if row["target"] == name and row["exit"] == 0) for name in names]
        return sum(min(each, n) for n in done)

    return count


def cold_replays(rows: Rows) -> list[dict[str, Any]]:
    """The figures of replays of a whole journal."""
    return [figure for row in rows for name, figure in row["figures"].items() if COLD in name]


def slow_cold_replay(rows: Rows) -> list[str]:
    """A replay of ten million records that takes too long."""
    slow = [figure["median"] for figure in cold_replays(rows) if figure["median"] > COLD_REPLAY_S]
    return [f"cold replay: expected within {COLD_REPLAY_S:g} s, found {value:.3g}" for value in slow]


fast_restart = both(
    within("to CANCEL_ONLY", "cancel_only_s", CANCEL_ONLY_S), within("to reconciled", "reconciled_s", RECONCILED_S)
)
is_kill = of_kind("kill", standby=False, behind=0)
violated = told("violation")

CAMPAIGNS = (
    Campaign(
        SEEDS,
        "simulation",
        "seeds",
        20_000,
        of_kind("simulation"),
        of("seed", "first"),
        total("seeds"),
        failed_seeds,
        making.simulate,
        few_states,
    ),
    Campaign(
        BUGS,
        "bugs",
        "planted defects found",
        len(all_bugs()),
        of_kind("bug"),
        of("name"),
        found_defects,
        red_control,
        making.plant,
        no_control,
    ),
    Campaign(
        CRASHES,
        "images",
        "images of a power cut",
        20_000,
        of_kind("images"),
        of("seed", "scenario"),
        total("images"),
        told("violations"),
        making.cut_power,
    ),
    Campaign(CRASHES, "kills", "kills", 2_000, is_kill, of("seed", "kill"), len, violated, making.kill, fast_restart),
    Campaign(
        RACES,
        "races",
        "sessions",
        500,
        of_kind("races"),
        of("seed", "session"),
        lambda rows: sum("agreed_s" in row for row in rows),
        violated,
        making.race,
        few_races,
    ),
    Campaign(
        RESTARTS,
        "restarts",
        "restarts a million records on",
        20,
        of_kind("kill", standby=False, behind=making.MILLION),
        of("seed", "kill"),
        lambda rows: sum("reconciled_s" in row for row in rows),
        violated,
        making.kill_behind,
        fast_restart,
    ),
    Campaign(
        RESTARTS,
        "cold replay",
        "replays of 10 million records",
        1,
        of_kind("bench", name="recovery"),
        of("name"),
        lambda rows: len(cold_replays(rows)),
        nothing,
        making.bench("recovery"),
        slow_cold_replay,
        is_long=True,
    ),
    Campaign(
        TAKE_OVER,
        "take-over",
        "take-overs",
        100,
        of_kind("kill", standby=True),
        of("seed", "kill"),
        len,
        violated,
        making.kill_with_standby,
        within("to CANCEL_ONLY", "cancel_only_s", TAKE_OVER_S),
    ),
    Campaign(
        ONE_STATE,
        "same hash",
        "builds that agree",
        len(BUILDS),
        of_kind("same-hash"),
        of("seed"),
        builds_of_one_state,
        failed_command,
        making.same_hash,
        is_long=True,
    ),
    Campaign(
        SOAK,
        "soak",
        "hours of a node without a problem",
        2.0,
        of_kind("soak"),
        of("commit", "seed", "hours"),
        flat_hours,
        told("problems"),
        making.soak,
        is_long=True,
    ),
    Campaign(
        FIGURES,
        "benchmarks",
        "files of bench/",
        len(BENCHES),
        lambda row: of_kind("bench")(row) and row["name"] in BENCHES,
        of("name"),
        lambda rows: len({row["name"] for row in rows}),
        nothing,
        making.bench(*BENCHES),
        is_long=True,
    ),
    Campaign(
        ROBUST,
        "nth",
        "loops in which every call fails once",
        len(LOOPS),
        of_kind("nth", every=1),
        of("loop", "seed"),
        lambda rows: len({row["loop"] for row in rows}),
        told("wrong"),
        making.fail_calls,
    ),
    Campaign(
        ROBUST,
        "fuzz",
        "runs over segments, with sanitizers",
        FUZZ_RUNS,
        of_kind("fuzz"),
        of("target", "seed"),
        least_of(["journal"], FUZZ_RUNS),
        failed_command,
        making.fuzz,
        is_long=True,
    ),
    Campaign(
        ROBUST,
        "readers",
        "runs over snapshots, states, records, configurations",
        READER_RUNS * len(making.READERS),
        of_kind("readers"),
        of("target", "seed"),
        least_of(making.READERS, READER_RUNS),
        failed_command,
        making.read_anything,
    ),
    Campaign(
        ROBUST,
        "stress",
        "rounds under the thread sanitizer",
        STRESS_ROUNDS,
        of_kind("stress"),
        of("seed"),
        passed("rounds"),
        failed_command,
        making.stress,
    ),
    Campaign(
        ROBUST,
        "sanitizers",
        "passes of the rooms of the core",
        1,
        of_kind("sanitizers"),
        of("seed"),
        lambda rows: sum(row["exit"] == 0 for row in rows),
        failed_command,
        making.sanitize,
        is_long=True,
    ),
)
