"""Target positions: one order works towards each, whatever happens to it; every frame is compared with the twin."""

import pytest
from tests.engine import desk as d
from tests.engine.test_intents import refusals, say

from openbell.types import ArmState, IntentKind, KillLevel, Reason, Side, TradingState, Type

BID, ASK = d.BID, d.ASK


def target(position: int, px: int = 0, qty_max: int = 0, strategy: int = 0) -> bytes:
    return d.intent(IntentKind.TARGET, strategy, qty=position, px=px, display_qty=qty_max, tag=4)


def sent(desk: d.Desk) -> list[tuple[Type, Side, int, int]]:
    """The commands of the last decision, which leave now."""
    commands = [(Type(c["type"]), Side(c["side"]), c["px"], c["qty"]) for c in desk.sent]
    if desk.sent:
        desk.outcomes()
    return commands


def accept(desk: d.Desk) -> int:
    """The venue takes the one order there is."""
    (order,) = desk.engine.live_orders()
    desk.hear(d.report(Type.ACCEPTED, order.cl_ord_id, version=1, px=order.px, leaves_qty=order.qty))
    return order.cl_ord_id


def fill(desk: d.Desk, qty: int, px: int = ASK) -> None:
    (order,) = desk.engine.live_orders()
    desk.hear(d.report(Type.FILLED, order.cl_ord_id, version=1, last_px=px, last_qty=qty, exec_id=desk.seq))


def working(position: int = 30, **more: int) -> d.Desk:
    desk = d.trading_desk()
    say(desk, target(position, **more))
    sent(desk)
    accept(desk)
    return desk


def test_what_is_missing_is_asked_for_at_the_far_touch():
    desk = d.trading_desk()
    say(desk, target(30))
    assert sent(desk) == [(Type.NEW_ORDER, Side.BUY, ASK, 30)]


def test_a_short_target_sells_at_the_bid_or_at_its_own_price():
    desk = d.trading_desk()
    say(desk, target(-30))
    assert sent(desk) == [(Type.NEW_ORDER, Side.SELL, BID, 30)]
    desk = d.trading_desk()
    say(desk, target(-30, px=ASK))
    assert sent(desk) == [(Type.NEW_ORDER, Side.SELL, ASK, 30)]


def test_said_again_it_asks_for_nothing_new():
    desk = working()
    fill(desk, 10)
    assert sent(desk) == []
    say(desk, target(30))
    assert sent(desk) == []


def test_slices_follow_each_other_until_it_is_there():
    desk = working(25, qty_max=10)
    fill(desk, 4)
    assert sent(desk) == []  # the slice is not over
    fill(desk, 6)
    assert sent(desk) == [(Type.NEW_ORDER, Side.BUY, ASK, 10)]
    accept(desk)
    fill(desk, 10)
    assert sent(desk) == [(Type.NEW_ORDER, Side.BUY, ASK, 5)]
    accept(desk)
    fill(desk, 5)
    assert sent(desk) == []
    assert desk.engine.position(0, 0)["qty"] == 25


def test_another_target_changes_the_order_that_works():
    desk = working(30)
    say(desk, target(50))
    assert sent(desk) == [(Type.REPLACE_ORDER, Side.BUY, ASK, 50)]


def test_turning_round_waits_until_the_order_is_gone():
    desk = working(30)
    number = desk.engine.live_orders()[0].cl_ord_id
    say(desk, target(-30))
    assert [kind for kind, *_ in sent(desk)] == [Type.CANCEL_ORDER]
    reason = Reason.USER_CANCEL
    desk.hear(d.report(Type.CANCELED, number, version=1, last_qty=30, reason=reason))
    assert sent(desk) == [(Type.NEW_ORDER, Side.SELL, BID, 30)]


