"""A venue that confirms more than was asked, or a worse price: its word counts, and a person has to look."""

import pytest
from tests.engine import desk as d
from tests.engine.desk import ASK, BID, Desk, trading_desk
from tests.engine.test_arming import BUY, SELL, ask_for, cancelled

from openbell._native import LiveOrder
from openbell.types import NO_STRATEGY, ArmState, IntentKind, OrderState, Reason, Type

TICK = 100
PRICE = {BUY: BID, SELL: ASK}
WORSE = {BUY: TICK, SELL: -TICK}


def asked(desk: Desk, side: int = BUY, qty: int = 10) -> int:
    """An order that has left and was not answered yet."""
    terms = {"side": side, "px": PRICE[side], "qty": qty, "tag": 3}
    desk.feed(d.add(desk.seq + 100, 990_000, 1, buy=True), script=(d.intent(IntentKind.ORDER, 1, **terms),))
    (command,) = desk.sent
    desk.outcomes()
    return int(command["cl_ord_id"])


def replaced(desk: Desk, number: int, side: int = BUY, qty: int = 50) -> None:
    """Another quantity of it was asked for, at the same price, and was not answered yet."""
    terms = {"cl_ord_id": number, "px": PRICE[side], "qty": qty}
    desk.feed(d.add(desk.seq + 100, 990_000, 1, buy=True), script=(d.intent(IntentKind.REPLACE, 1, **terms),))
    assert [c["version"] for c in desk.sent] == [2]
    desk.outcomes()


def confirmed(desk: Desk, number: int, version: int, qty: int, px: int) -> list[bytes]:
    kind = Type.ACCEPTED if version == 1 else Type.REPLACED
    return desk.hear(d.report(kind, number, version=version, px=px, leaves_qty=qty))


def order_of(desk: Desk, number: int) -> LiveOrder:
    return next(o for o in desk.engine.live_orders() if o.cl_ord_id == number)


def is_held(desk: Desk) -> bool:
    """Nothing opens in its instrument, everywhere else it does; and the node's own books are believed."""
    assert ask_for(desk, 1, instrument=1) == Reason.NONE
    assert desk.engine.is_reconciled
    assert desk.engine.arming(NO_STRATEGY, 0)[3] == (ask_for(desk, 1) == Reason.NOT_ARMED)
    return bool(desk.engine.arming(NO_STRATEGY, 0)[3])


def test_an_acknowledgement_of_more_than_was_asked_holds_the_instrument_until_a_person_has_looked():
    desk = trading_desk()
    number = asked(desk)

    confirmed(desk, number, 1, 1_000, BID)
    assert order_of(desk, number).leaves_qty == 1_000  # as the venue says
    assert is_held(desk)

    desk.hear(d.report(Type.FILLED, number, version=1, last_px=BID, last_qty=1_000, exec_id=1))
    assert desk.engine.position(1, 0)["qty"] == 1_000
    assert is_held(desk)
    desk.arm(ArmState.FULL, instrument=0)
    assert is_held(desk)
    desk.arm(ArmState.FULL, instrument=0, after_kill=True)
    assert not is_held(desk)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize(
    ("more", "worse", "held"),
    [(0, 0, False), (-1, 0, False), (1, 0, True), (0, 1, True), (0, -1, False), (1, -1, True), (-1, 1, True)],
)
def test_one_lot_too_much_or_a_worse_price_is_an_incident_and_less_or_better_is_none(version, side, more, worse, held):
    desk = trading_desk()
    number = asked(desk, side)
    if version == 2:
        confirmed(desk, number, 1, 10, PRICE[side])
        replaced(desk, number, side)
    qty, px = (10 if version == 1 else 50) + more, PRICE[side] + worse * WORSE[side]

    confirmed(desk, number, version, qty, px)

    order = order_of(desk, number)
    assert (order.leaves_qty, order.px) == (qty, px)
    assert is_held(desk) == held


@pytest.mark.parametrize(("leaves", "held"), [(10, False), (11, True)])
def test_an_acknowledgement_that_comes_after_a_fill_is_judged_as_well(leaves, held):
    desk = trading_desk()
    number = asked(desk)
    desk.hear(d.report(Type.FILLED, number, version=1, last_px=BID, last_qty=4, exec_id=1, leaves_qty=6))

    confirmed(desk, number, 1, leaves, BID)

    assert (desk.engine.position(1, 0)["qty"], order_of(desk, number).leaves_qty) == (4, leaves - 4)
    assert is_held(desk) == held


def test_a_quote_that_the_venue_made_larger_is_pulled():
    desk = trading_desk()
    desk.feed(d.add(50, 999_900, 1, buy=True), script=(d.QUOTE,))
    placed = desk.sent
    desk.outcomes()

    confirmed(desk, placed[0]["cl_ord_id"], 1, 10, placed[0]["px"])
    decision = confirmed(desk, placed[1]["cl_ord_id"], 1, 11, placed[1]["px"])

    assert cancelled(decision) == [(0, 0), (0, 0)]
    assert {o.state for o in desk.engine.live_orders()} == {OrderState.PENDING_CANCEL}
