"""A position moved by hand, in the engine: what may be opened, what may rest and what is worked follow at once."""

import pytest
from tests.engine import desk as d
from tests.engine.test_intents import refusals, say
from tests.engine.test_targets import sent, target, working

from openbell import events
from openbell.types import NO_STRATEGY, ArmState, BreakerKind, IntentKind, Reason, Side, Type

BID, ASK = d.BID, d.ASK


def adjust(desk: d.Desk, qty: int = 0, *, strategy: int = 0, instrument: int = 0, **more: int) -> list[bytes]:
    return desk.frame(events.adjustment(strategy, instrument, qty=qty, px=BID, **more), source=d.OPERATOR)


def order(side: Side, px: int, qty: int) -> bytes:
    return d.intent(IntentKind.ORDER, 0, side=side, px=px, qty=qty)


def test_it_moves_the_position_and_opens_nothing():
    desk = d.trading_desk()
    assert adjust(desk, -30, cash=-5_000) == []
    assert desk.engine.position(0, 0)["qty"] == desk.engine.position(NO_STRATEGY, 0)["qty"] == -30
    assert desk.engine.totals(0)["fees"] == 5_000
    assert desk.engine.totals(0)["unrealized"] == -30 * (ASK - BID)


def test_the_limits_hold_for_the_new_position_from_the_next_frame_on():
    desk = d.trading_desk()
    adjust(desk, 1_995)
    said = [d.read(raw) for raw in say(desk, order(Side.BUY, BID, 6)) if raw[0] == Type.REFUSED]
    assert [(r["reason"], r["limit"], r["observed"]) for r in said] == [(Reason.POSITION, 2_000, 2_001)]
    assert refusals(say(desk, order(Side.BUY, BID, 5))) == []


def test_what_was_refused_for_the_old_position_is_tried_again():
    desk = d.trading_desk()
    adjust(desk, 2_000)
    say(desk, d.QUOTE)
    assert [(c["side"], c["qty"]) for c in desk.sent] == [(Side.SELL, 10)]  # no more may be bought
    desk.outcomes()
    adjust(desk, -10)
    assert [(c["side"], c["qty"]) for c in desk.sent] == [(Side.BUY, 10)]


def test_a_target_is_worked_from_where_the_position_is_now():
    desk = d.trading_desk()
    adjust(desk, 10)
    say(desk, target(30))
    assert sent(desk) == [(Type.NEW_ORDER, Side.BUY, ASK, 20)]

    desk = working(30)
    adjust(desk, 10)
    assert sent(desk) == [(Type.REPLACE_ORDER, Side.BUY, ASK, 20)]


def test_what_rests_and_would_now_grow_a_position_that_may_only_shrink_is_cancelled():
    desk = d.trading_desk()
    adjust(desk, 30)
    say(desk, order(Side.SELL, ASK, 30))
    (placed,) = desk.sent
    desk.outcomes()
    desk.hear(d.report(Type.ACCEPTED, placed["cl_ord_id"], version=1, px=ASK, leaves_qty=30))
    assert desk.arm(ArmState.REDUCE_ONLY) == []
    adjust(desk, -1)
    assert [(Type(c["type"]), c["cl_ord_id"]) for c in desk.sent] == [(Type.CANCEL_ORDER, placed["cl_ord_id"])]


@pytest.mark.parametrize(
    "wrong",
    [{"instrument": d.INSTRUMENTS_MAX}, {"strategy": d.STRATEGIES_MAX}, {"strategy": NO_STRATEGY}, {"qty": 2**44 + 1}],
    ids=str,
)
def test_what_cannot_be_changes_nothing_and_trips_nothing(wrong):
    desk = d.trading_desk()
    jump = events.breaker(
        BreakerKind.POSITION_JUMP, to=ArmState.REDUCE_ONLY, threshold=1, again_below=1, window_ns=10**9, instrument=0
    )
    desk.frame(jump, source=d.OPERATOR)
    before = [desk.engine.position(row, i) for row in (0, 1, NO_STRATEGY) for i in range(d.INSTRUMENTS_MAX)]
    assert adjust(desk, **({"qty": 5} | wrong)) == []
    assert [desk.engine.position(row, i) for row in (0, 1, NO_STRATEGY) for i in range(d.INSTRUMENTS_MAX)] == before


def test_an_instrument_that_nobody_has_told_of_yet_is_unknown():
    desk = d.Desk()
    desk.start()
    adjust(desk, 5)
    desk.feed(d.instrument(0))
    assert desk.engine.position(0, 0)["qty"] == 0


def test_money_alone_is_no_jump_of_a_position():
    desk = d.trading_desk()
    jump = events.breaker(
        BreakerKind.POSITION_JUMP, to=ArmState.REDUCE_ONLY, threshold=9, again_below=9, window_ns=10**9, instrument=0
    )
    desk.frame(jump, source=d.OPERATOR)
    assert adjust(desk, cash=-5_000) == []
    assert d.types_of(adjust(desk, 1)) == [Type.TRIPPED, Type.HASH]


def test_a_restored_engine_has_it_and_goes_on_alike():
    desk = d.trading_desk()
    adjust(desk, 70, cash=9)
    copy, already = desk.restored(), len(desk.frames)
    adjust(desk, -20)
    say(desk, order(Side.BUY, BID, 5))

    for frame in desk.frames[already:]:
        copy.decide(*frame)
    assert copy.engine.position(0, 0) == desk.engine.position(0, 0)
    assert copy.engine.position(0, 0)["qty"] == 50
    assert copy.engine.state_hash == desk.engine.state_hash

    again = type(desk.probe)(desk.capacity)  # and one from the first frame on
    for frame in desk.frames:
        again.decide(*frame)
    assert again.engine.state_hash == desk.engine.state_hash
