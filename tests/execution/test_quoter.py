"""What a quoting trader expects of the quoter, one rule each."""

import pytest

from openbell import _native
from openbell.types import OrderState, Reason, Side, Type
from oracles.order_records import commands_of, orders_of, record

BUY, SELL = Side.BUY, Side.SELL
NEW, REPLACE, CANCEL = Type.NEW_ORDER, Type.REPLACE_ORDER, Type.CANCEL_ORDER


class Desk:
    """Quoter and OMS of one strategy in one instrument; the venue is whoever writes the test."""

    def __init__(self) -> None:
        self.quoter = _native.Quoter(1, 1)
        self.oms = _native.Oms(16, 1, 1)
        self.oms.on_started(record("Started", type=Type.STARTED, node=1, epoch=1))
        self.executions = 0

    def quote(self, bid_px: int = 0, bid_qty: int = 0, ask_px: int = 0, ask_qty: int = 0) -> list[tuple[int, ...]]:
        fault = self.quoter.set_target(
            record("Intent", bid_px=bid_px, bid_qty=bid_qty, ask_px=ask_px, ask_qty=ask_qty, tag=5)
        )
        assert fault == Reason.NONE
        return self.go()

    def pull(self) -> list[tuple[int, ...]]:
        self.quoter.pull(0)
        return self.go()

    def wanted(self) -> list[dict[str, int]]:
        return commands_of(self.quoter.reconcile(0, 0, self.oms))

    def go(self) -> list[tuple[int, ...]]:
        """Carry out what the quoter wants; answer it as (type, side, px, qty)."""
        commands = self.wanted()
        for c in commands:
            if c["type"] == NEW:
                c["cl_ord_id"] = self.oms.reserve(0)
                self.quoter.on_order_opened(0, 0, Side(c["side"]), c["cl_ord_id"])
            assert self.oms.on_command(record("Order", **c)) == Reason.NONE
            self.hear(Type.SENT, c["cl_ord_id"], command=c["type"])
        return [(c["type"], c["side"], c["px"], c["qty"]) for c in commands]

    def hear(self, kind: Type, i: int, **fields: int) -> None:
        assert self.oms.on_report(record("Report", type=kind, cl_ord_id=i, **fields))[0].name == "DONE"

    def order(self, side: Side) -> dict[str, int]:
        return orders_of(self.oms.find(self.quoter.order_of(0, 0, side)))[0]

    def ack(self, *sides: Side) -> None:
        for side in sides:
            o = self.order(side)
            self.hear(Type.ACCEPTED, o["cl_ord_id"], version=1, px=o["px"], leaves_qty=o["qty"], order_id=1)

    def ack_replace(self, side: Side) -> None:
        o = self.order(side)
        fields = {"version": o["pending_version"], "px": o["pending_px"], "leaves_qty": o["pending_qty"] - o["cum_qty"]}
        self.hear(Type.REPLACED, o["cl_ord_id"], **fields)

    def canceled(self, side: Side, reason: Reason = Reason.USER_CANCEL) -> None:
        o = self.order(side)
        self.hear(Type.CANCELED, o["cl_ord_id"], version=o["version"], last_qty=o["leaves_qty"], reason=reason)

    def fill(self, side: Side, qty: int) -> None:
        o = self.order(side)
        self.executions += 1
        self.hear(
            Type.FILLED, o["cl_ord_id"], version=o["version"], last_px=o["px"], last_qty=qty, exec_id=self.executions
        )


@pytest.fixture
def desk() -> Desk:
    """Nothing quoted yet."""
    return Desk()


@pytest.fixture
def quoting() -> Desk:
    """100 at 1000 by 100 at 1010, both resting."""
    desk = Desk()
    desk.quote(1000, 100, 1010, 100)
    desk.ack(BUY, SELL)
    return desk


def test_a_first_quote_is_two_new_orders(desk):
    assert desk.quote(1000, 100, 1010, 50) == [(NEW, BUY, 1000, 100), (NEW, SELL, 1010, 50)]


def test_the_same_quote_again_is_silence(quoting):
    assert quoting.quote(1000, 100, 1010, 100) == []


def test_a_partly_filled_order_keeps_its_place_while_the_quote_stays(quoting):
    quoting.fill(BUY, 40)
    assert quoting.quote(1000, 100, 1010, 100) == []


def test_a_new_price_is_one_replace_and_keeps_the_other_side(quoting):
    assert quoting.quote(1001, 100, 1010, 100) == [(REPLACE, BUY, 1001, 100)]


def test_a_replace_after_a_partial_fill_counts_the_executed_shares(quoting):
    quoting.fill(BUY, 40)
    assert quoting.quote(1001, 100, 1010, 100) == [(REPLACE, BUY, 1001, 140)]


def test_a_filled_side_stays_away_until_quoted_again(quoting):
    quoting.fill(BUY, 100)
    assert quoting.go() == []
    assert quoting.quote(1000, 100, 1010, 100) == [(NEW, BUY, 1000, 100)]


def test_while_a_command_is_in_flight_the_newest_target_waits(quoting):
    assert quoting.quote(1001, 100, 1010, 100) == [(REPLACE, BUY, 1001, 100)]
    assert quoting.quote(1002, 100, 1010, 100) == []
    assert quoting.quote(1003, 100, 1010, 100) == []

    quoting.ack_replace(BUY)
    assert quoting.go() == [(REPLACE, BUY, 1003, 100)]


def test_fills_while_waiting_are_taken_off_the_newest_target(quoting):
    quoting.quote(1001, 100, 1010, 100)
    quoting.quote(1002, 100, 1010, 100)
    quoting.fill(BUY, 30)
    quoting.ack_replace(BUY)

    # 30 executed, 70 of the target left: the chain's total is 100.
    assert quoting.go() == [(REPLACE, BUY, 1002, 100)]


