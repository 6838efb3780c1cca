"""What a venue confirms beyond what was asked: believed for what is open, and an incident."""

import pytest
from tests.oms.test_oms_orders import BUY, SELL, Desk

from openbell.types import OrderState, Reason, Type

OVERFILLED, LEAVES_TOLD, WORSE_PX = 4, 16, 32


def acknowledged(desk: Desk, i: int, qty: int, px: int = 1000) -> str:
    return desk.report(Type.ACCEPTED, i, version=1, order_id=77, px=px, leaves_qty=qty)


def replaced(desk: Desk, i: int, qty: int, px: int = 1001, version: int = 2) -> str:
    return desk.report(Type.REPLACED, i, version=version, px=px, leaves_qty=qty)


def replacing(desk: Desk, qty: int = 50, side: int = BUY) -> int:
    """An order of 100 at 1,000 at rest, and a replace to `qty` at 1,001 in flight."""
    i = desk.resting(side=side)
    assert desk.command(Type.REPLACE_ORDER, i, version=2, px=1001, qty=qty) == Reason.NONE
    return i


def marks(desk: Desk, i: int) -> int:
    return desk.order(i)["flags"] & (OVERFILLED | WORSE_PX)


def test_an_acknowledged_excess_is_open_and_its_order_stays_as_large_as_was_asked():
    desk = Desk()
    i = desk.buy(100)

    assert acknowledged(desk, i, 10_000) == "BEYOND_ASKED"
    assert (desk.open_buy(), desk.order(i)["qty"], marks(desk, i)) == (10_000, 100, OVERFILLED)
    assert desk.fill(i, 10_000) == "OVERFILL"

    assert (desk.position(), desk.open_buy(), desk.state(i)) == (10_000, 0, OrderState.FILLED)
    assert (desk.oms.counters()["beyond_asked"], desk.oms.counters()["overfills"]) == (1, 1)
    desk.oms.audit()


def test_a_replace_is_compared_with_its_total_less_what_was_executed():
    desk = Desk()
    i = desk.resting(100)
    desk.fill(i, 20)
    desk.command(Type.REPLACE_ORDER, i, version=2, px=1001, qty=50)

    assert replaced(desk, i, 31) == "BEYOND_ASKED"

    assert (desk.order(i)["qty"], desk.open_buy(), marks(desk, i)) == (50, 31, OVERFILLED)
    desk.oms.audit()


@pytest.mark.parametrize("confirmed", [acknowledged, replaced])
@pytest.mark.parametrize(
    ("side", "px", "kind"),
    [
        (BUY, 1002, "BEYOND_ASKED"),
        (BUY, 999, "DONE"),
        (SELL, 999, "BEYOND_ASKED"),
        (SELL, 1002, "DONE"),
        (BUY, 0, "DONE"),
        (SELL, 0, "DONE"),
    ],
)
def test_a_worse_price_is_an_incident_and_a_better_one_or_none_is_not(confirmed, side, px, kind):
    desk = Desk()
    i = desk.buy(50, side=side) if confirmed is acknowledged else replacing(desk, side=side)

    assert confirmed(desk, i, 50, px) == kind

    asked = 1000 if confirmed is acknowledged else 1001
    assert desk.order(i)["px"] == (px or asked)
    assert marks(desk, i) == (WORSE_PX if kind == "BEYOND_ASKED" else 0)


def test_an_order_that_is_accepted_dead_at_a_worse_price_is_dead():
    desk = Desk()
    i = desk.buy(50)
    assert acknowledged(desk, i, 0, px=1001) == "BEYOND_ASKED"
    assert (desk.state(i), desk.open_buy()) == (OrderState.CANCELED, 0)


@pytest.mark.parametrize(
    ("leaves", "px", "kind", "open_after"),
    [
        (100, 1000, "DONE", 60),
        (99, 999, "DONE", 60),
        (101, 1000, "BEYOND_ASKED", 61),
        (100, 1001, "BEYOND_ASKED", 60),
        (101, 999, "BEYOND_ASKED", 61),
    ],
)
def test_an_acknowledgement_after_a_fill_says_nothing_unless_it_says_too_much(leaves, px, kind, open_after):
    desk = Desk()
    i = desk.buy(100)
    desk.fill(i, 40)

    assert acknowledged(desk, i, leaves, px) == kind

    assert (desk.open_buy(), desk.order(i)["px"]) == (open_after, max(px, 1000))
    assert acknowledged(desk, i, leaves, px) == "DUPLICATE"


def test_an_acknowledgement_of_too_much_after_the_end_is_an_incident_and_the_order_stays_ended():
    desk = Desk()
    i = desk.buy(100)
    desk.fill(i, 100)

    assert acknowledged(desk, i, 101, px=1001) == "BEYOND_ASKED"

    assert (desk.state(i), desk.open_buy(), desk.order(i)["px"]) == (OrderState.FILLED, 0, 1000)
    assert marks(desk, i) == OVERFILLED | WORSE_PX
    desk.oms.audit()


def test_an_acknowledgement_of_what_has_been_replaced_is_compared_with_nothing():
    desk = Desk()
    i = desk.buy(100)
    desk.command(Type.REPLACE_ORDER, i, version=2, px=1001, qty=50)  # refused: the first is not answered
    desk.fill(i, 10)
    desk.command(Type.REPLACE_ORDER, i, version=2, px=1001, qty=50)
    replaced(desk, i, 40)

    assert acknowledged(desk, i, 100) == "DONE"
    assert desk.open_buy() == 40


@pytest.mark.parametrize(
    ("leaves", "px", "kind", "open_after"),
    [
        (50, 1001, "DUPLICATE", 40),
        (51, 1001, "BEYOND_ASKED", 51),  # at most
        (50, 1002, "BEYOND_ASKED", 40),
        (-1, 1001, "DUPLICATE", 40),
    ],
)
def test_a_replaced_after_a_fill_of_it_says_nothing_unless_it_says_too_much(leaves, px, kind, open_after):
    desk = Desk()
    i = replacing(desk)
    desk.fill(i, 10, version=2)

    assert replaced(desk, i, leaves, px) == kind

    assert (desk.open_buy(), desk.order(i)["px"]) == (open_after, max(px, 1001))
    assert replaced(desk, i, leaves, px) == "DUPLICATE"


def test_a_second_copy_of_a_replaced_is_compared_with_nothing():
    desk = Desk()
    i = replacing(desk)
    assert replaced(desk, i, 50) == "DONE"
    assert replaced(desk, i, 51) == "DUPLICATE"
    desk.command(Type.REPLACE_ORDER, i, version=3, px=1001, qty=60)
    assert replaced(desk, i, 60, version=3) == "DONE"
    assert replaced(desk, i, 999, version=2) == "DUPLICATE"
    assert desk.open_buy() == 60


def test_fewer_than_were_executed_meanwhile_is_no_incident():
    """A replace to 20 crosses a fill of 30: nothing is left, and nothing was too much."""
    desk = Desk()
    i = replacing(desk, qty=20)
    desk.fill(i, 30)
    assert replaced(desk, i, 0) == "DONE"
    assert (desk.state(i), marks(desk, i)) == (OrderState.CANCELED, 0)
    desk.oms.audit()


def test_one_lot_more_than_was_executed_meanwhile_is_one():
    desk = Desk()
    i = replacing(desk, qty=20)
    desk.fill(i, 30)
    assert replaced(desk, i, 1) == "BEYOND_ASKED"
    assert (desk.open_buy(), desk.order(i)["qty"]) == (1, 30)
    desk.oms.audit()
