"""kill -9 of real processes under load, again and again; after each the books are the venue's to the last cent.

    make kills ARGS="--kills 2000 --seed 1 --evidence FILE"

An exchange with a journal, a node that trades on it, its archiver and its snapshots are processes; durability is
`local`. Who is killed, and after how many frames, follows from the seed. Each kill is a line of the evidence at once: a
run that is begun again with the same file goes on where it was. Exit code 1: something was lost, doubled or not
explained; that is a line, too.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.stamp import stamp

from chaos.audit import Audit
from chaos.world import World, wait_for
from openbell import events
from openbell.ops.control.world import push_record

REPO = Path(__file__).resolve().parents[2]
KILLS_OF_A_WORLD = 200
"""Then exchange and node begin anew, so that a long run is many days and not an endless one. One of a world that falls
behind: what it has to catch up with would grow from kill to kill."""
HELPERS = ("archiver", "snapshots", "exchange")
VICTIMS = ("node",) * 14 + HELPERS + tuple(f"{helper} and node" for helper in HELPERS)
FRAMES_BETWEEN = (5, 600)
AGREE_WITHIN_S = 60.0
NUDGE_EVERY_S = 0.05
FIGURES = {
    "start (standby: kill) to epoch open": ("epoch_s", None),
    "start (standby: kill) to cancels can leave": ("cancel_only_s", 2.0),
    "start (standby: kill) to books equal to the venue's": ("reconciled_s", 10.0),
}


def main() -> int:
    """Run the campaign; 1 when something was wrong."""
    parser = argparse.ArgumentParser(prog="make kills", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--behind", type=int, default=0, help="frames after the last snapshot when the node starts")
    parser.add_argument("--standby", action="store_true", help="only the node is killed, and its standby takes over")
    parser.add_argument("--evidence", type=Path, default=None)
    asked = parser.parse_args()
    evidence = asked.evidence or Path(tempfile.mkdtemp(prefix="openbell-kills-")) / "kills.jsonl"
    rows = [json.loads(line) for line in evidence.read_text().splitlines()] if evidence.is_file() else []
    print(f"seed {asked.seed}: {asked.kills} kills, {len(rows)} done before; rows in {evidence}", flush=True)
    what = {"kind": "kill", **stamp(), "durability": "local", "standby": asked.standby, "behind": asked.behind}
    with evidence.open("a") as file:
        most = 1 if asked.behind else KILLS_OF_A_WORLD
        while len(rows) < asked.kills:
            number = len(rows)
            for row in campaign(f"{asked.seed}-{number}", min(most, asked.kills - number), asked):
                rows.append(what | {"seed": asked.seed, "kill": len(rows)} | row)
                print(json.dumps(rows[-1]), file=file, flush=True)
                if "violation" in row:
                    return report(rows)
    return report(rows)


def campaign(seed: str, kills: int, asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One world, killed so many times; a row for each. One of what was lost, doubled or not explained is the last."""
    try:
        yield from killed_again_and_again(seed, kills, asked)
    except AssertionError as error:
        yield {"victim": "", "violation": f"world {seed}: {error}"}


