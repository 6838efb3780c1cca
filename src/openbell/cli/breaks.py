"""`openbell breaks`: where a node's books differ from others', since when, and who looks into it."""

import json
import time
from typing import TYPE_CHECKING, Annotated

import cyclopts
from cyclopts import Parameter

from openbell.errors import ConfigError, OpenbellError

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.posttrade.break_ledger import BreakLedger, Entry

EXIT_OPEN = 1

app = cyclopts.App(
    name="breaks",
    help="Where a node's books differ from others', since when, and who looks into it.",
    help_epilogue="Exit codes: 0 nothing is open; 1 something is; 2 there is no such node.",
)


class NotAssignedError(OpenbellError):
    """A break could not be given to somebody."""


@app.default
def breaks(
    node: str | None = None, /, *, ended: bool = False, as_json: Annotated[bool, Parameter(name="--json")] = False
) -> int:
    """List the breaks of NODE, running or not.

    Parameters
    ----------
    node
        Its name, its .toml file, its hot or journal directory; without it, the only node of this host.
    ended
        Those that were closed as well.
    as_json
        A line of JSON for each.
    """
    ledger, _ = _ledger(node)
    now_ns = time.time_ns()
    shown = [e for e in ledger.entries.values() if ended or not e.closed_ns]
    for entry in shown:
        plain = {**entry.known.as_dict(), "closed_ns": entry.closed_ns}
        print(json.dumps(plain) if as_json else _line(entry, now_ns))
    if not as_json:
        print(_summary(ledger, now_ns))
    return EXIT_OPEN if ledger.open() else 0


@app.command
def assign(node: str, number: int, owner: str, /, *, note: str = "") -> None:
    """Give an open break to somebody.

    Parameters
    ----------
    node
        A running node.
    number
        Of the break.
    owner
        Who looks into it.
    note
        Why, or what was found.
    """
    from dataclasses import replace

    from openbell.ops.control.world import push_record
    from openbell.ops.find import read_page
    from openbell.posttrade.break_ledger import break_record
    from openbell.types import BreakNews

    ledger, hot_dir = _ledger(node)
    entry = ledger.entries.get(number)
    if entry is None or entry.closed_ns:
        known = ", ".join(str(known.number) for known in ledger.open()) or "none"
        raise ConfigError(f"expected the number of an open break, found {number}; open are {known}")
    if not read_page(hot_dir).is_alive:
        raise NotAssignedError(f"{node}: expected a running node, which journals it, found none; start it first")
    given = replace(entry.known, owner=owner, note=note or entry.known.note)
    if not push_record(hot_dir, break_record(given, BreakNews.ASSIGNED, {})):
        raise NotAssignedError(f"{node}: the operator ring is full; is the trading thread stuck?")
    print(given.sentence())


def _ledger(node: str | None) -> "tuple[BreakLedger, Path]":
    from pathlib import Path

    from openbell.journal import open_journal
    from openbell.node.card import read_card
    from openbell.ops.find import find_hot_dir
    from openbell.posttrade.break_ledger import BreakLedger

    card = read_card(find_hot_dir(node))
    hot = card.hot_dir if Path(card.hot_dir).is_dir() else None
    return BreakLedger().take_all(open_journal(card.journal_dir, hot)), Path(card.hot_dir)


def _summary(ledger: "BreakLedger", now_ns: int) -> str:
    from openbell.posttrade.breaks import ages

    by_age = ", ".join(f"{count} {age}" for age, count in ages(ledger.open(), now_ns).items() if count)
    return f"{len(ledger.open())} open of {len(ledger.entries)}" + (f"; by age: {by_age}" if by_age else "")


def _line(entry: "Entry", now_ns: int) -> str:
    age_s = entry.known.age_s(entry.closed_ns or now_ns)
    state = f"stood {age_s:.1f} s" if entry.closed_ns else f"open for {age_s:.0f} s"
    return f"{entry.known.number}: {entry.known.sentence()}; {state}"
