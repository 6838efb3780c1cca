"""An orderly stop: what is open is cancelled, strategies close what they hold, and nothing else leaves."""

from tests.engine import desk as d
from tests.engine.desk import ASK, BID, Desk, read
from tests.engine.test_arming import BUY, SELL, long_desk

from openbell import _native as native
from openbell import events
from openbell.types import IntentKind, Reason, Tif, Type

HELD = 30


def stopping_desk() -> Desk:
    """Strategy 1 is long in instrument 0, and the node is being stopped."""
    desk = long_desk(HELD)
    desk.frame(events.control(Type.OPERATOR, code=int(native.OperatorVerb.CANCEL_ALL)), source=d.OPERATOR)
    assert desk.engine.is_draining
    return desk


def ask_for(desk: Desk, qty: int, *, side: int = SELL, tif: Tif = Tif.IOC, strategy: int = 1) -> Reason:
    """Why an order is refused; NONE when it left."""
    terms = {"side": side, "px": BID if side == SELL else ASK, "qty": qty, "tif": tif, "instrument": 0}
    news = d.add(desk.seq + 100, 990_000, 1, buy=True)
    decision = desk.feed(news, script=(d.intent(IntentKind.ORDER, strategy, **terms),))
    return next((Reason(read(r)["reason"]) for r in decision if r[0] == Type.REFUSED), Reason.NONE)


def test_on_the_way_out_only_what_closes_at_once_leaves():
    desk = stopping_desk()

    assert ask_for(desk, 1, side=BUY) == Reason.NOT_ARMED
    assert ask_for(desk, HELD, tif=Tif.DAY) == Reason.NOT_ARMED
    assert ask_for(desk, HELD + 1) == Reason.NOT_ARMED
    assert ask_for(desk, HELD, strategy=0) == Reason.NOT_ARMED
    assert ask_for(desk, HELD) == Reason.NONE


def test_two_orders_together_do_not_close_more_than_is_held():
    desk = stopping_desk()

    assert ask_for(desk, HELD - 1) == Reason.NONE
    assert ask_for(desk, 2) == Reason.NOT_ARMED
    assert ask_for(desk, 1) == Reason.NONE
