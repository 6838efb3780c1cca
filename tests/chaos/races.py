"""Sessions of a live node on an exchange whose own fault desk lets reports race, be lost and be taken back.

    make races ARGS="--sessions 500 --seed 1 --evidence FILE"

An exchange and a node under its supervisor are processes. A session is some seconds of trading with faults asked for
over the exchange's control socket: disconnects, cuts in and before reports, lost acks, fills before acks and after
cancels, executions told wrong, busts, corrections, storms of rejects, restarts. Then the faults end; what was told
wrong the exchange takes back; the node comes back by itself, and what a doubt holds is released by two people. With
orders at rest, and again when all of them are cancelled, by a stop of the strategy or a kill of the node, open orders,
position and cash are the exchange's to the last unit, and no order or fill is lost, doubled or made up. The faults of a
session follow from the seed; how they meet on the wire does not. Each session is a line of the evidence at once: a run
that is begun again with the same file goes on where it was.
Exit code 1: a difference; that is a line, too, and its directory is left.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.stamp import stamp
from rich.console import Console
from rich.table import Table

from chaos.attended import STRATEGY, Attended
from chaos.audit import Audit
from chaos.desk_faults import ACCOUNT, FOR_GOOD, KINDS, Desk
from chaos.kills import agree, nudged
from chaos.world import wait_for
from openbell.cli.progress import bar
from openbell.errors import OpenbellError

SESSIONS_OF_A_WORLD = 20
"""Then exchange and node begin anew: the exchange's ledger, which is asked for whole, stays short."""
FAULTS_OF_A_SESSION = (6, 16)
FRAMES_BETWEEN = (20, 250)
EVENTS_PER_S = 1_000
AGREE_WITHIN_S = 30.0
ENDS = ("stop", "kill")
FAILURES = (AssertionError, OpenbellError, subprocess.TimeoutExpired)
"""A difference, or a word that was not taken: the world is left for a look."""
FIGURES = ("orders", "fills", "rejected", "busted", "corrected")


