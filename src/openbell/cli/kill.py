"""`openbell kill`: close the gate of a node first, then find out and say what that did.

Nothing heavy is imported before the cell is set, and nothing asks for confirmation: a kill must be fast. A release
is another matter: it asks, and the node itself journals it.
"""

import fcntl
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import cyclopts
from cyclopts import Parameter

from openbell.errors import ConfigError, OpenbellError

if TYPE_CHECKING:
    from openbell._native import KillCell, Ring
    from openbell.ops.kill_follow import KillReport

EXIT_NOT_CONFIRMED = 3
ANSWER_WITHIN_S = 0.075
"""The warden loses patience after 50 ms; this leaves it time to act."""
WARDEN_WITHIN_S = 1.0
RELEASE_WITHIN_S = 2.0
CATCH_UP_S = 30.0

app = cyclopts.App(
    name="kill",
    help="Close the gate of a running node and cancel its orders.",
    help_epilogue=(
        "Exit codes: 0 closed and every order confirmed gone; 2 there is no such node, nothing was done; "
        "3 closed, but not every order is confirmed gone: ask the venue."
    ),
)


class NotReleasedError(OpenbellError):
    """The release did not take place."""


@app.default
def kill(
    node: str | None = None,
    /,
    *,
    level: Literal["hard", "cord"] = "hard",
    release: bool = False,
    arm: Literal["cancel_only", "reduce_only", "limited", "full"] = "cancel_only",
    yes: bool = False,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """Close the gate of NODE at once, cancel what is open, and report what was confirmed.

    Parameters
    ----------
    node
        Its name, its .toml file or its hot directory; without it, the only node of this host.
    level
        hard: the trading thread cancels; if it does not answer within 50 ms the warden shuts the order sockets.
        cord: the warden shuts them at once and leaves the rest to cancel-on-disconnect.
    release
        Open the gate again instead, and let halted strategies go on; the node journals it. Asks, unless --yes.
    arm
        With --release: how far the node is armed afterwards.
    yes
        Do not ask.
    as_json
        One JSON object.
    """
    from openbell._native import KillCell
    from openbell.ops.find import find_hot_dir, read_page

    hot_dir = find_hot_dir(node)
    page = read_page(hot_dir)
    if not page.epoch:
        raise ConfigError(f"expected a node's kill cell, found none in {hot_dir}; has a node run here?")
    cell = KillCell.open(str(hot_dir / "kill"))
    if release:
        return _release(hot_dir, arm, yes)
    report = _report(_request(cell, level), hot_dir, page.committed_seq, level)
    print(json.dumps(report.as_dict()) if as_json else "\n".join(report.lines()))
    return 0 if report.is_flat else EXIT_NOT_CONFIRMED


class Asked(NamedTuple):
    """A request made: when, how long closing took, whether it was closed before, the answer's delay or None."""

    at_ns: int
    closed_us: float
    was_killed: bool
    answer_s: float | None


def _request(cell: "KillCell", level: str) -> Asked:
    """Close the gate, then wait for the trading thread's word."""
    from openbell._native import KillLevel

    wanted = KillLevel[level.upper()]
    was_killed = cell.level >= wanted
    began, at_ns = time.perf_counter(), time.time_ns()
    cell.request(wanted, at_ns, os.getuid())
    closed_us = (time.perf_counter() - began) * 1e6
    while (waited := time.perf_counter() - began) < ANSWER_WITHIN_S:
        if cell.acked >= wanted:
            return Asked(at_ns, closed_us, was_killed, waited)
    return Asked(at_ns, closed_us, was_killed, None)


def _report(asked: Asked, hot_dir: Path, seq: int, level: str) -> "KillReport":
    from openbell.node.card import read_card
    from openbell.ops.find import read_page
    from openbell.ops.kill_follow import KillFollow, KillReport, engine_at

    card = read_card(hot_dir)
    page = read_page(hot_dir)
    follow = KillFollow(card, seq, asked.at_ns)
    is_answered = page.is_alive and asked.answer_s is not None
    if is_answered and not asked.was_killed:
        follow.follow()
    must_act = page.is_alive and card.mode == "live" and (not is_answered or level == "cord")
    acted = _warden_acted(hot_dir, wait=must_act)
    if follow.answered_ms is None:
        left = len(engine_at(card, page.committed_seq).live_orders())
        orders_open = left
    else:
        left, orders_open = len(follow.open), follow.orders_open
    return KillReport(
        node=card.name,
        level=level,
        closed_us=round(asked.closed_us, 1),
        is_running=page.is_alive,
        answered_ms=asked.answer_s * 1000 if asked.answer_s is not None and page.is_alive else None,
        warden_acted=acted,
        orders_open=orders_open,
        cancels_sent=follow.cancels_sent,
        cancels_confirmed=orders_open - left if follow.answered_ms is not None else 0,
        confirmed_ms=follow.confirmed_ms,
        orders_sent_after=follow.orders_sent_after,
        orders_left=left,
        was_killed=asked.was_killed,
    )


def _warden_acted(hot_dir: Path, *, wait: bool) -> bool:
    from openbell._native import Counters

    path = hot_dir / "counters"
    if not path.is_file():
        return False
    counters = Counters.attach(str(path))
    give_up = time.monotonic() + (WARDEN_WITHIN_S if wait else 0.0)
    while not (acted := bool(dict(counters.read()).get("warden_acted"))) and time.monotonic() < give_up:
        time.sleep(0.001)
    return acted


def _release(hot_dir: Path, arm: str, yes: bool) -> int:
    from openbell.node.card import read_card
    from openbell.ops.watch import Watch

    name = hot_dir.name
    watch = Watch(read_card(hot_dir))
    view = watch.look(catch_up_s=CATCH_UP_S)
    held = ["the kill"] * (view.kill != "NONE") + [f"strategy {halted}" for halted in view.halted]
    if not held:
        raise NotReleasedError(f"{name}: expected a kill or a halted strategy to release, found none; nothing was done")
    if not view.is_alive:
        raise NotReleasedError(
            f"{name}: expected a running node, which journals a release, found none; start it: it comes up killed"
        )
    if not yes:
        _ask(name, arm)
    ring = _push_release(hot_dir, arm)
    give_up = time.monotonic() + RELEASE_WITHIN_S
    while len(ring) or watch.look().kill != "NONE":
        if time.monotonic() > give_up:
            raise NotReleasedError(f"{name}: the trading thread did not take the release; still held")
        time.sleep(0.001)
    print(f"{name}: {' and '.join(held)} released, armed {arm}; the journal says so")
    return 0


def _push_release(hot_dir: Path, arm: str) -> "Ring":
    import numpy as np

    from openbell import events
    from openbell._native import Ring
    from openbell.types import ArmState

    record = np.frombuffer(events.arm(ArmState[arm.upper()], after_kill=True), np.uint8)
    with (hot_dir / "operator.lock").open("w") as lock:  # the ring has one producer at a time
        fcntl.flock(lock, fcntl.LOCK_EX)
        ring = Ring.attach(str(hot_dir / "operator.ring"))
        if not ring.push(record):
            raise NotReleasedError(f"{hot_dir.name}: the operator ring is full; is the trading thread stuck?")
    return ring


def _ask(name: str, arm: str) -> None:
    if not sys.stdin.isatty():
        raise NotReleasedError(f"{name}: a release needs --yes when nobody can be asked; still killed")
    print(f"Release the kill of {name} and arm it {arm}? Type its name: ", end="", flush=True)
    if sys.stdin.readline().strip() != name:
        raise NotReleasedError(f"{name}: expected its name, found something else; still killed")