def killed_again_and_again(seed: str, kills: int, asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The same.

    Raises:
        AssertionError: something was lost, doubled or not explained; the world's directory is left for a look.
    """
    draw = random.Random(seed)
    with one_world(draw) as world:
        audit = Audit(world.directory / "journal", world.hot)
        start(world, epoch := 1, time.monotonic())
        lost: set[tuple[int, int]] = set()
        unanswered: set[tuple[int, int]] = set()  # of those that died, for good
        for _ in range(kills):
            victim = "node" if asked.standby or asked.behind else draw.choice(VICTIMS)
            if asked.standby:
                world.stand_by()
            world.set_trading("T")
            target = world.committed_seq() + draw.randint(*FRAMES_BETWEEN)
            wait_for(lambda target=target: world.alive() and world.committed_seq() >= target, f"frame {target}")
            row: dict[str, Any] = {"victim": victim, "at": target}
            if (helper := victim.partition(" ")[0]) in HELPERS:
                world.kill_helper(helper)
            killed = time.monotonic()
            if "node" in victim:
                world.kill9()
            if not asked.standby:
                world.set_trading("H")
                lost = audit.unanswered() - unanswered
                unanswered |= lost
            if "node" in victim:
                if asked.behind:
                    world.fall_behind(asked.behind)
                    world.follow()  # we look at the node, and do not want to be what takes so long
                    epoch += 1  # the writer of those frames had one
                row |= start(world, epoch := epoch + 1, killed if asked.standby else time.monotonic())
                row["unanswered"] = len(lost)
            world.set_trading("H")
            agree(world)
            audit.expect_nothing_lost(world.ledger())
            yield row | audit.counts()


def start(world: World, epoch: int, began: float) -> dict[str, float]:
    """Start the node, or let its standby be it, until it agrees with the venue; seconds from `began` to each step."""
    if world.standby:
        world.promote()
    else:
        world.start()
    wait_for(lambda: world.alive() and world.follow().epoch >= epoch, f"epoch {epoch}")
    opened = time.monotonic() - began
    nudged(world, lambda: world.follow().is_session_up, f"epoch {epoch} to be resolved", AGREE_WITHIN_S)
    resolved = time.monotonic() - began
    agree(world)
    return {"epoch_s": opened, "cancel_only_s": resolved, "reconciled_s": time.monotonic() - began}


def agree(world: World, within_s: float = AGREE_WITHIN_S) -> None:
    """Positions, cash and open orders are the venue's, and none is in doubt."""

    def is_same() -> bool:
        return world.follow().is_session_up and world.node_view() == world.venue_view()

    nudged(world, is_same, "node and venue to agree", within_s)


def nudged(world: World, condition: Callable[[], bool], what: str, within_s: float) -> None:
    """Wait; a follower plays the last frame of a silent node only when another one follows, so that one is made."""
    nudge, due = events.asked(events.By(why="look"), 0, 0), time.monotonic() + NUDGE_EVERY_S

    def is_true() -> bool:
        nonlocal due
        if world.alive() and condition():
            return True
        if time.monotonic() > due:
            push_record(world.hot, nudge)
            due = time.monotonic() + NUDGE_EVERY_S
        return False

    wait_for(is_true, what, within_s)


@contextmanager
def one_world(draw: random.Random) -> Iterator[World]:
    """Half of them with cancel-on-disconnect; the directory stays when something is wrong."""
    directory = Path(tempfile.mkdtemp(prefix="openbell-kills-"))
    with (
        tempfile.TemporaryDirectory(dir="/dev/shm", prefix="openbell-kills-") as hot,
        World(
            directory,
            Path(hot) / "node",
            cancel_on_disconnect=draw.random() < 0.5,
            seed=draw.getrandbits(31),
            strategy=REPO / "strategies/market_maker.py",
            durability="local",
            exchange_hot=Path(hot) / "exchange",
        ) as world,
    ):
        try:
            yield world
        except AssertionError:
            print(f"the world is left in {directory}", file=sys.stderr)
            raise
    shutil.rmtree(directory)


def report(rows: list[dict[str, Any]]) -> int:
    """Print what the evidence holds."""
    victims = {name: sum(row["victim"] == name for row in rows) for name in sorted(set(VICTIMS))}
    violations = [row["violation"] for row in rows if "violation" in row]
    where = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"{len(rows)} kills, {len(violations)} violations; {victims}; {where}")
    unanswered = sum(row.get("unanswered", 0) for row in rows)
    print(f"commands of which a dead process had not said whether they left: {unanswered:,}")
    for name, (key, target) in FIGURES.items():
        if not (values := sorted(row[key] for row in rows if key in row)):
            continue
        shown = [values[min(len(values) - 1, int(len(values) * share))] for share in (0.5, 0.99, 1.0)]
        aim = f"   target {target:.0f} s" if target else ""
        print(f"{name:52} p50 {shown[0]:6.3f}  p99 {shown[1]:6.3f}  max {shown[2]:6.3f} s{aim}")
    for violation in violations:
        print(f"violation: {violation}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
