"""Several order sessions: orders leave by that of their venue, and what one venue says is said of its own orders."""

import pytest
from tests.engine import desk as d

from openbell import events
from openbell.types import ArmState, IntentKind, OrderState, Reason, Type
from oracles.engine_sessions import SESSION_ENDED

HOME, AWAY = d.ORDERS, d.ORDERS + 1


@pytest.fixture
def desk() -> d.Desk:
    """Strategy 0 has one accepted order at each of two venues."""
    desk = d.two_venue_desk()
    for instrument, by in ((0, HOME), (1, AWAY)):
        order = d.intent(IntentKind.ORDER, 0, instrument=instrument, side=1, px=d.BID, qty=10)
        desk.feed(d.add(100 + instrument, 999_900, 1, buy=True, instrument=instrument), script=(order,))
        (command,) = desk.sent
        desk.outcomes()
        desk.hear(d.report(Type.ACCEPTED, command["cl_ord_id"], version=1, px=d.BID, leaves_qty=10), by=by)
    return desk


def asks(desk: d.Desk, instrument: int) -> tuple[bytes, ...]:
    """A frame in which strategy 1 wants to buy there."""
    order = d.intent(IntentKind.ORDER, 1, instrument=instrument, side=1, px=d.BID, qty=1)
    return tuple(desk.feed(d.add(desk.seq + 500, 999_800, 1, buy=True, instrument=instrument), script=(order,)))


def reason_of(decision: tuple[bytes, ...]) -> Reason:
    refused = [d.read(r) for r in decision if r[0] == Type.REFUSED]
    return Reason(refused[0]["reason"]) if refused else Reason.NONE


def states(desk: d.Desk) -> list[OrderState]:
    return [OrderState(order.state) for order in desk.engine.live_orders()]


def test_where_one_venue_is_away_the_other_one_goes_on(desk: d.Desk):
    desk.disconnect(AWAY)

    assert reason_of(asks(desk, 1)) == Reason.SESSION_DOWN
    assert reason_of(asks(desk, 0)) == Reason.NONE
    assert (desk.engine.session(HOME)[1], desk.engine.session(AWAY)[1]) == (True, False)
    assert not desk.engine.is_session_up  # not all of them


def test_a_feed_without_a_session_is_listened_to_and_not_traded(desk: d.Desk):
    desk.frame(events.route(d.FEED + 1, 0), source=d.OPERATOR)

    assert reason_of(asks(desk, 1)) == Reason.NO_SESSION
    assert reason_of(asks(desk, 0)) == Reason.NONE


def test_a_session_that_resolves_settles_its_own_orders_and_no_others(desk: d.Desk):
    for instrument in (0, 1):
        asks(desk, instrument)
        desk.outcomes()  # sent, and nothing heard of either

    desk.disconnect(AWAY)
    desk.connect(by=AWAY)
    desk.resolve(by=AWAY)

    left = {order.instrument for order in desk.engine.live_orders() if order.state == OrderState.PENDING_NEW}
    assert left == {0}


@pytest.mark.parametrize("what", ["gap", "another session", "unknown order"])
def test_a_doubt_is_of_one_session_and_holds_the_whole_node(desk: d.Desk, what: str):
    for instrument in (0, 1):
        asks(desk, instrument)
        desk.outcomes()
    if what == "gap":
        desk.frame(events.control(Type.GAP, source=AWAY, values=(5, 9)))
    elif what == "another session":
        desk.connect("S2", AWAY)
    else:
        desk.hear(d.report(Type.CANCELED, 77, version=1, last_qty=1), by=AWAY)

    assert [desk.engine.session(by)[2] for by in (HOME, AWAY)] == [False, True]
    assert desk.engine.arm_state == ArmState.CANCEL_ONLY
    in_doubt = [order.instrument for order in desk.engine.live_orders() if order.state == OrderState.IN_DOUBT]
    assert in_doubt == ([] if what == "unknown order" else [1])
    asked = {command["instrument"] for command in desk.sent if command["type"] == Type.CANCEL_ORDER}
    assert 0 in asked  # the other venue's orders are not left standing alone

    desk.arm(after_kill=True)

    assert [desk.engine.session(by)[2] for by in (HOME, AWAY)] == [False, False]
    assert desk.engine.arm_state == ArmState.FULL


def test_only_a_doubted_session_keeps_its_orders_in_doubt_when_it_resolves(desk: d.Desk):
    for instrument in (0, 1):
        asks(desk, instrument)
        desk.outcomes()
    desk.frame(events.control(Type.GAP, source=AWAY, values=(5, 9)))

    for by in (HOME, AWAY):
        desk.connect(by=by)
        desk.resolve(by=by)

    new = [o.instrument for o in desk.engine.live_orders() if o.strategy == 1]
    assert new == [1]  # HOME's never got there, and that is known

    desk.arm(after_kill=True, settles=True)
    assert not [o for o in desk.engine.live_orders() if o.strategy == 1]


def test_a_report_by_another_session_than_the_orders_is_applied_and_doubted(desk: d.Desk):
    mine = desk.engine.live_orders()[1]

    desk.hear(d.report(Type.FILLED, mine.cl_ord_id, version=1, last_px=d.BID, last_qty=4, exec_id=1), by=HOME)

    assert desk.engine.position(0, 1)["qty"] == 4
    assert desk.engine.session(HOME)[2] and desk.engine.session(AWAY)[2]  # who told, and who says nothing of it


def test_an_order_stays_with_its_session_when_the_configuration_moves_its_feed(desk: d.Desk):
    desk.presets = tuple(record for record in desk.presets if record != events.route(d.FEED + 1, AWAY))
    desk.start()  # now everything trades by the first session
    asked = []
    for by in (HOME, AWAY):
        desk.connect(by=by)
        desk.resolve(by=by)
        asked += [command["instrument"] for command in desk.sent]

    desk.arm()
    away = desk.engine.live_orders()[1].cl_ord_id
    replace = d.intent(IntentKind.REPLACE, 0, cl_ord_id=away, px=d.BID, qty=5)
    assert reason_of(tuple(desk.feed(d.add(900, 999_800, 1, buy=True), script=(replace,)))) == Reason.NOT_REPLACEABLE
    desk.frame(events.cancel_all(), source=d.OPERATOR)

    asked += [command["instrument"] for command in desk.sent]
    assert sorted(asked) == [0, 1]
    assert states(desk) == [OrderState.PENDING_CANCEL, OrderState.PENDING_CANCEL]
    assert [order.session for order in desk.engine.live_orders()] == [0, 1]  # each where it rests


def test_a_session_heard_to_its_end_may_be_another_one_while_other_venues_have_orders(desk: d.Desk):
    home = desk.engine.live_orders()[0].cl_ord_id
    desk.hear(d.report(Type.CANCELED, home, version=1, last_qty=10, reason=Reason.USER_CANCEL), by=HOME)
    desk.frame(events.control(Type.DISCONNECTED, source=HOME, code=SESSION_ENDED))

    desk.connect("S2", HOME)

    assert [desk.engine.session(by)[2] for by in (HOME, AWAY)] == [False, False]
    assert [order.session for order in desk.engine.live_orders()] == [1]