def main() -> int:
    """Run the campaign; 1 when node and exchange differed."""
    parser = argparse.ArgumentParser(prog="make races", description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--evidence", type=Path, default=None)
    asked = parser.parse_args()
    evidence = asked.evidence or Path(tempfile.mkdtemp(prefix="openbell-races-")) / "races.jsonl"
    rows = [json.loads(line) for line in evidence.read_text().splitlines()] if evidence.is_file() else []
    print(f"seed {asked.seed}: {asked.sessions} sessions, {len(rows)} done before; rows in {evidence}", flush=True)
    with evidence.open("a") as file, bar("sessions") as show:
        while len(rows) < asked.sessions:
            show(first := len(rows), asked.sessions)
            for row in campaign(asked.seed, first, min(SESSIONS_OF_A_WORLD, asked.sessions - first)):
                rows.append({"kind": "races", **stamp(), "seed": asked.seed, "session": len(rows)} | row)
                print(json.dumps(rows[-1]), file=file, flush=True)
                show(len(rows), asked.sessions)
            if "violation" in rows[-1]:
                break
    return report(rows)


def campaign(seed: int, first: int, sessions: int) -> Iterator[dict[str, Any]]:
    """So many sessions in one world, a row for each. One of what was lost, doubled or different is the last."""
    try:
        with one_world(random.Random(f"{seed}-world-{first}")) as (world, is_cancelling):
            yield from one_after_the_other(world, seed, range(first, first + sessions), is_cancelling)
            code = world.stop()
            assert code == 0, f"the node ended with {code}, expected 0: nothing open"
    except FAILURES as error:
        yield {"violation": f"world {seed}-world-{first}: {error}"}


def one_after_the_other(world: Attended, seed: int, numbers: range, is_cancelling: bool) -> Iterator[dict[str, Any]]:
    """The sessions of a world.

    Raises:
        AssertionError: node and exchange differ.
    """
    world.start()
    audit, before = Audit(world.directory / "journal", world.hot), Counter[str]()
    for number in numbers:
        draw, began = random.Random(f"{seed}-{number}"), time.monotonic()
        desk = Desk(world, draw, cancel_on_disconnect=is_cancelling)
        end = draw.choice(ENDS)
        try:
            row = one_session(world, desk, audit, end)
            audit.expect_nothing_lost(ledger := world.ledger())
            assert world.follow().epoch == 1, f"the trading process died: epoch {world.follow().epoch}"
        except FAILURES as error:
            raise AssertionError(f"session {number}, faults {dict(desk.begun)}, {end}: {error}") from None
        there = figures(ledger)
        grown, before = there - before, there
        faults = {"faults": dict(+desk.begun), "refused": dict(desk.refused)}
        yield row | faults | dict(grown) | {"seconds": time.monotonic() - began, "cancels_on_disconnect": is_cancelling}


def one_session(world: Attended, desk: Desk, audit: Audit, end: str) -> dict[str, Any]:
    """Trade under faults, come back, agree with quotes at the exchange, cancel all, agree."""
    set_going(world)
    for _ in range(desk.rng.randint(*FAULTS_OF_A_SESSION)):
        trade_on(world, desk.rng.randint(*FRAMES_BETWEEN))
        desk.begin_one()
    trade_on(world, FRAMES_BETWEEN[1])
    desk.end_all()
    over = time.monotonic()
    world.set_trading("H")
    nudged(world, lambda: is_up(world), "the order session to be resolved", AGREE_WITHIN_S)
    taken_back = take_back(world, audit)
    released = world.release(AGREE_WITHIN_S)
    world.lost_for_good = sum(desk.begun[name] for name in FOR_GOOD.values())
    expect_agreement(world)
    agreed_s = time.monotonic() - over
    open_then, untold = len(world.node_view()["orders"]), len(world.untold)
    world.set_trading("T")
    world.lost_for_good = 0  # a cancel says what became of them
    cancel_all(world, end)
    expect_agreement(world)
    return {
        "agreed_s": agreed_s,
        "taken_back": taken_back,
        "released": released,
        "open": open_then,
        "untold": untold,
        "end": end,
    }


def set_going(world: Attended) -> None:
    """What ended the last session is taken back, and orders leave."""
    world.set_trading("T")
    nudged(world, lambda: is_up(world), "the order session", AGREE_WITHIN_S)
    world.release(AGREE_WITHIN_S)
    world.tell("strategy", act="start", strategy=STRATEGY, why="a session")
    wait_for(lambda: world.alive() and open_orders(world), "quotes", AGREE_WITHIN_S)


def is_up(world: Attended) -> bool:
    """The node has heard all that its connection has to tell."""
    return bool(world.follow().is_session_up)


def open_orders(world: Attended) -> list[Any]:
    """At the exchange."""
    return list(world.ask("open", account=ACCOUNT)["orders"])


def trade_on(world: Attended, frames: int) -> None:
    """Until so many more are in the journal."""
    target = world.committed_seq() + frames
    wait_for(lambda: world.alive() and world.committed_seq() >= target, f"frame {target}")


def take_back(world: Attended, audit: Audit) -> int:
    """The exchange busts what it has told wrong, as venues do when they are asked; how many trades."""
    traded = len(world.ledger()["fills"])  # trading is halted

    def are_told() -> bool:
        audit.read()
        return world.alive() and len(audit.fills) == traded

    wait_for(are_told, "every execution to be told", AGREE_WITHIN_S)
    wrong = audit.told_wrong(world.ledger())
    for match in wrong:
        world.ask("bust", match=match)
    return len(wrong)


def cancel_all(world: Attended, end: str) -> None:
    """By one person's word; until the exchange has nothing of ours."""
    if end == "kill":
        world.tell("kill", all=True, level="hard", why="the session ends")
    else:
        world.tell("strategy", act="stop", strategy=STRATEGY, why="the session ends")
    wait_for(lambda: world.alive() and not open_orders(world), "no order", AGREE_WITHIN_S)


def expect_agreement(world: Attended, within_s: float = AGREE_WITHIN_S) -> None:
    """`agree`, and where they do not, what differs."""
    try:
        agree(world, within_s)
    except AssertionError as error:
        ours, theirs = world.node_view(), world.venue_view()
        differs = {key: (ours[key], theirs[key]) for key in ours if ours[key] != theirs[key]}
        raise AssertionError(f"{error}; (node, exchange): {differs}; {world.refused}") from None


def figures(ledger: dict[str, Any]) -> Counter[str]:
    """How much there is of what, by the exchange's own account."""
    states = Counter(one["state"].lower() for one in [*ledger["orders"], *ledger["fills"]])
    counted = {"orders": len(ledger["orders"]), "fills": len(ledger["fills"])}
    return Counter(counted | {name: states[name] for name in FIGURES[2:]})


@contextmanager
def one_world(draw: random.Random) -> Iterator[tuple[Attended, bool]]:
    """Half of them with cancel-on-disconnect; the directory stays when something is wrong."""
    directory, is_cancelling = Path(tempfile.mkdtemp(prefix="openbell-races-")), draw.random() < 0.5
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="openbell-races-") as hot:
        Path(hot).chmod(0o711)  # other people pass
        with Attended(
            directory,
            Path(hot) / "node",
            cancel_on_disconnect=is_cancelling,
            seed=draw.getrandbits(31),
            strategy=Path(__file__).with_name("racer.py"),
            strategy_class="Racer",
            events_per_s=EVENTS_PER_S,
        ) as world:
            try:
                yield world, is_cancelling
            except FAILURES:
                print(f"the world is left in {directory}", file=sys.stderr)
                raise
    shutil.rmtree(directory)


