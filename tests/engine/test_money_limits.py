"""Limits in money down the order path: at the limit an order passes, one unit past it the refusal says by how much."""

import pytest
from tests.engine import desk as d
from tests.engine.test_breakers import accepted, placed, traded

from openbell import events
from openbell.types import IntentKind, LimitKind, LimitScope, Reason, Side, Type

L, S = LimitKind, LimitScope
SCOPES = [S.FIRM, S.ACCOUNT, S.STRATEGY]
LOT = 1_000_000  # what a lot is worth at the bid
HELD, RESTING, MORE = 10 * LOT, 5 * LOT, 1_020_000
REASON = {
    L.GROSS_NOTIONAL: Reason.GROSS_NOTIONAL,
    L.NET_NOTIONAL: Reason.NET_NOTIONAL,
    L.MARGIN: Reason.MARGIN,
    L.DAILY_LOSS: Reason.DAILY_LOSS,
    L.DRAWDOWN: Reason.DRAWDOWN,
}


def desk_with_positions() -> d.Desk:
    """Strategy 0 holds 10, bought 2.00 above the bid; strategy 1 has a buy of 5 resting at the bid."""
    desk = d.trading_desk()
    traded(desk, Side.BUY, d.ASK, 10, strategy=0)
    order = placed(desk, Side.BUY, d.BID, 5, strategy=1)
    accepted(desk, order, d.BID, 5)
    return desk


def limit(desk: d.Desk, kind: LimitKind, value: int, scope: LimitScope, strategy: int = 0, version: int = 7) -> None:
    where = {"strategy": strategy} if scope == S.STRATEGY else {}
    desk.frame(events.limit(kind, value, scope=scope, owner="desk", version=version, **where), source=d.OPERATOR)


def asked(desk: d.Desk, side: Side, px: int, qty: int, strategy: int = 0) -> dict[str, int] | None:
    """Why an order of that strategy was refused; None: it left."""
    terms = {"side": side, "px": px, "qty": qty, "instrument": 0}
    script = (d.intent(IntentKind.ORDER, strategy, **terms),)
    said = desk.feed(d.add(30_000 + desk.seq, 1, 1, buy=True), script=script)
    refused = [d.read(raw) for raw in said if raw[0] == Type.REFUSED]
    return refused[0] if refused else None


def shown(refused: dict[str, int] | None) -> tuple[int, ...]:
    assert refused is not None
    return tuple(refused[name] for name in ("reason", "limit", "observed", "scope", "kind", "limits_version"))


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("bps", [3_333, 20_000])
@pytest.mark.parametrize("kind", [L.GROSS_NOTIONAL, L.NET_NOTIONAL, L.MARGIN])
def test_exposure_with_everything_open(kind: LimitKind, bps: int, scope: LimitScope):
    found = HELD + MORE + (0 if scope == S.STRATEGY else RESTING)
    if kind == L.MARGIN:
        found = (found * bps + 9_999) // 10_000
    for value in (found, found - 1):
        desk = desk_with_positions()
        margin = events.limit(L.MARGIN_BPS, bps, scope=S.INSTRUMENT, instrument=0, owner="desk")
        desk.frame(margin, source=d.OPERATOR)
        limit(desk, kind, value, scope)
        if value == found:
            assert asked(desk, Side.BUY, d.ASK, 1) is None
        else:
            expected = (REASON[kind], value, found, scope, kind, 7)
            assert shown(asked(desk, Side.BUY, d.ASK, 1)) == expected


@pytest.mark.parametrize("kind", [L.GROSS_NOTIONAL, L.NET_NOTIONAL, L.MARGIN])
def test_the_limit_of_one_strategy_is_no_other_s(kind: LimitKind):
    desk = desk_with_positions()
    limit(desk, kind, 0, S.STRATEGY, strategy=0)
    assert asked(desk, Side.BUY, d.ASK, 1, strategy=0) is not None
    assert asked(desk, Side.BUY, d.ASK, 1, strategy=1) is None


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("kind", [L.GROSS_NOTIONAL, L.NET_NOTIONAL, L.MARGIN])
def test_what_binds_nothing_more_passes_a_full_limit(kind: LimitKind, scope: LimitScope):
    desk = desk_with_positions()
    limit(desk, kind, 0, scope)
    assert asked(desk, Side.BUY, d.ASK, 1) is not None
    assert asked(desk, Side.SELL, d.ASK, 3) is None  # of ten


def test_a_sale_through_flat_binds_what_it_would_be_short():
    desk = desk_with_positions()
    limit(desk, L.GROSS_NOTIONAL, HELD, S.STRATEGY)
    assert asked(desk, Side.SELL, d.ASK, 19) is None  # short 9 of 1.02 and more: 19 x 1.02 - 10 = 9.38
    assert shown(asked(desk, Side.SELL, d.ASK, 1))[:3] == (Reason.GROSS_NOTIONAL, HELD, 20 * d.ASK - HELD)


