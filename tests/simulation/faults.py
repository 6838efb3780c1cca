"""Every fault the simulation knows, by name, with its number in the catalogue of faults and how often it is drawn.

A fault acts at once, or sets a knob and takes it back some steps later. It draws its choices from its own seed, so
dropping one leaves the others as they were.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

from tests.simulation.day import Day

Act = Callable[[Day, random.Random], None]


class Fault(NamedTuple):
    """One kind: `needs` names the field of the plan without which it means nothing."""

    number: str
    act: Act
    weight: float = 1.0
    needs: str = ""


FAULTS: dict[str, Fault] = {}
OF_REPORTS = ("F18", "F29", "F30", "F31", "F32", "F33", "F35")
"""Numbers of the faults between a venue's reports and us: cuts, what is lost or told in another order, and rejects."""


def fault(name: str, number: str, *, weight: float = 1.0, needs: str = "") -> Callable[[Act], Act]:
    """Register a kind of fault."""

    def register(act: Act) -> Act:
        FAULTS[name] = Fault(number, act, weight, needs)
        return act

    return register


def acts() -> dict[str, Act]:
    """Of every kind."""
    load()
    return {name: one.act for name, one in FAULTS.items()}


def load() -> None:
    """All kinds are registered."""
    import tests.simulation.faults_network
    import tests.simulation.faults_people
    import tests.simulation.faults_process
    import tests.simulation.faults_venue  # noqa: F401


def races() -> dict[str, float]:
    """Weights of the faults of an order session: cuts, lost and reordered reports, busts, corrections, rejects."""
    load()
    return {name: one.weight for name, one in FAULTS.items() if one.number in OF_REPORTS}