def report(rows: list[dict[str, Any]]) -> int:
    """Print what the evidence holds."""
    violations = [row["violation"] for row in rows if "violation" in row]
    sums = {name: sum(row.get(name, 0) for row in rows) for name in FIGURES}
    print(
        f"{len(rows)} sessions, {len(violations)} differences; "
        + ", ".join(f"{n:,} {name}" for name, n in sums.items())
    )
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    begun, refused = (sum((Counter(row.get(key, {})) for row in rows), Counter[str]()) for key in ("faults", "refused"))
    table = Table("fault", "happened", "in sessions", "nothing to disturb", box=None, pad_edge=False)
    for name in KINDS:
        sessions = sum(name in row.get("faults", {}) for row in rows)
        table.add_row(name, f"{begun[name]:,}", f"{sessions:,}", f"{refused[name]:,}")
    Console(soft_wrap=True).print(table)
    ends = Counter(row["end"] for row in rows if "end" in row)
    print(f"ended by a stop of the strategy: {ends['stop']}, by a kill of the node, released by people: {ends['kill']}")
    resting, untold = (sum(row.get(key, 0) for row in rows) for key in ("open", "untold"))
    print(f"orders compared at rest: {resting:,}, and left out, as an ack of theirs was lost for good: {untold:,}")
    print(f"trades told wrong, and taken back: {sum(row.get('taken_back', 0) for row in rows):,}")
    held = Counter(name for row in rows for name in row.get("released", []))
    print(f"held by a doubt when the faults were over, and released: {dict(held) or 'never'}")
    for name, key in {"end of the faults to agreement": "agreed_s", "a session": "seconds"}.items():
        if values := sorted(row[key] for row in rows if key in row):
            p50, p99 = (values[min(len(values) - 1, int(len(values) * share))] for share in (0.5, 0.99))
            print(f"{name:32} p50 {p50:6.3f}  p99 {p99:6.3f}  max {values[-1]:6.3f} s")
    for violation in violations:
        print(f"violation: {violation}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
