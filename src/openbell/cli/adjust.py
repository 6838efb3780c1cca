"""`openbell adjust`: a position moved by hand, where the venue's books are right and ours are not."""

import time
from pathlib import Path
from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter

from openbell.cli.arm import EPILOGUE, asked, say

COMPARED_WITHIN_S = 2.0
LOOK_EVERY_S = 0.1
ROUNDS = 2
"""Of reconciliation: one may have read our books before they were put right."""

app = cyclopts.App(name="adjust", help="Move a position by hand, so that books agree.", help_epilogue=EPILOGUE)


@app.default
def adjust(
    node: str,
    /,
    *,
    strategy: str,
    symbol: str,
    qty: str = "",
    px: str = "",
    cash: str = "",
    match: int = 0,
    why: str = "",
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """Book in NODE what the venue has and it never heard: lots at a price, money, or both. Two people, in mode live.

    Parameters
    ----------
    node
        Its name, its .toml file or its hot directory.
    strategy
        Whose position it is.
    symbol
        The instrument.
    qty
        What is added to the position: -100 takes 100 away. A multiple of the lot.
    px
        At which price, as the venue's ledger says: a multiple of the tick.
    cash
        Money besides, in the instrument's currency: -0.30 is a fee of .30.
    match
        The venue's number of the execution that this stands for, or corrects; openbell breaks shows it.
    why
        For the journal, and for the other person.
    as_json
        One JSON object.
    """
    from openbell.ops.find import find_hot_dir

    hot_dir = find_hot_dir(node)
    request = {"verb": "adjust", "strategy": strategy, "symbol": symbol, "qty": qty, "px": px, "cash": cash}
    return say(hot_dir, asked(hot_dir, {**request, "match": match, "why": why}), as_json)


def outcome(hot_dir: Path, adjusted: dict[str, Any]) -> list[str]:
    """The position before and after, and what breaks remain once reconciliation has looked again."""
    from openbell.ops.control.client import ask

    where = {"strategy": adjusted["strategy"], "symbol": adjusted["symbol"]}
    looked = now = ask(hot_dir, {"verb": "position", **where})
    rounds, give_up = 0, time.monotonic() + COMPARED_WITHIN_S
    while now["compared_ns"] and rounds < ROUNDS and time.monotonic() < give_up:
        time.sleep(LOOK_EVERY_S)
        now = ask(hot_dir, {"verb": "position", **where})
        rounds += now["compared_ns"] != looked["compared_ns"]
        looked = now
    said = [f"{where['strategy']} {where['symbol']}: position {adjusted['before']} -> {now['position']}"]
    if not now["compared_ns"]:
        return [*said, "nobody compares this node's books all day; openbell reconcile does it once"]
    if rounds < ROUNDS:
        said.append(f"not compared within {COMPARED_WITHIN_S:.0f} s; openbell breaks says later what remains")
    return [*said, *(f"still open: {line}" for line in now["breaks"] or ["nothing"])]
