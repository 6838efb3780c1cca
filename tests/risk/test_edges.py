"""Down the order path: scopes beside each other, instruments without units, and numbers beyond any sense."""

import pytest
from tests.engine import desk as d
from tests.engine.desk import Desk
from tests.risk import test_checks as checks
from tests.risk.test_checks import (
    ACCOUNT,
    BID,
    FIRM,
    INSTRUMENT,
    PAIR,
    STRATEGY,
    Case,
    ask,
    give,
    limit,
    sent,
)

from openbell import events
from openbell.types import ArmState, LimitKind, LimitScope, Reason, Tif, TradingState, Type

BUY, SELL = 1, 2
TWO_SCOPES = [case for case in checks.CASES if case.kind != LimitKind.DRIFT_BPS]


@pytest.mark.parametrize("case", TWO_SCOPES, ids=lambda case: f"{case.kind.name}-{case.before.__name__}")
@pytest.mark.parametrize(("tight", "wide"), [(FIRM, PAIR), (PAIR, FIRM), (ACCOUNT, STRATEGY), (INSTRUMENT, ACCOUNT)])
def test_of_two_scopes_that_refuse_the_tighter_is_named(case: Case, tight: LimitScope, wide: LimitScope):
    desk = d.trading_desk()
    more = {"window_ns": case.window_ns, "reserve": case.reserve}
    give(desk, *(limit(case.kind, 10**12, scope, **more) for scope in (tight, wide)))
    case.before(desk)
    seen = dict(zip(checks.WHERE, case.observed, strict=True))
    least = min(seen[tight], seen[wide]) - 1  # of both the one that refuses with less

    give(desk, limit(case.kind, least + case.reserve, wide, **more))
    give(desk, limit(case.kind, max(least - 1, 0) + case.reserve, tight, **more))

    expected = tight if least > 0 else min(tight, wide)
    refused = ask(desk, **case.order)
    assert refused == (case.reason, max(least - 1, 0), seen[expected], expected, case.kind)


@pytest.mark.parametrize(("tight", "wide"), [(FIRM, PAIR), (PAIR, FIRM)])
def test_of_two_scopes_that_find_the_feed_too_old_the_tighter_is_named(tight: LimitScope, wide: LimitScope):
    desk = d.trading_desk()
    give(desk, limit(LimitKind.BOOK_AGE, 10, tight), limit(LimitKind.BOOK_AGE, 20, wide))
    desk.feed(d.add(700, 500_000, 1, buy=True))
    assert ask(desk, source=d.FEED + 1) == (Reason.BOOK_STALE, 10, 1_000, tight, LimitKind.BOOK_AGE)


@pytest.mark.parametrize(("tight", "wide"), [(FIRM, PAIR), (PAIR, FIRM)])
def test_of_two_scopes_whose_part_is_too_small_the_tighter_is_named(tight: LimitScope, wide: LimitScope):
    desk = d.trading_desk()
    give(desk, limit(LimitKind.ORDER_QTY, 100, tight), limit(LimitKind.ORDER_QTY, 200, wide))
    give(desk, events.arm(ArmState.LIMITED, limited_percent=15))
    assert ask(desk, qty=31) == (Reason.LIMITED_SIZE, 15, 31, tight, LimitKind.ORDER_QTY)


@pytest.mark.parametrize(("short", "long"), [(FIRM, PAIR), (PAIR, FIRM), (ACCOUNT, STRATEGY)])
def test_equal_orders_are_counted_over_the_window_of_each_scope(short: LimitScope, long: LimitScope):
    desk = d.trading_desk()
    give(
        desk, limit(LimitKind.DUPLICATES, 1, short, window_ns=8), limit(LimitKind.DUPLICATES, 2, long, window_ns=10**9)
    )
    assert [ask(desk), ask(desk)] == [None, None]  # each long after the other
    assert ask(desk) == (Reason.DUPLICATE_ORDER, 2, 3, long, LimitKind.DUPLICATES)
    assert ask(desk, qty=11) is None


def test_a_scope_whose_free_orders_are_not_used_up_refuses_nothing():
    desk = d.trading_desk()
    give(desk, limit(LimitKind.ORDERS_PER_TRADE, 2, FIRM), limit(LimitKind.ORDERS_PER_TRADE, 1, STRATEGY, reserve=50))
    for _ in range(2):
        assert ask(desk) is None
    assert ask(desk) == (Reason.ORDERS_PER_TRADE, 2, 3, FIRM, LimitKind.ORDERS_PER_TRADE)


def units(desk: Desk, **changed: int) -> None:
    """Instrument 0 with other units from here on."""
    desk.feed(d.instrument(0, **changed))


