"""What strategies in processes of their own say reaches the engine as frames; every one is compared with the twin."""

import pytest
from tests.engine import desk as d
from tests.engine.test_intents import refusals
from tests.engine.test_targets import sent

from openbell import events
from openbell.types import ArmState, IntentKind, Reason, Side, Tif, Type

STRATEGIES, MS = 3, 1_000_000
BID, ASK = d.BID, d.ASK


def said(desk: d.Desk, *words: bytes, age_ns: int = 0, age_frames: int = 0) -> list[bytes]:
    """One frame of what strategy 0 decided so long ago; it may be 100 ms and 1,000 frames old."""
    values = (desk.seq + 1 - age_frames, desk.now + 1_000 - age_ns, 100 * MS, 1_000)
    head = events.control(Type.SAID, code=2, strategy=0, source=len(words), values=values)
    return desk.frame(head, *words, source=STRATEGIES)


def order_id(desk: d.Desk, counter: int) -> int:
    return 5 << 58 | desk.epoch << 40 | 0 << 30 | counter


def order(desk: d.Desk, counter: int, px: int = BID, **more: int) -> bytes:
    return d.intent(IntentKind.ORDER, 0, side=Side.BUY, px=px, qty=10, cl_ord_id=order_id(desk, counter), **more)


def test_words_of_a_process_are_taken_as_if_it_stood_in_the_trading_thread():
    desk = d.trading_desk()
    deadline = desk.now + MS
    said(desk, d.quote(0, BID, 10, ASK, 10), d.arm_timer(0, 4, deadline), age_ns=99 * MS, age_frames=1_000)
    assert sent(desk) == [(Type.NEW_ORDER, Side.BUY, BID, 10), (Type.NEW_ORDER, Side.SELL, ASK, 10)]
    assert desk.told is None, "strategies of the trading thread are not asked"
    assert desk.engine.next_deadline == deadline


def test_the_id_that_a_strategy_was_told_is_the_id_of_its_order():
    desk = d.trading_desk()
    said(desk, order(desk, 65), order(desk, 66, px=BID - 100))
    assert [c["cl_ord_id"] for c in desk.sent] == [order_id(desk, 65), order_id(desk, 66)]
    desk.outcomes()
    said(desk, d.quote(0, 0, 0, ASK, 10))
    assert [c["cl_ord_id"] for c in desk.sent] == [order_id(desk, 67)], "a quote's id is the engine's, behind them"


@pytest.mark.parametrize("counter", [1, 65])
def test_an_id_is_given_once(counter: int):
    desk = d.trading_desk()
    said(desk, order(desk, 65))
    decision = said(desk, order(desk, counter, px=BID - 100))
    assert [reason for reason, _ in refusals(decision)] == [Reason.LATE]
    assert desk.sent == []


@pytest.mark.parametrize("age", [{"age_ns": 101 * MS}, {"age_frames": 1_001}])
def test_what_was_decided_too_long_ago_is_refused_and_an_old_quote_is_pulled(age: dict[str, int]):
    desk = d.quoting_desk()
    decision = said(desk, d.quote(0, BID - 100, 10, ASK, 10), order(desk, 90), d.arm_timer(0, 4, desk.now + MS), **age)
    assert [reason for reason, _ in refusals(decision)] == [Reason.LATE, Reason.LATE]
    limit, observed = next((r["limit"], r["observed"]) for r in map(d.read, decision) if r["type"] == Type.REFUSED)
    assert observed == next(iter(age.values())) > limit
    assert [c["type"] for c in desk.sent] == [Type.CANCEL_ORDER, Type.CANCEL_ORDER]
    assert Type.TIMER_ARMED in d.types_of(decision)


def test_a_cancel_is_never_late():
    desk = d.trading_desk()
    said(desk, order(desk, 65))
    desk.outcomes()
    desk.hear(d.report(Type.ACCEPTED, order_id(desk, 65), version=1, px=BID, leaves_qty=10))
    said(desk, d.intent(IntentKind.CANCEL, 0, cl_ord_id=order_id(desk, 65)), age_ns=10_000 * MS, age_frames=9_999)
    assert [c["type"] for c in desk.sent] == [Type.CANCEL_ORDER]


def test_a_process_that_is_gone_leaves_nothing_open_and_a_person_releases_it():
    desk = d.quoting_desk()
    desk.frame(d.halt(0), source=STRATEGIES)
    assert [c["type"] for c in desk.sent] == [Type.CANCEL_ORDER, Type.CANCEL_ORDER]
    assert desk.engine.is_halted(0)
    said(desk, order(desk, 90))
    assert desk.sent == [], "what was on its way is not done"
    desk.arm(ArmState.FULL, after_kill=True, strategy=0)
    said(desk, order(desk, 91, tif=Tif.IOC, px=ASK))
    assert [c["type"] for c in desk.sent] == [Type.NEW_ORDER]


def test_a_snapshot_forgets_no_id():
    desk = d.trading_desk()
    said(desk, order(desk, 65))
    restored = desk.restored()
    values = (desk.seq + 1, desk.now, 100 * MS, 1_000)
    head = events.control(Type.SAID, code=2, strategy=0, source=1, values=values)
    decision, _ = restored.decide(head + order(desk, 65, px=BID - 100), desk.seq + 1, desk.now + 1_000, STRATEGIES)
    assert decision[0] == Type.REFUSED
