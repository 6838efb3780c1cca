"""Every order that ever left is over when a node has stopped, or the end of its journal names it and says why."""

from pathlib import Path

import pytest
from tests.simulation.day import Day
from tests.simulation.faults import acts
from tests.simulation.session import plan_of

from openbell._native import OperatorVerb
from openbell.journal import open_journal
from openbell.node.trading import name_open_orders
from openbell.types import Type

STEPS, STEPS_TO_STOP_MAX = 400, 400
ENDS = (Type.REJECTED, Type.EXPIRED)


class Ledger:
    """What left and what became of it, from the journal alone."""

    def __init__(self, day: Day) -> None:
        self.open: dict[int, int] = {}  # cl_ord_id -> open quantity
        self.accepted: set[int] = set()
        self.left = 0
        self.named: dict[int, str] = {}
        for frame in open_journal(day.node.journal_dir, day.node.hot_dir):
            for i in range(len(frame.raw) if frame.raw.shape[1] == 128 else 0):
                self._take(frame.record(i))

    def _take(self, record) -> None:
        kind = record["type"]
        if kind == Type.OPERATOR and record["code"] == OperatorVerb.LEFT_OPEN:
            self.named[int(record["values"][0])] = bytes(record["text"]).rstrip(b"\0").decode()
        if kind == Type.NEW_ORDER:
            self.open[int(record["cl_ord_id"])] = int(record["qty"])
            self.left += 1
        if kind == Type.RESOLVED:  # the venue has said all it knows: what it has not accepted never reached it
            self.open = {order: leaves for order, leaves in self.open.items() if order in self.accepted}
        if not Type.ACCEPTED <= kind <= Type.NOT_SENT or int(record["cl_ord_id"]) not in self.open:
            return
        order = int(record["cl_ord_id"])
        if kind in (Type.ACCEPTED, Type.REPLACED):
            self.open[order] = int(record["leaves_qty"])
            self.accepted.add(order)
        elif kind in (Type.FILLED, Type.CANCELED):
            self.open[order] -= int(record["last_qty"])
        if kind in ENDS or (kind == Type.NOT_SENT and record["command"] == Type.NEW_ORDER):
            self.open[order] = 0


def in_mid_trade(day: Day) -> None:
    """Nothing is awaited."""


def all_is_well(day: Day) -> None:
    day.heal()


def venue_goes(day: Day) -> None:
    day.market.shut_door()
    day.market.vanish()


def line_is_cut(day: Day) -> None:
    day.market.shut_door()
    day.node.streams[0].cut()


@pytest.mark.parametrize("fault", [in_mid_trade, all_is_well, venue_goes, line_is_cut])
def test_no_order_is_left_without_a_word(tmp_path: Path, seed: int, fault):
    left = named = 0
    for n in range(6):
        plan = plan_of(f"stop-{seed}-{n}", STEPS).with_events(())
        day = Day(plan, acts(), tmp_path / str(n))
        day.run()
        fault(day)
        assert day.node.native is not None
        day.node.begin_stop()
        steps = 0
        while day.node.engine.live_orders() and steps < STEPS_TO_STOP_MAX:
            day.step()
            steps += 1
        name_open_orders(day.node.native, day.node.engine)
        day.node.close()

        ledger = Ledger(day)
        still_open = {order for order, leaves in ledger.open.items() if leaves > 0}
        assert still_open - set(ledger.named) == set(), f"day {n}: left open and not named"
        assert all(ledger.named.values())
        left += ledger.left
        named += len(ledger.named)
    assert left > 100
    assert named == 0 if fault in (in_mid_trade, all_is_well) else named > 0
