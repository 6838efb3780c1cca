"""Stop orders that the engine holds, one rule each; every frame is compared with the twin."""

import pytest
from tests.engine import desk as d
from tests.engine.test_intents import refusals, say
from tests.engine.test_targets import sent

from openbell.types import ArmState, IntentKind, KillLevel, Reason, Side, Tif, TradingState, Trigger, Type

BID, ASK = d.BID, d.ASK
STOPS_MAX = 256


def stop(side: Side = Side.SELL, stop_px: int = BID - 1_000, **more: int) -> bytes:
    terms = {"qty": 5, "px": BID - 2_000, "trigger": Trigger.LAST_TRADE, "tag": 3} | more
    return d.intent(IntentKind.ORDER, 0, side=side, stop_px=stop_px, **terms)


def holding(*stops: bytes) -> d.Desk:
    desk = d.trading_desk()
    say(desk, *(stops or (stop(),)))
    return desk


def trade(desk: d.Desk, px: int) -> list[bytes]:
    return desk.feed(d.market(Type.TRADE, px=px, qty=1))


def held(decision: list[bytes], kind: Type) -> list[tuple[int, int, Reason, int]]:
    """(counter of its id, stop price, reason, counter of what it became) of the records of that kind."""
    rows = [d.read(r) for r in decision if r[0] == kind]
    low = 0x3FFF_FFFF
    return [(r["cl_ord_id"] & low, r["prev_px"], Reason(r["reason"]), r["observed"] & low) for r in rows]


def test_it_waits_for_a_trade_at_its_price_and_becomes_an_order():
    desk = d.trading_desk()
    assert held(say(desk, stop()), Type.STOP_HELD) == [(1, BID - 1_000, Reason.NONE, 0)]
    trade(desk, BID - 900)
    assert sent(desk) == []
    assert held(trade(desk, BID - 1_000), Type.STOP_ENDED) == [(1, BID - 1_000, Reason.NONE, 2)]
    assert sent(desk) == [(Type.NEW_ORDER, Side.SELL, BID - 2_000, 5)]
    trade(desk, BID - 1_000)
    assert sent(desk) == []  # once


def test_a_buy_stop_waits_above():
    desk = holding(stop(Side.BUY, ASK + 500, px=ASK + 900))
    trade(desk, ASK)
    assert sent(desk) == []
    trade(desk, ASK + 700)
    assert sent(desk) == [(Type.NEW_ORDER, Side.BUY, ASK + 900, 5)]


def test_a_trail_follows_the_market_and_never_back():
    desk = holding(stop(stop_px=0, trail=1_000))
    for px in (BID, BID + 500, BID + 100):
        trade(desk, px)
        assert sent(desk) == []
    assert held(trade(desk, BID - 500), Type.STOP_ENDED) == [(1, BID - 500, Reason.NONE, 2)]


def test_the_touch_may_be_watched_and_is_looked_at_when_it_comes():
    desk = holding(stop(stop_px=BID, trigger=Trigger.TOUCH))
    assert sent(desk) == [(Type.NEW_ORDER, Side.SELL, BID - 2_000, 5)]
    desk = holding(stop(Side.BUY, ASK + 100, px=ASK + 900, trigger=Trigger.TOUCH))
    assert sent(desk) == []
    desk.feed(d.add(900, ASK + 100, 5, buy=False))
    desk.feed(d.market(Type.BOOK_CANCEL, order_id=2, flags=2))
    assert sent(desk) == [(Type.NEW_ORDER, Side.BUY, ASK + 900, 5)]


def test_at_market_it_takes_the_price_of_the_moment_within_its_collar():
    desk = holding(stop(px=0, collar_bps=50, tif=Tif.IOC))
    trade(desk, BID - 1_000)
    assert sent(desk) == [(Type.NEW_ORDER, Side.SELL, 995_000, 5)]


