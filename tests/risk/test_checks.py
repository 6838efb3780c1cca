"""Every limit, in every scope: what meets it passes, one unit past it is refused, with two strategies trading.

Frames go in, decisions come out. A case says what is observed; the limit is then that, and one less.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from tests.engine import desk as d
from tests.engine.desk import Desk

from openbell import events
from openbell.types import NO_INSTRUMENT, NO_STRATEGY, ArmState, IntentKind, LimitKind, LimitScope, Reason, Type

BUY, SELL = 1, 2
BID, ASK = d.BID, d.ASK
SECOND_NS = 10**9
FIRM, ACCOUNT, STRATEGY, INSTRUMENT, PAIR = (LimitScope(n) for n in range(1, 6))
WHERE: dict[LimitScope, dict[str, int]] = {
    FIRM: {},
    ACCOUNT: {},
    STRATEGY: {"strategy": 0},
    INSTRUMENT: {"instrument": 0},
    PAIR: {"strategy": 0, "instrument": 0},
}
Refusal = tuple[Reason, int, int, LimitScope, LimitKind]
PASSED = None


def limit(kind: LimitKind, value: int, scope: LimitScope, **more: Any) -> bytes:
    return events.limit(kind, value, scope=scope, **WHERE[scope], **more)


def give(desk: Desk, *records: bytes) -> None:
    desk.frame(*records, source=d.OPERATOR)


def ask(desk: Desk, strategy: int = 0, side: int = BUY, px: int = BID, qty: int = 10, instrument: int = 0,
        tif: int = 0, source: int = d.FEED) -> Refusal | None:  # fmt: skip
    """Sends an order down the path; None when it left for the venue."""
    wish = d.intent(IntentKind.ORDER, strategy, side=side, px=px, qty=qty, instrument=instrument, tif=tif)
    order_id = 1_000 + desk.seq
    decision = desk.frame(d.add(order_id, 500_000, 1, buy=True, instrument=2), source=source, script=(wish,))
    refused = [d.read(r) for r in decision if r[0] == Type.REFUSED]
    if not refused:
        assert [Type(c["type"]) for c in desk.sent] == [Type.NEW_ORDER]
        desk.outcomes()
        return PASSED
    (r,) = refused
    assert r["limits_version"] == desk.engine.limits_version
    return Reason(r["reason"]), r["limit"], r["observed"], LimitScope(r["scope"]), LimitKind(r["kind"])


def sent(desk: Desk, **order: int) -> int:
    """An order that the venue has accepted; its id."""
    assert ask(desk, **order) is PASSED
    newest = list(desk.twin.oms.live.values())[-1]
    desk.hear(d.report(Type.ACCEPTED, newest.cl_ord_id, version=1, px=newest.px, leaves_qty=newest.qty))
    return newest.cl_ord_id


def fill(desk: Desk, cl_ord_id: int, qty: int) -> None:
    desk.hear(d.report(Type.FILLED, cl_ord_id, version=1, last_px=BID, last_qty=qty, exec_id=desk.seq))


def cancel(desk: Desk, cl_ord_id: int, strategy: int = 0) -> None:
    wish = d.intent(IntentKind.CANCEL, strategy, cl_ord_id=cl_ord_id, instrument=NO_INSTRUMENT)
    desk.feed(d.add(5_000 + desk.seq, 500_000, 1, buy=True, instrument=2), script=(wish,))
    assert [Type(c["type"]) for c in desk.sent] == [Type.CANCEL_ORDER]
    desk.outcomes()


# ---- what two strategies did before


def nothing(_: Desk) -> None:
    """No order yet."""


def both_hold(desk: Desk, side: int = BUY) -> None:
    """Strategy 0 holds 10 and asks for 5, strategy 1 holds 20 and asks for 7, all of one side."""
    px = BID if side == BUY else ASK
    for strategy, held, asked in ((0, 10, 5), (1, 20, 7)):
        fill(desk, sent(desk, strategy=strategy, side=side, px=px, qty=held), held)
        sent(desk, strategy=strategy, side=side, px=px, qty=asked)


def both_are_short(desk: Desk) -> None:
    both_hold(desk, SELL)


def three_orders(desk: Desk) -> None:
    """One of each strategy in instrument 0, and one of strategy 0 in instrument 1; three that rest."""
    for strategy, instrument in ((0, 0), (0, 1), (1, 0)):
        sent(desk, strategy=strategy, instrument=instrument)


def three_orders_and_a_cancel(desk: Desk) -> None:
    three_orders(desk)
    cancel(desk, next(o.cl_ord_id for o in desk.twin.oms.live.values() if (o.strategy, o.instrument) == (0, 0)))


def the_same_twice(desk: Desk) -> None:
    """Also by the other strategy, which does not count."""
    for strategy in (0, 1, 0, 1):
        sent(desk, strategy=strategy)


def three_orders_and_two_fills(desk: Desk) -> None:
    three_orders(desk)
    order = next(o.cl_ord_id for o in desk.twin.oms.live.values() if (o.strategy, o.instrument) == (0, 0))
    fill(desk, order, 1)
    fill(desk, order, 1)


# ---- the table


@dataclass(frozen=True)
class Case:
    """`observed`: of firm, account, strategy, instrument, pair; None: the kind means nothing there."""

    kind: LimitKind
    reason: Reason
    before: Callable[[Desk], None]
    order: dict[str, int]
    observed: tuple[int | None, ...]
    window_ns: int = 0
    reserve: int = 0


def same(n: int) -> tuple[int, ...]:
    return (n,) * 5


COUNTS = (4, 4, 3, 3, 2)  # of three_orders and this one
SHORT = {"side": SELL, "px": ASK, "qty": 3}
CASES = [
    Case(LimitKind.ORDER_QTY, Reason.ORDER_QTY, both_hold, {"qty": 60}, same(60)),
    Case(LimitKind.ORDER_NOTIONAL, Reason.ORDER_NOTIONAL, both_hold, {"qty": 60}, same(60 * BID)),
    Case(LimitKind.COLLAR_BPS, Reason.PRICE_COLLAR, both_hold, {"px": 1_009_800}, same(100)),
    Case(LimitKind.DRIFT_BPS, Reason.PRICE_DRIFT, nothing, {"px": BID}, (None, None, None, 100, None), SECOND_NS),
    Case(LimitKind.POSITION_LONG, Reason.POSITION, both_hold, {"qty": 3}, (45, 45, 18, 45, 18)),
    Case(LimitKind.POSITION_SHORT, Reason.POSITION, both_are_short, SHORT, (45, 45, 18, 45, 18)),
    Case(LimitKind.OPEN_ORDERS, Reason.OPEN_ORDERS, three_orders, {}, COUNTS),
    Case(LimitKind.ORDER_RATE, Reason.ORDER_RATE, three_orders, {}, COUNTS, SECOND_NS),
    Case(LimitKind.ORDER_RATE, Reason.ORDER_RATE, three_orders_and_a_cancel, {}, COUNTS, SECOND_NS),
    Case(LimitKind.MESSAGE_RATE, Reason.MESSAGE_RATE, three_orders, {}, COUNTS, SECOND_NS, reserve=7),
    Case(LimitKind.MESSAGE_RATE, Reason.MESSAGE_RATE, three_orders_and_a_cancel, {}, (5, 5, 4, 4, 3), SECOND_NS),
    Case(LimitKind.DUPLICATES, Reason.DUPLICATE_ORDER, the_same_twice, {}, same(3), SECOND_NS),
    Case(LimitKind.ORDERS_PER_TRADE, Reason.ORDERS_PER_TRADE, three_orders, {}, COUNTS),
    Case(LimitKind.ORDERS_PER_TRADE, Reason.ORDERS_PER_TRADE, three_orders_and_two_fills, {}, (2, 2, 2, 2, 1)),
]
ROWS = [
    pytest.param(case, scope, observed, id=f"{case.kind.name}-{case.before.__name__}-{scope.name}")
    for case in CASES
    for scope, observed in zip(WHERE, case.observed, strict=True)
    if observed is not None
]


@pytest.mark.parametrize(("case", "scope", "observed"), ROWS)
def test_what_meets_a_limit_passes_and_one_unit_past_it_is_refused(case: Case, scope: LimitScope, observed: int):
    desk = d.trading_desk()
    more = {"window_ns": case.window_ns, "reserve": case.reserve}
    give(desk, limit(case.kind, 10**12, scope, **more))  # wide, so that it counts from here on
    case.before(desk)

    give(desk, limit(case.kind, observed + case.reserve - 1, scope, **more))
    assert ask(desk, **case.order) == (case.reason, observed - 1, observed, scope, case.kind)

    give(desk, limit(case.kind, observed + case.reserve, scope, **more))
    desk.restored()
    assert ask(desk, **case.order) is PASSED


@pytest.mark.parametrize("scope", list(WHERE))
def test_a_book_may_be_as_old_as_the_limit(scope: LimitScope):
    desk = d.trading_desk()
    desk.feed(d.add(700, 500_000, 1, buy=True))
    give(desk, limit(LimitKind.BOOK_AGE, 1_999, scope))
    assert ask(desk, source=d.FEED + 1) == (Reason.BOOK_STALE, 1_999, 2_000, scope, LimitKind.BOOK_AGE)

    desk.feed(d.add(701, 500_000, 1, buy=True))
    give(desk, limit(LimitKind.BOOK_AGE, 2_000, scope))
    assert ask(desk, source=d.FEED + 1) is PASSED


@pytest.mark.parametrize("scope", list(WHERE))
def test_executions_beyond_the_limit_latch_the_strategy_until_a_person_releases_it(scope: LimitScope):
    desk = d.trading_desk()
    repeats = limit(LimitKind.REPEATS, 2, scope, window_ns=SECOND_NS)
    give(desk, repeats)
    desk.presets += (repeats,)
    resting = sent(desk, qty=50)
    other = sent(desk, strategy=1, qty=50)
    for order in (other, resting, resting):  # the other strategy's do not count
        fill(desk, order, 1)
    assert ask(desk) is PASSED

    fill(desk, resting, 1)

    cancels = [c["cl_ord_id"] for c in desk.sent]
    assert resting in cancels and other not in cancels  # what rests goes, of this strategy only
    refusal = (Reason.REPEATS, 2, 3, scope, LimitKind.REPEATS)
    assert ask(desk) == refusal
    assert ask(desk, strategy=1) is PASSED
    desk.arm(ArmState.FULL)
    desk.arm(ArmState.FULL, strategy=1, after_kill=True)
    assert ask(desk) == refusal
    desk.start()  # also over a restart
    desk.connect()
    desk.resolve()
    desk.arm(ArmState.FULL)
    desk.restored()
    assert ask(desk) == refusal
    desk.arm(ArmState.FULL, strategy=0, after_kill=True)
    assert ask(desk) is PASSED


@pytest.mark.parametrize("scope", list(WHERE))
def test_what_is_not_permitted_is_refused_with_what_it_would_need(scope: LimitScope):
    desk = d.trading_desk()
    order = sent(desk, qty=10)
    fill(desk, order, 10)

    def may(value: int, **wanted: int) -> tuple[int, int] | None:
        give(desk, limit(LimitKind.PERMISSION, value, scope))
        refused = ask(desk, **wanted)
        assert refused is None or (refused[0] == Reason.NOT_PERMITTED and refused[3:] == (scope, LimitKind.PERMISSION))
        return refused and refused[1:3]

    assert may(14, qty=1) == (14, 9)  # no buying
    assert may(13, side=SELL, px=ASK, qty=1) == (13, 2)  # no selling
    assert may(11, side=SELL, px=ASK, qty=11) == (11, 14)  # selling short
    assert may(7, qty=1) == (7, 9)  # the restricted list: nothing that opens
    assert may(3, side=SELL, px=ASK, qty=10) is PASSED  # what closes is no opening
    assert may(15, qty=1) is PASSED


@pytest.mark.parametrize("kind", list(d.WIDE))
def test_an_instrument_without_a_limit_that_it_must_have_is_refused(kind: LimitKind):
    desk = d.trading_desk()
    give(desk, limit(kind, 0, INSTRUMENT, is_removed=True))
    assert ask(desk) == (Reason.NO_LIMITS, 1, 0, INSTRUMENT, kind)
    assert ask(desk, instrument=1) is PASSED


@pytest.mark.parametrize("kind", [LimitKind.ORDER_RATE, LimitKind.GROSS_NOTIONAL, LimitKind.DAILY_LOSS])
def test_an_account_without_a_limit_that_it_must_have_is_refused(kind: LimitKind):
    desk = d.trading_desk()
    give(desk, limit(kind, 0, ACCOUNT, is_removed=True))
    firm = limit(kind, 10**12, FIRM, window_ns=SECOND_NS * (kind == LimitKind.ORDER_RATE))
    give(desk, firm)  # does not stand in for it
    for strategy, instrument in ((0, 0), (1, 1)):
        refused = ask(desk, strategy=strategy, instrument=instrument)
        assert refused == (Reason.NO_LIMITS, 1, 0, ACCOUNT, kind)


def test_a_new_epoch_begins_without_limits():
    desk = d.trading_desk()
    desk.presets = ()
    desk.start()
    desk.connect()
    desk.resolve()
    desk.arm()
    assert ask(desk) == (Reason.NO_LIMITS, 1, 0, INSTRUMENT, LimitKind.ORDER_QTY)


def test_of_several_scopes_that_refuse_the_tightest_is_named():
    desk = d.trading_desk()
    give(desk, *(limit(LimitKind.ORDER_QTY, n, s) for s, n in ((FIRM, 20), (STRATEGY, 10), (PAIR, 15))))
    assert ask(desk, qty=30) == (Reason.ORDER_QTY, 10, 30, STRATEGY, LimitKind.ORDER_QTY)
    assert ask(desk, qty=30, strategy=1) == (Reason.ORDER_QTY, 20, 30, FIRM, LimitKind.ORDER_QTY)


WRONG = [
    limit(LimitKind.ORDER_QTY, -1, INSTRUMENT),
    limit(LimitKind.ORDER_QTY, 2**63 - 1, INSTRUMENT),
    limit(LimitKind.ORDER_RATE, 5, FIRM),  # no window
    limit(LimitKind.ORDER_RATE, 5, FIRM, window_ns=86_400 * SECOND_NS + 1),
    limit(LimitKind.MESSAGE_RATE, 5, FIRM, window_ns=1, reserve=6),
    limit(LimitKind.ORDERS_PER_TRADE, 5, FIRM, reserve=-1),
    limit(LimitKind.PERMISSION, 16, FIRM),
    limit(LimitKind.DRIFT_BPS, 5, FIRM, window_ns=1),
    limit(LimitKind.GROSS_NOTIONAL, 5, INSTRUMENT),
    limit(LimitKind.NONE, 5, FIRM),
    limit(LimitKind.MARGIN_BPS, 5, STRATEGY),
    events.limit(LimitKind.ORDER_QTY, 5, scope=LimitScope.NONE),
    events.limit(LimitKind.ORDER_QTY, 5, scope=FIRM, account=1),
    events.limit(LimitKind.ORDER_QTY, 5, scope=ACCOUNT, account=16),
    events.limit(LimitKind.ORDER_QTY, 5, scope=ACCOUNT, strategy=0),
    events.limit(LimitKind.ORDER_QTY, 5, scope=STRATEGY, strategy=d.STRATEGIES_MAX),
    events.limit(LimitKind.ORDER_QTY, 5, scope=STRATEGY, strategy=0, instrument=0),
    events.limit(LimitKind.ORDER_QTY, 5, scope=INSTRUMENT, instrument=d.INSTRUMENTS_MAX),
    events.limit(LimitKind.ORDER_QTY, 5, scope=INSTRUMENT, instrument=0, strategy=0),
    events.limit(LimitKind.ORDER_QTY, 5, scope=PAIR, strategy=0, instrument=d.INSTRUMENTS_MAX),
    events.limit(LimitKind.ORDER_QTY, 5, scope=PAIR, strategy=NO_STRATEGY, instrument=0),
    events.record("Limit", type=int(Type.LIMIT), kind=127, scope=1, strategy=NO_STRATEGY, instrument=NO_INSTRUMENT),
    events.record("Limit", type=int(Type.LIMIT), kind=200, scope=1, strategy=NO_STRATEGY, instrument=NO_INSTRUMENT),
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_limit_that_cannot_be_taken_refuses_everything_until_all_are_given_anew(wrong: bytes):
    desk = d.trading_desk()
    give(desk, wrong)

    refused = ask(desk)

    assert refused is not None
    assert refused[:3] == (Reason.NO_LIMITS, 1, 0)
    desk.restored()
    desk.start()
    desk.connect()
    desk.resolve()
    desk.arm()
    assert ask(desk) is PASSED


def test_strategies_in_instruments_beyond_the_room_refuse_everything_and_a_removed_one_makes_room():
    desk = Desk(limits_max=2)
    pairs = [(0, 0), (0, 1), (1, 0)]
    narrow = [events.limit(LimitKind.ORDER_QTY, 9, scope=PAIR, strategy=s, instrument=i) for s, i in pairs]
    gone = events.limit(LimitKind.ORDER_QTY, 0, scope=PAIR, strategy=0, instrument=0, is_removed=True)
    d.open_desk(desk)
    give(desk, *narrow[:2], gone, gone, narrow[2])
    assert ask(desk, strategy=1) == (Reason.ORDER_QTY, 9, 10, PAIR, LimitKind.ORDER_QTY)
    assert ask(desk) is PASSED
    desk.restored()

    give(desk, narrow[0])

    assert ask(desk) == (Reason.NO_LIMITS, 1, 0, PAIR, LimitKind.ORDER_QTY)


def test_a_price_that_meets_an_order_of_another_strategy_is_refused():
    desk = d.trading_desk()
    sent(desk, strategy=1, side=SELL, px=1_010_000)

    assert ask(desk, px=1_009_900) is PASSED
    assert ask(desk, px=1_010_000)[:3] == (Reason.SELF_CROSS, 1_010_000, 1_010_000)
    assert ask(desk, px=1_010_000, instrument=1) is PASSED
    assert ask(desk, strategy=1, side=SELL, px=1_009_900)[:3] == (Reason.SELF_CROSS, 1_009_900, 1_009_900)


def test_an_order_that_is_being_cancelled_may_still_be_met_by_another_strategy_and_not_by_its_own():
    desk = d.trading_desk()
    offer = sent(desk, strategy=1, side=SELL, px=1_010_000)
    cancel(desk, offer, strategy=1)

    assert ask(desk, px=1_010_000)[0] == Reason.SELF_CROSS
    assert ask(desk, strategy=1, px=1_010_000) is PASSED


def test_without_the_worth_of_its_currency_an_instrument_is_refused():
    desk = d.trading_desk()
    give(desk, events.conversion("USD", 0))
    assert ask(desk)[:3] == (Reason.NO_CONVERSION, 1, 0)
    assert ask(desk, instrument=1) is PASSED  # in EUR


def test_notional_is_rounded_against_us_in_another_currency():
    desk = d.trading_desk()  # instrument 1: 1 EUR = 1.08512345 USD
    worth = -(-BID * 7 * 108_512_345 // 10**8)
    give(desk, events.limit(LimitKind.ORDER_NOTIONAL, worth - 1, scope=INSTRUMENT, instrument=1))
    refusal = (Reason.ORDER_NOTIONAL, worth - 1, worth, INSTRUMENT, LimitKind.ORDER_NOTIONAL)
    assert ask(desk, qty=7, instrument=1) == refusal
    give(desk, events.limit(LimitKind.ORDER_NOTIONAL, worth, scope=INSTRUMENT, instrument=1))
    assert ask(desk, qty=7, instrument=1) is PASSED


def test_cancels_are_never_refused_however_many_messages_there_were():
    desk = d.trading_desk()
    resting = sent(desk)
    give(desk, limit(LimitKind.MESSAGE_RATE, 0, FIRM, window_ns=SECOND_NS))
    cancel(desk, resting)
    assert ask(desk) == (Reason.MESSAGE_RATE, 0, 2, FIRM, LimitKind.MESSAGE_RATE)


def test_a_window_forgets_and_is_at_most_an_eighth_longer_than_it_says():
    desk = d.trading_desk()
    give(desk, limit(LimitKind.ORDER_RATE, 1, STRATEGY, window_ns=80_000))
    desk.now = 8_000_000
    assert ask(desk) is PASSED
    desk.now = 8_000_000 + 80_000 - 2_000
    assert ask(desk) == (Reason.ORDER_RATE, 1, 2, STRATEGY, LimitKind.ORDER_RATE)
    desk.now = 8_000_000 + 90_000
    assert ask(desk) is PASSED


def test_another_day_counts_orders_for_each_trade_anew():
    desk = d.trading_desk()
    give(desk, limit(LimitKind.ORDERS_PER_TRADE, 1, FIRM), events.control(Type.TRADING_DAY, values=(20_260_102,)))
    assert ask(desk) is PASSED
    assert ask(desk) == (Reason.ORDERS_PER_TRADE, 1, 2, FIRM, LimitKind.ORDERS_PER_TRADE)
    desk.frame(events.control(Type.TRADING_DAY, values=(20_260_102,)))
    assert ask(desk) is not PASSED
    desk.frame(events.control(Type.TRADING_DAY, values=(20_260_103,)))
    assert ask(desk) is PASSED


@pytest.mark.parametrize("scope", list(WHERE))
def test_in_state_limited_an_order_may_be_a_percentage_of_the_largest(scope: LimitScope):
    desk = d.trading_desk()
    give(desk, limit(LimitKind.ORDER_QTY, 200, scope))
    give(desk, events.arm(ArmState.LIMITED, limited_percent=15))
    assert ask(desk, qty=30) is PASSED
    assert ask(desk, qty=31) == (Reason.LIMITED_SIZE, 30, 31, scope, LimitKind.ORDER_QTY)
