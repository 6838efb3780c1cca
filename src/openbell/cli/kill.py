"""`openbell kill`: close the gate of a node first, then find out and say what that did.

Nothing heavy is imported before the gate is closed, and nothing asks for confirmation: a kill must be fast. The whole
node is killed by its cell in shared memory, whoever else lives; one strategy or instrument by its control process.
"""

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import cyclopts
from cyclopts import Parameter

from openbell.__main__ import SENT
from openbell.errors import ConfigError

if TYPE_CHECKING:
    from openbell._native import KillCell
    from openbell.ops.kill_follow import KillReport

EXIT_NOT_CONFIRMED = 3
ANSWER_WITHIN_S = 0.075
"""The warden loses patience after 50 ms; this leaves it time to act."""
WARDEN_WITHIN_S = 1.0

app = cyclopts.App(
    name="kill",
    help="Close the gate of a running node and cancel its orders.",
    help_epilogue=(
        "Exit codes: 0 closed and every order confirmed gone; 2 there is no such node, nothing was done; "
        "3 closed, but not every order is confirmed gone: ask the venue."
    ),
)


@app.default
def kill(
    node: str | None = None,
    /,
    *,
    strategy: str = "",
    instrument: str = "",
    all: bool = False,
    level: Literal["soft", "hard", "cord"] = "hard",
    soft: bool = False,
    hard: bool = False,
    cord: bool = False,
    why: str = "",
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """Close the gate of NODE at once, cancel what is open, and report what was confirmed.

    Parameters
    ----------
    node
        Its name, its .toml file or its hot directory; without it, the only node of this host.
    strategy
        Only this strategy, by its name.
    instrument
        Only this instrument, by its symbol: OBEL at every venue, or OBEL@home at that of the feed home.
    all
        Everything; so it is without --strategy and --instrument too, because a stop must not fail for a word.
    level
        soft: only orders that reduce pass, what would grow a position is cancelled.
        hard: the trading thread cancels; if it does not answer within 50 ms the warden shuts the order sockets.
        cord: the warden shuts them at once and leaves the rest to cancel-on-disconnect.
    soft
        --level soft.
    hard
        --level hard.
    cord
        --level cord.
    why
        For the journal, of a strategy or an instrument.
    as_json
        One JSON object.
    """
    from openbell.ops.find import find_hot_dir, read_page

    chosen = _level(level, soft, hard, cord)
    if sum(map(bool, (strategy, instrument, all))) > 1:
        raise ConfigError("kill: expected one of --strategy, --instrument and --all; nothing was done")
    hot_dir = find_hot_dir(node)
    page = read_page(hot_dir)
    if not page.epoch:
        raise ConfigError(f"expected a node's kill cell, found none in {hot_dir}; has a node run here?")
    scope = {"strategy": strategy} if strategy else {"instrument": instrument} if instrument else {}
    what = " ".join(next(iter(scope.items()), ("the node",)))
    asked = _sent_before()
    if asked is None and scope:
        asked = _ask(hot_dir, {"verb": "kill", "level": chosen, "why": why, **scope}, page.committed_seq)
    elif asked is None:
        from openbell._native import KillCell

        asked = _request(KillCell.open(str(hot_dir / "kill")), chosen, page.committed_seq)
    report = _report(asked, hot_dir, chosen, what)
    print(json.dumps(report.as_dict()) if as_json else "\n".join(report.lines()))
    return 0 if report.is_flat else EXIT_NOT_CONFIRMED


def _level(level: str, soft: bool, hard: bool, cord: bool) -> str:
    flags = [name for name, given in (("soft", soft), ("hard", hard), ("cord", cord)) if given]
    return flags[-1] if flags else level  # the list rises: of two the harder one


class Asked(NamedTuple):
    """A request made: when, how long closing took, whether it was closed before, the answer's delay or None, and the
    last frame of the journal before it."""

    at_ns: int
    closed_us: float
    was_killed: bool
    answer_s: float | None
    after_seq: int


def _sent_before() -> Asked | None:
    """What the sender has done already, before this was imported."""
    numbers = os.environ.pop(SENT, "").split()
    if len(numbers) != 5:
        return None
    at_ns, closed_ns, was_killed, answered_ns, seq = map(int, numbers)
    return Asked(at_ns, closed_ns / 1e3, bool(was_killed), answered_ns / 1e9 if answered_ns >= 0 else None, seq)


def _request(cell: "KillCell", level: str, seq: int) -> Asked:
    """Close the gate, then wait for the trading thread's word."""
    from openbell._native import KillLevel

    wanted = KillLevel[level.upper()]
    was_killed = cell.level >= wanted
    began, at_ns = time.perf_counter(), time.time_ns()
    cell.request(wanted, at_ns, os.getuid())
    closed_us = (time.perf_counter() - began) * 1e6
    while (waited := time.perf_counter() - began) < ANSWER_WITHIN_S:
        if cell.acked >= wanted:
            return Asked(at_ns, closed_us, was_killed, waited, seq)
    return Asked(at_ns, closed_us, was_killed, None, seq)


def _ask(hot_dir: Path, request: dict[str, Any], seq: int) -> Asked:
    """The same by the control process: the gate is closed to all until the trading thread has taken it."""
    from openbell._native import KillCell
    from openbell.ops.control.client import ask

    began, at_ns = time.perf_counter(), time.time_ns()
    ask(hot_dir, request)
    closed_us = (time.perf_counter() - began) * 1e6
    cell = KillCell.open(str(hot_dir / "kill"))
    while (waited := time.perf_counter() - began) < ANSWER_WITHIN_S:
        if not cell.awaits_scoped:
            return Asked(at_ns, closed_us, False, waited, seq)
    return Asked(at_ns, closed_us, False, None, seq)


def _report(asked: Asked, hot_dir: Path, level: str, what: str) -> "KillReport":
    from openbell.node.card import read_card
    from openbell.ops.find import read_page
    from openbell.ops.kill_follow import KillFollow, KillReport, engine_at

    card = read_card(hot_dir)
    page = read_page(hot_dir)
    follow = KillFollow(card, asked.after_seq, asked.at_ns)
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
        what=what,
        exposure=follow.exposure,
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