def test_while_nothing_may_leave_it_stays_elected():
    desk = holding()
    desk.feed(d.status(TradingState.HALTED))
    trade(desk, BID - 1_000)
    assert sent(desk) == []
    desk.feed(d.status(TradingState.TRADING))
    assert sent(desk) == [(Type.NEW_ORDER, Side.SELL, BID - 2_000, 5)]


def test_it_survives_a_restart_and_a_snapshot():
    desk = holding()
    desk.restored()
    desk.start()
    desk.connect()
    desk.resolve()
    desk.arm()
    trade(desk, BID - 1_000)
    assert sent(desk) == [(Type.NEW_ORDER, Side.SELL, BID - 2_000, 5)]


def test_risk_says_of_it_what_it_says_of_any_order():
    desk = holding()
    desk.arm(ArmState.CANCEL_ONLY)
    decision = trade(desk, BID - 1_000)
    assert held(decision, Type.STOP_ENDED) == [(1, BID - 1_000, Reason.NOT_ARMED, 0)]


@pytest.mark.parametrize("ends", ["cancel", "mass_cancel", "kill", "halt", "stop"])
def test_what_ends_it(ends: str):
    desk = holding()
    number = desk.twin.stops[0].id
    if ends == "cancel":
        decision = say(desk, d.intent(IntentKind.CANCEL, 0, cl_ord_id=number))
    elif ends == "mass_cancel":
        decision = say(desk, d.intent(IntentKind.CANCEL_ALL, 0, instrument=0, side=Side.SELL))
    elif ends == "kill":
        decision = desk.kill(KillLevel.HARD)
    elif ends == "halt":
        decision = say(desk, d.halt(0))
    else:
        decision = desk.frame(d.events.cancel_all(), source=d.OPERATOR)
    reasons = {"kill": Reason.KILLED, "halt": Reason.STRATEGY_IS_HALTED, "stop": Reason.NOT_ARMED}
    assert held(decision, Type.STOP_ENDED) == [(1, BID - 1_000, reasons.get(ends, Reason.USER_CANCEL), 0)]
    desk.arm(ArmState.FULL, after_kill=True)
    trade(desk, BID - 1_000)
    assert sent(desk) == []


def test_nobody_else_cancels_it():
    desk = holding()
    number = desk.twin.stops[0].id
    decision = say(desk, d.intent(IntentKind.CANCEL, 1, cl_ord_id=number))
    assert refusals(decision) == [(Reason.NOT_OWN_ORDER, number)]
    decision = say(desk, d.intent(IntentKind.REPLACE, 0, cl_ord_id=number, px=BID, qty=1))
    assert refusals(decision) == [(Reason.NOT_REPLACEABLE, number)]


def test_its_id_still_cancels_what_it_became():
    desk = holding()
    number = desk.twin.stops[0].id
    trade(desk, BID - 1_000)
    sent(desk)
    order = desk.engine.live_orders()[0].cl_ord_id
    say(desk, d.intent(IntentKind.CANCEL, 0, cl_ord_id=number))
    assert [c["cl_ord_id"] for c in desk.sent] == [order]
    desk.outcomes()
    desk.hear(d.report(Type.CANCELED, order, version=1, last_qty=5, reason=Reason.USER_CANCEL))
    assert desk.twin.stops == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"stop_px": 0},
        {"stop_px": -1},
        {"trail": -1},
        {"trigger": 9},
        {"side": 0},
        {"instrument": 7},
        {"stop_px": 1 << 49},
    ],
)
def test_a_stop_that_cannot_be_one_is_refused(wrong: dict[str, int]):
    desk = d.trading_desk()
    side, stop_px = wrong.pop("side", Side.SELL), wrong.pop("stop_px", BID - 1_000)
    ((reason, number),) = refusals(say(desk, stop(side, stop_px, **wrong)))
    assert (reason, number & 0x3FFF_FFFF) == (Reason.TERMS, 1)


def test_the_engine_holds_so_many():
    desk = d.trading_desk()
    for _ in range(STOPS_MAX // 64):
        say(desk, *[stop()] * 64)
    ((reason, _),) = refusals(say(desk, stop()))
    assert reason == Reason.STOPS_FULL