def test_a_pull_cancels_at_once_even_before_the_ack(desk):
    desk.quote(1000, 100)
    assert desk.pull() == [(CANCEL, BUY, 1000, 100)]


def test_a_pull_cancels_the_version_that_a_pending_replace_creates(quoting):
    quoting.quote(1001, 100, 1010, 100)
    quoting.quoter.pull(0)
    assert [(c["type"], c["side"], c["version"]) for c in quoting.wanted()] == [(CANCEL, BUY, 2), (CANCEL, SELL, 1)]


def test_a_pulled_side_is_quoted_again_only_after_its_cancel_is_confirmed(quoting):
    quoting.pull()
    assert quoting.quote(1000, 100, 1010, 100) == []

    quoting.canceled(BUY)
    assert quoting.go() == [(NEW, BUY, 1000, 100)]


def test_what_filled_while_being_pulled_is_not_bought_twice(quoting):
    quoting.pull()
    quoting.quote(999, 100, 1011, 100)
    quoting.fill(BUY, 60)
    quoting.canceled(BUY)
    assert quoting.go() == [(NEW, BUY, 999, 40)]


def test_an_order_the_venue_took_is_not_sent_again_unasked(quoting):
    quoting.canceled(BUY, Reason.SESSION_CANCEL)
    assert quoting.go() == []
    assert quoting.quote(1000, 100, 1010, 100) == [(NEW, BUY, 1000, 100)]


def test_a_refused_side_stays_quiet_until_its_target_changes(desk):
    desk.quoter.set_target(record("Intent", bid_px=1000, bid_qty=100))
    assert len(desk.wanted()) == 1
    desk.quoter.on_refused(0, 0, BUY)

    assert desk.quote(1000, 100) == []
    assert desk.quote(999, 100) == [(NEW, BUY, 999, 100)]


def test_a_refused_side_may_try_again_when_limits_change(desk):
    desk.quoter.set_target(record("Intent", bid_px=1000, bid_qty=100))
    desk.wanted()
    desk.quoter.on_refused(0, 0, BUY)

    desk.quoter.forget_refusals()

    assert desk.go() == [(NEW, BUY, 1000, 100)]


def test_when_a_replace_is_refused_the_stale_order_is_pulled(quoting):
    quoting.quoter.set_target(record("Intent", bid_px=900, bid_qty=100, ask_px=1010, ask_qty=100))
    assert [c["type"] for c in quoting.wanted()] == [REPLACE]
    quoting.quoter.on_refused(0, 0, BUY)

    assert quoting.go() == [(CANCEL, BUY, 1000, 100)]
    quoting.canceled(BUY)
    assert quoting.go() == []


def test_when_the_venue_rejects_a_replace_the_stale_order_is_pulled(quoting):
    quoting.quote(1001, 100, 1010, 100)
    quoting.hear(Type.REJECTED, quoting.order(BUY)["cl_ord_id"], version=2, reason=Reason.VENUE_REJECT)
    assert quoting.go() == [(CANCEL, BUY, 1000, 100)]


def test_a_quote_that_crosses_itself_is_refused_and_pulls_both_sides(quoting):
    crossed = record("Intent", bid_px=1010, bid_qty=100, ask_px=1010, ask_qty=100)
    assert quoting.quoter.set_target(crossed) == Reason.SELF_MATCH
    assert quoting.go() == [(CANCEL, BUY, 1000, 100), (CANCEL, SELL, 1010, 100)]


def test_a_rising_quote_moves_its_ask_first_and_its_bid_when_that_is_confirmed(quoting):
    assert quoting.quote(1010, 100, 1020, 100) == [(REPLACE, SELL, 1020, 100)]
    quoting.ack_replace(SELL)
    assert quoting.go() == [(REPLACE, BUY, 1010, 100)]


def test_in_doubt_is_waited_for(desk):
    desk.quoter.set_target(record("Intent", bid_px=1000, bid_qty=100))
    (c,) = desk.wanted()
    c["cl_ord_id"] = desk.oms.reserve(0)
    desk.oms.on_command(record("Order", **c))
    desk.quoter.on_order_opened(0, 0, BUY, c["cl_ord_id"])
    desk.oms.on_started(record("Started", type=Type.STARTED, node=1, epoch=2))

    assert desk.order(BUY)["state"] == OrderState.IN_DOUBT
    assert desk.quote(1001, 100) == []


def test_a_venue_that_refuses_cancels_is_asked_three_times_and_again_on_the_next_pull(quoting):
    i = quoting.order(BUY)["cl_ord_id"]
    asked = [quoting.quote(0, 0, 1010, 100)]
    for _ in range(4):
        if asked[-1]:
            quoting.hear(Type.CANCEL_REJECTED, i, version=1)
        asked.append(quoting.go())

    assert [len(commands) for commands in asked] == [1, 1, 1, 0, 0]
    assert (CANCEL, BUY, 1000, 100) in quoting.pull()


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"bid_px": 0, "bid_qty": 1}, Reason.PRICE_NOT_POSITIVE),
        ({"ask_px": 10, "ask_qty": -1}, Reason.QTY_NOT_POSITIVE),
        ({"strategy": 1}, Reason.UNKNOWN_STRATEGY),
        ({"instrument": 1}, Reason.NO_INSTRUMENT),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(desk, fields, fault):
    assert desk.quoter.set_target(record("Intent", **fields)) == fault
    assert desk.go() == []


def test_a_pulled_and_empty_quote_is_no_longer_active(quoting):
    assert quoting.quoter.active() == [(0, 0)]
    quoting.pull()
    quoting.canceled(BUY)
    quoting.canceled(SELL)
    quoting.go()
    assert quoting.quoter.active() == []
