"""Which faults of the exchange's own desk a session of races has, and how they are begun over its control socket.

Left out are those after which no node could know the truth, because no log holds it any more: executions and cancels
that no replay tells (`lose-ack` of those with how=remove), executions of somebody else's order or of more than there
was of it (`wrong-report` with what=order or qty: the rest of it rests there, and the node takes it to be filled),
orders that are gone without a word (`restart` with orders=lose). Executions with a wrong price are taken back at the
end of a session. What disturbs the feed alone has drills of its own.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from chaos.world import World
from configurations import SYMBOLS
from openbell.exchange.control import RequestError

ACCOUNT = "NODE1"
TICK_PX = 100
RECENT = 40
"""Trades that may still be taken back."""
STORM_MAX = 20
Words = dict[str, Any]
Draw = Callable[[random.Random, World], Words | None]


class Kind(NamedTuple):
    """One kind of fault: what is asked of the exchange, or None where there is nothing that it could be about."""

    draw: Draw
    weight: float = 1.0
    waits: bool = False
    """For a report to come: it may never happen."""

    lasts: bool = False
    """Until it is cleared, which the next fault does."""

    cuts: bool = False
    """A session is cut at one report at a time."""

    needs_cancel_on_disconnect: bool = False


def of_account(fault: str, **choices: list[Any]) -> Draw:
    """A fault of what the account is told, with one of each of these."""

    def draw(rng: random.Random, _: World) -> Words:
        return {"verb": "fault", "fault": fault, "on": ACCOUNT} | {name: rng.choice(of) for name, of in choices.items()}

    return draw


def halt(rng: random.Random, _: World) -> Words:
    return {"verb": "fault", "fault": "halt", "on": rng.choice(SYMBOLS)}


def restart(_: random.Random, __: World) -> Words:
    return {"verb": "fault", "fault": "restart", "orders": "keep"}


def bust(rng: random.Random, world: World) -> Words | None:
    trade = recent_trade(rng, world)
    return trade and {"verb": "fault", "fault": "bust", "match": trade["match_id"]}


def correct(rng: random.Random, world: World) -> Words | None:
    """Another price, a smaller quantity, or both."""
    if (trade := recent_trade(rng, world)) is None:
        return None
    px, qty = trade["px"] + rng.choice([-TICK_PX, 0, TICK_PX]), rng.randint(1, trade["qty"])
    return {"verb": "correct", "match": trade["match_id"], "px": px, "qty": qty}


def recent_trade(rng: random.Random, world: World) -> Words | None:
    """One of ours that stands."""
    trades = [fill for fill in world.ledger()["fills"][-RECENT:] if fill["state"] != "BUSTED"]
    return rng.choice(trades) if trades else None


FOR_GOOD = {"A": "lose-ack for good", "U": "lose-replaced for good"}
"""What no replay tells either, by the kind of report. Only where a cut connection cancels: else the node, which hears
after it that there is nothing more, takes it that the command never arrived, and what rests there has no other word."""

REPORTS = ["A", "A", "U", "C", "E"]
KINDS: dict[str, Kind] = {
    "disconnect": Kind(of_account("disconnect"), 2.0),
    "cut-message": Kind(of_account("cut-message", of=["", *REPORTS], seed=[*range(100)]), 2.0, waits=True, cuts=True),
    "lose-ack": Kind(of_account("lose-ack", of=REPORTS), 3.0, waits=True, cuts=True),
    FOR_GOOD["A"]: Kind(of_account("lose-ack", of=["A"], how=["remove"]), waits=True, needs_cancel_on_disconnect=True),
    FOR_GOOD["U"]: Kind(of_account("lose-ack", of=["U"], how=["remove"]), waits=True, needs_cancel_on_disconnect=True),
    "fill-before-ack": Kind(of_account("fill-before-ack"), 1.5, waits=True),
    "fill-after-cancel": Kind(of_account("fill-after-cancel"), 1.5, waits=True),
    "wrong-report": Kind(of_account("wrong-report", what=["px"]), 0.7, waits=True),
    "reject-storm": Kind(of_account("reject-storm", count=[*range(1, STORM_MAX + 1)]), 2.0),
    "bust": Kind(bust, 2.0),
    "correct": Kind(correct, 2.0),
    "restart": Kind(restart),
    "stop-reading": Kind(of_account("stop-reading"), lasts=True),
    "stop-writing": Kind(of_account("stop-writing"), lasts=True),
    "halt": Kind(halt, lasts=True),
}


class Desk:
    """The faults of one session, one after the other."""

    def __init__(self, world: World, rng: random.Random, *, cancel_on_disconnect: bool) -> None:
        self.world, self.rng = world, rng
        self.kinds = {
            name: kind for name, kind in KINDS.items() if cancel_on_disconnect or not kind.needs_cancel_on_disconnect
        }
        self.begun: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        """By the exchange: nobody was connected, or there was nothing to take back."""

    def begin_one(self) -> None:
        """The next one; those that last end here."""
        waiting = self._waiting()
        for name in {name for name in waiting if KINDS[name].lasts}:
            self.world.ask("clear", fault=name)
        is_cut = any(KINDS[name].cuts for name in waiting)
        may = {n: k for n, k in self.kinds.items() if not (k.cuts and is_cut) and not (k.waits and n in waiting)}
        name = self.rng.choices(list(may), [kind.weight for kind in may.values()])[0]
        words = may[name].draw(self.rng, self.world)
        (self.begun if words and self._is_begun(words) else self.refused)[name] += 1

    def _is_begun(self, words: Words) -> bool:
        try:
            self.world.ask(**words)
        except RequestError:
            return False
        return True

    def end_all(self) -> None:
        """No further fault: those that still wait for their report never happen."""
        for name in self._waiting():
            if KINDS[name].waits:
                self.begun[name] -= 1
        self.world.ask("clear")

    def _waiting(self) -> list[str]:
        """Those that last or have not happened yet, as `KINDS` calls them."""
        found = self.world.ask("fault")["faults"]
        return [FOR_GOOD[fault["of"]] if fault.get("how") == "remove" else fault["fault"] for fault in found]
