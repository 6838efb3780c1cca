"""Every kind of difference, planted one at a time: it is found, named rightly, and nothing else is."""

from dataclasses import replace

import pytest
from tests.posttrade.trades import order_id

from openbell.posttrade.books import Books, Fill, OpenOrder, by_match
from openbell.posttrade.reconcile import OWNERS, BreakKind, Difference, differences
from openbell.types import Side

A, B, C = (order_id(n) for n in (1, 2, 3))
RESTING = OpenOrder("AAPL", Side.BUY, 1_500_000, 100)
BOUGHT = Fill("AAPL", Side.BUY, 1_500_000, 40, fee=10)
SOLD = Fill("AAPL", Side.SELL, 1_500_100, 15, fee=-5)


def books(name="ours", **sections):
    whole = {
        "orders": {A: RESTING},
        "ended": frozenset({B}),
        "fills": {(A, 1): BOUGHT, (B, 2): SOLD},
        "positions": {"AAPL": 25},
        "cash": {"USD": -1000},
    }
    return Books(name, **whole | sections)


def changed(**terms):
    return {"fills": {(A, 1): BOUGHT._replace(**terms), (B, 2): SOLD}}


PLANTED = {
    BreakKind.MISSING_ORDER: {"orders": {}},
    BreakKind.UNKNOWN_ORDER: {"orders": {A: RESTING, C: RESTING}},
    BreakKind.STALE_ORDER: {"orders": {}, "ended": frozenset({A, B})},
    BreakKind.ORDER_QTY: {"orders": {A: RESTING._replace(leaves_qty=60)}},
    BreakKind.ORDER_PX: {"orders": {A: RESTING._replace(px=1_500_100)}},
    BreakKind.ORDER_SIDE: {"orders": {A: RESTING._replace(side=Side.SELL)}},
    BreakKind.MISSING_FILL: {"fills": {(A, 1): BOUGHT, (B, 2): SOLD, (A, 3): BOUGHT}},
    BreakKind.UNKNOWN_FILL: {"fills": {(A, 1): BOUGHT}},
    BreakKind.DUPLICATE_FILL: changed(copies=2),
    BreakKind.FILL_QTY: changed(qty=50),
    BreakKind.FILL_PX: changed(px=1_500_200),
    BreakKind.FILL_SIDE: changed(side=Side.SELL),
    BreakKind.MISSED_BUST: changed(is_busted=True),
    BreakKind.FILL_FEE: changed(fee=11),
    BreakKind.FILL_SYMBOL: changed(symbol="MSFT"),
    BreakKind.POSITION: {"positions": {"AAPL": 26}},
    BreakKind.CASH: {"cash": {"USD": -999}},
    BreakKind.UNKNOWN_SYMBOL: {"unknown_symbols": frozenset({"MSFT"})},
}


def kinds(ours, theirs):
    return [difference.kind for difference in differences(ours, theirs)]


def test_equal_books_differ_in_nothing():
    assert differences(books(), books("venue")) == []


@pytest.mark.parametrize("kind", PLANTED, ids=lambda kind: kind.name)
def test_a_planted_difference_is_found_and_nothing_else(kind):
    """A side with planted executions says nothing of positions, and the other way round: it would contradict itself."""
    theirs = books("venue", **PLANTED[kind])
    if "fills" in PLANTED[kind]:
        theirs.positions = None
    if "positions" in PLANTED[kind]:
        theirs.fills = None

    assert kinds(books(), theirs) == [kind]


def test_a_bust_that_only_we_know():
    ours = replace(books(**changed(is_busted=True)), positions=None)

    assert kinds(ours, books("venue", positions=None)) == [BreakKind.UNKNOWN_BUST]


def test_an_order_that_is_over_here_and_open_there_is_stale():
    assert kinds(books(orders={}, ended=frozenset({A, B})), books("venue")) == [BreakKind.STALE_ORDER]


@pytest.mark.parametrize("wrong", ["ours", "theirs"])
def test_a_side_whose_position_is_not_the_sum_of_its_executions_contradicts_itself(wrong):
    ours, theirs = books(), books("venue")
    (ours if wrong == "ours" else theirs).positions = {"AAPL": 20}

    assert kinds(ours, theirs) == [BreakKind.POSITION, BreakKind.POSITION_OF_FILLS]


def test_what_one_side_does_not_speak_of_is_not_compared():
    silent = Books("drop copy", positions={"AAPL": 25})

    assert differences(books(), silent) == []


def test_a_fee_nobody_states_is_no_difference():
    assert differences(books(), books("venue", **changed(fee=None))) == []


def test_a_busted_execution_of_one_side_needs_no_counterpart():
    theirs = books("venue", fills={(A, 1): BOUGHT, (B, 2): SOLD, (A, 3): BOUGHT._replace(is_busted=True)})

    assert differences(books(), theirs) == []


def test_who_knows_match_numbers_only_is_compared_by_them():
    statement = Books("statement", fills=by_match([(1, BOUGHT), (2, SOLD._replace(qty=16))]))

    assert differences(books(), statement) == [Difference(BreakKind.FILL_QTY, "AAPL", (0, 2), 15, 16)]


def test_both_sides_of_a_trade_with_ourselves_are_kept_apart():
    ours = books(fills={(A, 7): BOUGHT, (B, 7): SOLD}, positions=None)

    assert differences(ours, Books("statement", fills=by_match([(7, SOLD), (7, BOUGHT)]))) == []
    assert kinds(ours, Books("statement", fills=by_match([(7, BOUGHT)]))) != []


def test_a_row_that_stands_twice_is_two_copies():
    assert by_match([(1, BOUGHT), (1, BOUGHT)]) == {(0, 1): BOUGHT._replace(copies=2)}


def test_every_kind_has_an_owner():
    for kind in BreakKind:
        assert Difference(kind, "AAPL", (0, 0), 0, 1).owner
    assert set(PLANTED) | {BreakKind.UNKNOWN_BUST, BreakKind.POSITION_OF_FILLS} == set(BreakKind)
    assert OWNERS[BreakKind.CASH] == "finance"
