"""One session, one hash: `make same-hash` plays the journal of one session in every kind of build and compares.

The session is a simulated day with faults, crashes and snapshots. Each build plays its journal from the first frame,
from every snapshot and with the strategy run again at both speeds, and lives the whole day itself at both speeds.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, get_args

from rich.console import Console
from rich.table import Table
from tests.simulation import market, strategies
from tests.simulation.day import Day
from tests.simulation.faults import FAULTS, acts
from tests.simulation.plan import Event, Plan
from tests.simulation.process import RESTLESS, capacity
from tests.simulation.session import plan_of

from openbell import _native as native
from openbell.config_types import Speed
from openbell.node.assemble import binary_hash
from openbell.node.record import CapacityRecord, RunRecord, StrategyRecord
from openbell.node.snapshots import usable_snapshots
from openbell.node.verify import replay

STEPS = 6_000
SNAPSHOT_EVERY, SNAPSHOTS_LEAST = 500, 6
DAMAGE = ("snapshot is damaged", "old snapshot is back")


class End(NamedTuple):
    """The state at the end of a way through the session."""

    state_hash: str
    differs_at: int = 0
    """The first frame that was decided, or answered by a strategy, otherwise than in the journal."""


def plan_with(seed: str, speed: Speed, steps: int = STEPS) -> Plan:
    """A seed's day at one venue with a strategy that compiles, and snapshots that nobody damages."""
    drawn = plan_of(seed, steps)
    faults = [event for event in drawn.events if FAULTS[event.fault].needs != "has_rogue" and event.fault not in DAMAGE]
    every = min(SNAPSHOT_EVERY, steps // SNAPSHOTS_LEAST)
    snapshots = [Event(step, "snapshot", 0) for step in range(every, steps, every)]
    plan = replace(drawn, speed="compiled" if speed == "compiled" else "python", has_rogue=False, trades_far=False)
    return plan.with_events(tuple(sorted(faults + snapshots)))


def live(directory: Path, plan: Plan) -> End:
    """Live the whole day in `directory`; its journal, snapshots and shared memory stay there."""
    day = Day(plan, acts(), directory)
    day.run()
    day.heal()
    day.wind_down()
    day.clock.set_on_relax(lambda: None)  # a world keeps its clock, and the clock must not keep its world
    return _end(day.node.engine)


def ways(directory: Path) -> dict[str, End]:
    """Play the journal of the day in `directory` in every way this build has."""
    journal_dir, hot_dir = directory / "journal", directory / "hot"
    found = {"journal from the first frame": _play(journal_dir, hot_dir, b"")}
    for snapshot in usable_snapshots(journal_dir, hot_dir):
        found[f"journal from the snapshot at seq {snapshot.seq}"] = _play(journal_dir, hot_dir, snapshot.state)
    for speed in get_args(Speed):
        record = RunRecord(
            kind="node", capacity=CapacityRecord.of(capacity()), strategies=(_restless(speed),), hot_dir=str(hot_dir)
        )
        again = replay(journal_dir, record, run_strategies=True)
        assert again.strategy is not None and again.strategy_frames > 0
        differs_at = again.core.differs_at or again.strategy.differs_at
        found[f"strategy run again, {speed}"] = End(again.state_hash, differs_at)
    return found


def _play(journal_dir: Path, hot_dir: Path, state: bytes) -> End:
    engine = native.Engine(capacity())
    if state:
        engine.load(state)
    report = native.replay_journal(engine, str(journal_dir), str(hot_dir))
    return _end(engine, report.core_differs_at)


def _end(engine: native.Engine, differs_at: int = 0) -> End:
    return End(f"{engine.state_hash:016x}", differs_at)


def _restless(speed: Speed) -> StrategyRecord:
    return StrategyRecord.of(
        id=RESTLESS,
        name="restless",
        file=Path(strategies.__file__),
        class_name="Restless",
        params={},
        symbols=tuple(market.SYMBOLS),
        speed=speed,
    )


# ---- builds


def look(folder: Path, build: str, seed: str) -> None:
    """Go every way with this build and keep what it found in `folder`; the first build makes the session."""
    session = folder / "session"
    if not session.is_dir():
        live(session, plan_with(seed, "interpreted"))
    found = ways(session)
    for speed in get_args(Speed):
        with tempfile.TemporaryDirectory() as directory:
            found[f"the day lived, {speed}"] = live(Path(directory), plan_with(seed, speed))
    with (folder / "builds.jsonl").open("a") as out:
        print(json.dumps({"build": build, "core": binary_hash().hex()[:8], "ways": found}), file=out)


def tell(folder: Path) -> bool:
    """Print what every build found; whether all of it is the same, and no two builds are."""
    builds = [json.loads(line) for line in (folder / "builds.jsonl").read_text().splitlines()]
    table = Table("way", *(f"{one['build']} ({one['core']})" for one in builds))
    for way in builds[0]["ways"]:
        table.add_row(way, *(_cell(one["ways"].get(way)) for one in builds))
    Console(width=160).print(table)
    ends = {tuple(end) for one in builds for end in one["ways"].values()}
    is_same = len(ends) == 1 and not next(iter(ends))[1] and len({tuple(one["ways"]) for one in builds}) == 1
    cores = len({one["core"] for one in builds})
    print(f"{cores} builds, {len(builds[0]['ways'])} ways each: {'one state' if is_same else f'{len(ends)} ends'}")
    return is_same and cores == len(builds)


def _cell(end: list[object] | None) -> str:
    if end is None:
        return "none"
    state_hash, differs_at = end
    return f"{state_hash}, differs at {differs_at}" if differs_at else str(state_hash)


def main() -> int:
    """`FOLDER --build NAME` looks, `FOLDER` alone tells; 1 where anything differs."""
    parser = argparse.ArgumentParser(prog="make same-hash", description="One session in every kind of build.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--build", default="", help="what this build of the core is called")
    parser.add_argument("--seed", default="7", help="of the session")
    wanted = parser.parse_args()
    wanted.folder.mkdir(parents=True, exist_ok=True)
    if not wanted.build:
        return 0 if tell(wanted.folder) else 1
    look(wanted.folder, wanted.build, wanted.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
