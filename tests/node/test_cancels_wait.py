"""Cancels that the venue would not take in this second leave in the next one: in their order, and all of them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.simulation.day import STEP_NS, Day
from tests.simulation.faults import acts
from tests.simulation.model import SECOND, Model
from tests.simulation.session import plan_of
from tests.simulation.strategies import MISCHIEF

from openbell import _native as native
from openbell.journal import open_journal
from openbell.types import KillLevel, Reason, Type

MESSAGES_MAX, KEPT, OPEN, STEPS_MAX = 12, 2, 3, 3_000
"""KEPT: a fifth, for cancels."""


class Sends:
    """What the journal says of commands: the ids of cancels that were decided, and (ns, type, id) of all that left.

    `rated_ns`: when the perimeter last had no room for what opens.
    """

    def __init__(self, day: Day) -> None:
        self.cancels: list[int] = []
        self.left: list[tuple[int, int, int]] = []
        self.rated_ns = 0
        for frame in open_journal(day.node.journal_dir, day.node.hot_dir):
            for i, kind in enumerate(frame.raw[:, 0]):
                if kind == Type.CANCEL_ORDER:
                    self.cancels.append(int(frame.record(i)["cl_ord_id"]))
                elif kind == Type.SENT:
                    self._take(frame.record(i))
                elif kind == Type.NOT_SENT and frame.record(i)["reason"] == Reason.GATE_MESSAGE_RATE:
                    self.rated_ns = int(frame.record(i)["ts_event"])

    def _take(self, report: Any) -> None:
        self.left.append((int(report["ts_sent"]), int(report["command"]), int(report["cl_ord_id"])))

    def room(self, now_ns: int) -> int:
        """Messages that the venue still takes."""
        return MESSAGES_MAX - sum(now_ns - at < SECOND for at, *_ in self.left)

    def is_full(self, now_ns: int) -> bool:
        """Nothing opens any more in this second: one was refused for that, and only the share of cancels is left."""
        return bool(self.left) and self.rated_ns >= self.left[-1][0] and self.room(now_ns) == KEPT


def until(day: Day, holds: Callable[[], bool]) -> None:
    for _ in range(STEPS_MAX):
        if holds():
            return
        day.step()
    raise AssertionError(f"nothing came of it in {STEPS_MAX} steps")


def hard_kill(day: Day) -> None:
    cell = day.node.kill_cell()
    assert cell is not None
    cell.request(KillLevel.HARD, day.clock.now_ns(), 0)


def day_of(folder: Path, has_rogue: bool) -> Day:
    plan = replace(plan_of("cancels wait").with_events(()), messages_max=MESSAGES_MAX, rate_max=100_000, has_far=False)
    return Day(replace(plan, has_rogue=has_rogue), acts(), folder)


def test_after_a_full_second_of_new_orders_a_kill_s_first_cancels_leave_at_once(tmp_path: Path):
    day = day_of(tmp_path, has_rogue=True)
    until(day, lambda: bool(day.node.engine.live_orders()))
    MISCHIEF.floods = 2 * MESSAGES_MAX
    until(day, lambda: Sends(day).is_full(day.clock.now_ns()))
    before = Sends(day)
    assert len(day.node.engine.live_orders()) >= OPEN

    hard_kill(day)
    asked_ns = day.clock.now_ns()
    day.step()

    left = Sends(day).left[len(before.left) :]
    assert [kind for _, kind, _ in left] == [Type.CANCEL_ORDER] * KEPT
    assert all(at - asked_ns <= STEP_NS[-1] for at, *_ in left)
    day.clock.set_on_relax(lambda: None)


@pytest.mark.parametrize("asks", [hard_kill, Day.begin_stop])
def test_a_mass_cancel_leaves_as_fast_as_the_venue_takes_it(asks: Callable[[Day], None], tmp_path: Path):
    day = day_of(tmp_path, has_rogue=False)
    until(day, lambda: len(day.node.engine.live_orders()) >= OPEN and Sends(day).room(day.clock.now_ns()) < OPEN)
    before, began = Sends(day), day.clock.now_ns()

    asks(day)
    day.is_calm = True  # long steps
    until(day, lambda: not day.node.engine.live_orders())

    after = Sends(day)
    left = after.left[len(before.left) :]
    cancelled = [order for _, _, order in left]
    # In the order of the decision, each once; what was executed while its cancel waited needs none.
    assert cancelled == [order for order in after.cancels[len(before.cancels) :] if order in cancelled]
    assert {kind for _, kind, _ in left} == {Type.CANCEL_ORDER}
    assert len(left) >= OPEN > before.room(began)
    reader = native.JournalReader(str(day.node.journal_dir), str(day.node.hot_dir), True)
    assert Model(messages_max=MESSAGES_MAX).take_all(reader).wrong == []
    day.clock.set_on_relax(lambda: None)
