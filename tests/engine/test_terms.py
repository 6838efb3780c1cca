"""What one order says of itself, and baskets; every frame is compared with the twin."""

import pytest
from tests.engine import desk as d
from tests.engine.test_intents import refusals, say
from tests.engine.test_targets import sent

from openbell._native import HIDDEN, POST_ONLY
from openbell.types import IntentKind, Reason, Side, Tif, Type

BID, ASK, NS = d.BID, d.ASK, 10**9


def order(qty: int = 10, px: int = BID, side: Side = Side.BUY, **more: int) -> bytes:
    return d.intent(IntentKind.ORDER, 0, side=side, px=px, qty=qty, **more)


@pytest.mark.parametrize(
    ("side", "collar", "px"),
    [(Side.BUY, 100, 1_030_200), (Side.BUY, 33, 1_023_300), (Side.SELL, 100, 990_000), (Side.SELL, 33, 996_700)],
)
def test_an_order_at_market_goes_so_far_beyond_the_touch_and_not_a_tick_further(side: Side, collar: int, px: int):
    desk = d.trading_desk()
    say(desk, order(px=0, side=side, collar_bps=collar, tif=Tif.IOC))
    assert sent(desk) == [(Type.NEW_ORDER, side, px, 10)]


def test_without_anybody_to_trade_with_there_is_no_market():
    desk = d.trading_desk()
    desk.feed(d.market(Type.BOOK_CANCEL, order_id=2, flags=2))
    ((reason, _),) = refusals(say(desk, order(px=0, collar_bps=10, tif=Tif.FOK)))
    assert reason == Reason.NO_REFERENCE


def test_terms_travel_with_the_order_and_its_replaces():
    desk = d.trading_desk()
    until = desk.now + 3_600 * NS
    say(desk, order(flags=POST_ONLY, tif=Tif.GTD, expires_ns=until, display_qty=4))
    (command,) = desk.sent
    names = ("flags", "tif", "expires_s", "display_qty")
    assert [command[n] for n in names] == [POST_ONLY, Tif.GTD, until // NS, 4]
    desk.outcomes()
    number = command["cl_ord_id"]
    desk.hear(d.report(Type.ACCEPTED, number, version=1, px=BID, leaves_qty=10))
    say(desk, d.intent(IntentKind.REPLACE, 0, cl_ord_id=number, px=BID - 100, qty=10))
    (command,) = desk.sent
    assert [command[n] for n in names[:3]] == [POST_ONLY, Tif.GTD, until // NS]


@pytest.mark.parametrize(
    "wrong",
    [
        {"px": 0, "collar_bps": 10},
        {"collar_bps": 10, "tif": Tif.IOC},
        {"px": 0, "collar_bps": 10_000, "tif": Tif.IOC},
        {"tif": 5},
        {"tif": Tif.GTD},
        {"tif": Tif.GTD, "expires_ns": 500},
        {"tif": Tif.GTD, "expires_ns": 1 << 62},
        {"expires_ns": 1 << 60},
        {"flags": 4},
        {"flags": POST_ONLY, "tif": Tif.IOC},
        {"flags": HIDDEN, "tif": Tif.AT_OPEN},
        {"flags": HIDDEN, "display_qty": 1},
        {"display_qty": 11},
        {"display_qty": -1},
    ],
)
def test_terms_that_contradict_each_other_are_refused_with_the_id_that_was_told(wrong: dict[str, int]):
    desk = d.trading_desk()
    terms = {"qty": 10, "px": BID} | wrong
    decision = say(desk, order(**terms), order())
    ((reason, number),) = refusals(decision)
    assert (reason, number & 0x3FFF_FFFF) == (Reason.TERMS, 1)
    assert desk.sent[0]["cl_ord_id"] == number + 1


def test_a_basket_leaves_whole():
    desk = d.trading_desk()
    say(desk, order(basket=1), order(basket=1, instrument=1), order(basket=2, px=BID - 100))
    assert [qty for *_, qty in sent(desk)] == [10, 10, 10]


def test_one_order_that_is_refused_keeps_its_basket_back():
    desk = d.trading_desk()
    legs = [order(basket=1), order(5_000, basket=1), order(basket=1, instrument=1)]
    decision = say(desk, *legs, order(7, basket=2))

    assert [reason for reason, _ in refusals(decision)] == [
        Reason.BASKET_REFUSED,
        Reason.ORDER_QTY,
        Reason.BASKET_REFUSED,
    ]
    assert [c["qty"] for c in desk.sent] == [7]
    assert [o.qty for o in desk.engine.live_orders()] == [7]
    assert desk.sent[0]["cl_ord_id"] & 0x3FFF_FFFF == 4  # every leg had its id


def test_each_leg_is_judged_as_if_those_before_were_open():
    desk = d.trading_desk()
    decision = say(desk, order(1_000, basket=1), order(1_000, basket=1), order(1, basket=1, px=BID - 100))
    assert [reason for reason, _ in refusals(decision)] == [Reason.BASKET_REFUSED] * 2 + [Reason.POSITION]
    assert desk.sent == []
    say(desk, order(1_000, basket=1), order(1_000, basket=1, px=BID - 100))
    assert len(desk.sent) == 2