@pytest.mark.parametrize(
    ("unit", "order", "refusal"),
    [
        ({"tick": 0}, {}, (Reason.PRICE_TICK, 0, BID)),
        ({"tick": -5}, {}, (Reason.PRICE_TICK, -5, BID)),
        ({"tick": 1}, {"px": BID + 1}, None),
        ({"tick": 7}, {}, (Reason.PRICE_TICK, 7, BID)),
        ({"tick": 2**33}, {}, (Reason.PRICE_TICK, 2**33, BID)),
        ({"tick": 2**33}, {"px": 2**33}, (Reason.PRICE_COLLAR, 1_000, 84_205_046)),
        ({"lot": 0}, {}, (Reason.QTY_LOT, 0, 10)),
        ({"lot": 10}, {"qty": 30}, None),
        ({"lot": 10}, {"qty": 35}, (Reason.QTY_LOT, 10, 35)),
        ({"lot": 2**40}, {}, (Reason.QTY_LOT, 2**40, 10)),
    ],
)
def test_units_are_known_and_kept(unit: dict[str, int], order: dict[str, int], refusal: tuple[int, ...] | None):
    desk = d.trading_desk()
    units(desk, **unit)
    found = ask(desk, **order)
    assert (found and found[:3]) == refusal


@pytest.mark.parametrize(
    ("order", "refusal"),
    [
        ({"px": 2**48 + 100 - 2**48 % 100}, (Reason.WOULD_OVERFLOW, 2**48, 2**48 + 100 - 2**48 % 100)),
        ({"px": 2**48 - 2**48 % 100}, (Reason.ORDER_NOTIONAL, 10**12)),
        ({"qty": 2**44}, (Reason.ORDER_QTY, 1_000, 2**44)),
        ({"qty": 2**44 + 1}, (Reason.WOULD_OVERFLOW, 2**44, 2**44 + 1)),
        ({"qty": 2**63 - 1}, (Reason.WOULD_OVERFLOW, 2**44, 2**63 - 1)),
        ({"px": -(2**63)}, (Reason.PRICE_NOT_POSITIVE, 1, -(2**63))),
    ],
)
def test_numbers_that_sums_cannot_hold_are_refused(order: dict[str, int], refusal: tuple[int, ...]):
    found = ask(d.trading_desk(), **order)
    assert found is not None
    assert found[: len(refusal)] == refusal


def test_what_is_told_of_a_refusal_stays_within_64_bits():
    desk = d.trading_desk()
    sent(desk, qty=40)
    desk.arm(ArmState.REDUCE_ONLY)
    assert ask(desk, qty=2**63 - 1)[:3] == (Reason.REDUCE_ONLY, 0, 2**63 - 1)


@pytest.mark.parametrize("qty", [2**44, 2**44 + 1, 2**63 - 1])
def test_a_quote_of_more_than_sums_can_hold_is_none(qty: int):
    desk = d.trading_desk()
    script = (d.quote(0, BID, 10, 0, 0),)
    desk.feed(d.add(50, 999_900, 1, buy=True), script=script)
    (order,) = desk.sent
    desk.outcomes()
    desk.hear(d.report(Type.ACCEPTED, order["cl_ord_id"], version=1, px=BID, leaves_qty=10))
    desk.hear(d.report(Type.FILLED, order["cl_ord_id"], version=1, last_px=BID, last_qty=4, exec_id=1))

    decision = desk.feed(d.add(51, 999_900, 1, buy=True), script=(d.quote(0, BID, qty, 0, 0),))

    refused = [Reason(d.read(r)["reason"]) for r in decision if r[0] == Type.REFUSED]
    assert refused == [Reason.WOULD_OVERFLOW]  # with what was executed
    assert [c["type"] for c in desk.sent] == [Type.CANCEL_ORDER]  # what rests at the old target goes


@pytest.mark.parametrize("tif", [Tif.AT_OPEN, Tif.AT_CLOSE, Tif.DAY])
@pytest.mark.parametrize("state", [TradingState.TRADING, TradingState.QUOTE_ONLY, TradingState.HALTED])
def test_what_is_for_an_auction_may_come_in_while_the_venue_collects(tif: Tif, state: TradingState):
    desk = d.trading_desk()
    desk.feed(d.status(state))
    is_collected = state == TradingState.QUOTE_ONLY and tif != Tif.DAY
    refused = (Reason.NOT_TRADING, TradingState.TRADING, state, 0, 0)
    assert ask(desk, tif=tif) == (None if state == TradingState.TRADING or is_collected else refused)


def test_a_window_of_less_than_eight_ns_counts_in_one():
    desk = d.trading_desk()
    give(desk, limit(LimitKind.ORDER_RATE, 0, FIRM, window_ns=3))
    assert ask(desk) == (Reason.ORDER_RATE, 0, 1, FIRM, LimitKind.ORDER_RATE)
    give(desk, limit(LimitKind.ORDER_RATE, 1, FIRM, window_ns=3))
    for _ in range(3):
        assert ask(desk) is None  # each long after the other


WRONG = [
    events.limit(LimitKind.ORDER_QTY, 5, scope=FIRM, strategy=0),
    events.limit(LimitKind.ORDER_QTY, 5, scope=FIRM, instrument=0),
    events.limit(LimitKind.ORDER_QTY, 5, scope=ACCOUNT, instrument=0),
    events.limit(LimitKind.ORDER_QTY, 5, scope=9),
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_limit_of_no_scope_refuses_everything(wrong: bytes):
    desk = d.trading_desk()
    give(desk, wrong)
    assert ask(desk)[:3] == (Reason.NO_LIMITS, 1, 0)