def test_a_replace_counts_only_what_is_more_than_before():
    for value in (12 * LOT, 12 * LOT - 1):
        desk = d.trading_desk()
        limit(desk, L.GROSS_NOTIONAL, value, S.ACCOUNT)
        desk.feed(d.add(50, 999_900, 1, buy=True), script=(d.quote(0, d.BID, 10, 0, 0),))
        order = desk.sent[0]
        desk.outcomes()
        accepted(desk, order["cl_ord_id"], d.BID, 10)
        decision = desk.feed(d.add(51, 999_900, 1, buy=True), script=(d.quote(0, d.BID, 12, 0, 0),))
        is_sent = Type.REPLACE_ORDER in d.types_of(decision)
        assert is_sent == (value == 12 * LOT)
    assert [d.read(raw)["observed"] for raw in decision if raw[0] == Type.REFUSED] == [12 * LOT]


def test_a_smaller_replace_passes_a_full_limit():
    desk = d.trading_desk()
    desk.feed(d.add(50, 999_900, 1, buy=True), script=(d.quote(0, d.BID, 10, 0, 0),))
    order = desk.sent[0]
    desk.outcomes()
    accepted(desk, order["cl_ord_id"], d.BID, 10)
    limit(desk, L.GROSS_NOTIONAL, 0, S.FIRM)
    decision = desk.feed(d.add(51, 999_900, 1, buy=True), script=(d.quote(0, d.BID, 6, 0, 0),))
    assert Type.REPLACE_ORDER in d.types_of(decision)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize(("kind", "found"), [(L.DAILY_LOSS, 200_000), (L.DRAWDOWN, 300_000)])
def test_what_was_lost(kind: LimitKind, found: int, scope: LimitScope):
    for value in (found, found - 1):
        desk = desk_with_positions()
        desk.feed(d.add(70, 1_030_000, 1, buy=True), d.market(Type.BOOK_CANCEL, order_id=2, qty=100, flags=2))
        desk.feed(d.market(Type.BOOK_CANCEL, order_id=70, qty=1, flags=2), d.add(71, d.ASK, 9, buy=False))
        limit(desk, kind, value, scope)
        refused = asked(desk, Side.BUY, d.ASK, 1)
        if value == found:
            assert refused is None
            continue
        assert shown(refused) == (REASON[kind], value, found, scope, kind, 7)
        assert asked(desk, Side.SELL, d.ASK, 10) is None  # closing is never refused for having lost
        assert (asked(desk, Side.BUY, d.BID, 1, strategy=1) is None) == (scope == S.STRATEGY)


def test_the_tightest_scope_is_named():
    desk = desk_with_positions()
    limit(desk, L.GROSS_NOTIONAL, 900, S.FIRM)
    limit(desk, L.GROSS_NOTIONAL, 700, S.STRATEGY)
    limit(desk, L.GROSS_NOTIONAL, 800, S.ACCOUNT)
    assert shown(asked(desk, Side.BUY, d.ASK, 1))[1:4] == (700, HELD + MORE, S.STRATEGY)


def test_without_the_worth_of_everything_held_nothing_is_opened():
    desk = desk_with_positions()
    traded(desk, Side.BUY, d.ASK, 1, instrument=1)  # in another currency
    desk.frame(events.conversion("EUR", 0), source=d.OPERATOR)
    for strategy in (0, 1):
        assert shown(asked(desk, Side.BUY, d.ASK, 1, strategy))[:3] == (Reason.NO_CONVERSION, 1, 0)
    assert asked(desk, Side.SELL, d.ASK, 3) is None  # of the ten held; the other strategy holds nothing to sell
    assert shown(asked(desk, Side.SELL, d.ASK, 1, strategy=1))[:3] == (Reason.NO_CONVERSION, 1, 0)
    desk.frame(events.conversion("EUR", 10**8), source=d.OPERATOR)
    assert asked(desk, Side.BUY, d.BID, 1) is None


def test_margin_is_asked_anew_when_its_limit_is_removed_or_the_epoch_begins():
    desk = desk_with_positions()
    half = {"scope": S.INSTRUMENT, "instrument": 0, "owner": "desk"}
    desk.frame(events.limit(L.MARGIN_BPS, 5_000, **half), source=d.OPERATOR)
    assert desk.engine.totals(0)["margin"] == HELD // 2
    desk.frame(events.limit(L.MARGIN_BPS, 0, is_removed=True, **half), source=d.OPERATOR)
    assert desk.engine.totals(0)["margin"] == HELD
    desk.frame(events.limit(L.MARGIN_BPS, 5_000, **half), source=d.OPERATOR)
    desk.start()
    assert desk.engine.totals(0)["margin"] == HELD
