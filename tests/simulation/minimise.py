"""Makes a failing run small: fewer kinds of faults, fewer of each, fewer steps. What is left still fails."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.simulation.plan import Plan

Fails = Callable[[Plan], bool]


def minimise(plan: Plan, fails: Fails, budget_s: float) -> Plan:
    """The smallest plan found within `budget_s`; `fails` says whether one still fails."""
    until = time.monotonic() + budget_s

    def still(smaller: Plan) -> bool:
        return time.monotonic() < until and fails(smaller)

    plan = _shorten(plan, still)
    for kind in plan.kinds():
        without = plan.with_events(tuple(e for e in plan.events if e.fault != kind))
        if still(without):
            plan = without
    return _shorten(_drop_events(plan, still), still)


def _drop_events(plan: Plan, still: Fails) -> Plan:
    """Halves first, then quarters, at last single events."""
    size = len(plan.events) // 2
    while size >= 1:
        at = 0
        while at < len(plan.events):
            without = plan.with_events(plan.events[:at] + plan.events[at + size :])
            if still(without):
                plan = without
            else:
                at += size
        size //= 2
    return plan


def _shorten(plan: Plan, still: Fails) -> Plan:
    """By halves of what is left after the last event, then of all of it."""
    low, high = 0, plan.steps
    while high - low > max(10, high // 20):
        middle = (low + high) // 2
        if still(plan.shortened(middle)):
            high = middle
        else:
            low = middle
    return plan.shortened(high) if high < plan.steps else plan