def test_what_the_venue_takes_away_unexecuted_is_tried_at_another_price_only():
    desk = working()
    number = desk.engine.live_orders()[0].cl_ord_id
    desk.hear(d.report(Type.CANCELED, number, version=1, last_qty=30, reason=Reason.SESSION_CANCEL))
    assert sent(desk) == []
    desk.feed(d.add(700, ASK - 100, 5, buy=False))
    assert sent(desk) == [(Type.NEW_ORDER, Side.BUY, ASK - 100, 30)]


def test_a_quote_ends_it_and_a_target_ends_a_quote():
    desk = working()
    say(desk, d.QUOTE)
    assert {kind for kind, *_ in sent(desk)} <= {Type.REPLACE_ORDER, Type.NEW_ORDER, Type.CANCEL_ORDER}
    desk.feed(d.market(Type.BOOK_CANCEL, order_id=2, flags=2))  # no far touch any more
    assert all(px != ASK or side == Side.SELL for _, side, px, _ in sent(desk))

    desk = d.quoting_desk()
    say(desk, target(5, px=BID))
    kinds = [(kind, side) for kind, side, *_ in sent(desk)]
    assert kinds == [(Type.CANCEL_ORDER, Side.BUY), (Type.CANCEL_ORDER, Side.SELL)]  # the other side has to go first


def test_pulled_for_a_while_it_comes_back_with_the_book():
    desk = working()
    number = desk.engine.live_orders()[0].cl_ord_id
    desk.feed(d.status(TradingState.HALTED))
    assert [kind for kind, *_ in sent(desk)] == [Type.CANCEL_ORDER]
    desk.hear(d.report(Type.CANCELED, number, version=1, last_qty=30, reason=Reason.USER_CANCEL))
    desk.feed(d.status(TradingState.TRADING))
    desk.feed(d.add(701, BID, 5, buy=True))
    assert sent(desk) == [(Type.NEW_ORDER, Side.BUY, ASK, 30)]


def test_a_restart_goes_on_with_it():
    desk = working()
    desk.start()
    desk.connect()
    desk.resolve()
    assert [kind for kind, *_ in sent(desk)] == [Type.CANCEL_ORDER]  # its price is stale
    number = desk.engine.live_orders()[0].cl_ord_id
    desk.hear(d.report(Type.CANCELED, number, version=1, last_qty=30, reason=Reason.USER_CANCEL))
    desk.arm()
    desk.feed(d.add(702, BID, 5, buy=True))
    assert sent(desk) == [(Type.NEW_ORDER, Side.BUY, ASK, 30)]


@pytest.mark.parametrize("ends", ["kill", "cancel_all", "halt", "quote"])
def test_what_ends_it(ends: str):
    desk = working()
    number = desk.engine.live_orders()[0].cl_ord_id
    if ends == "kill":
        desk.kill(KillLevel.HARD)
    elif ends == "cancel_all":
        say(desk, d.intent(IntentKind.CANCEL_ALL, 0, instrument=0))
    elif ends == "halt":
        say(desk, d.halt(0))
    else:
        say(desk, d.quote(0, 0, 0, 0, 0))
    assert [kind for kind, *_ in sent(desk)] == [Type.CANCEL_ORDER]
    desk.hear(d.report(Type.CANCELED, number, version=1, last_qty=30, reason=Reason.USER_CANCEL))
    desk.arm(ArmState.FULL, after_kill=True)
    desk.feed(d.add(703, BID, 5, buy=True))
    assert sent(desk) == []


def test_a_target_that_cannot_be_one_is_refused_and_ends_the_one_before():
    desk = working()
    decision = say(desk, d.intent(IntentKind.TARGET, 0, qty=1, display_qty=-1))
    assert refusals(decision) == [(Reason.TERMS, 0)]
    assert [kind for kind, *_ in sent(desk)] == [Type.CANCEL_ORDER]


def test_a_snapshot_keeps_it():
    desk = working(25, qty_max=10)
    copy, already = desk.restored(), len(desk.frames)
    fill(desk, 10)
    desk.outcomes()
    for given in desk.frames[already:]:
        copy.decide(*given)
    assert copy.engine.save() == desk.engine.save()
