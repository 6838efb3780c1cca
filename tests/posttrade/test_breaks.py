"""The desk: what stands is a break, what goes away by itself is none."""

import pytest

from openbell.errors import CapacityError
from openbell.posttrade.breaks import BreakDesk, ages
from openbell.posttrade.reconcile import BreakKind, Difference
from openbell.types import BreakNews

MS = 1_000_000
SECOND = 1_000 * MS
MISSING = Difference(BreakKind.MISSING_FILL, "AAPL", (5, 7), 0, 100)
CASH = Difference(BreakKind.CASH, "USD", (0, 0), -5, 0)


def opened(desk, *found, at=0, against="venue"):
    desk.look(against, found, at)
    return desk.look(against, found, at + 300 * MS)


def test_a_difference_that_stands_is_a_break_since_it_was_first_seen():
    desk = BreakDesk(grace_ns=300 * MS)

    assert desk.look("venue", [MISSING], 1 * SECOND) == []
    assert desk.look("venue", [MISSING], 1 * SECOND + 299 * MS) == []
    [(news, known)] = desk.look("venue", [MISSING], 1 * SECOND + 300 * MS)

    assert (news, known.number, known.since, known.owner) == (BreakNews.OPENED, 1, 1 * SECOND, "operations")
    assert known.age_s(4 * SECOND) == 3.0
    assert known.sentence() == "MISSING_FILL AAPL of match 7: we have 0, venue has 100; for operations"
    assert desk.look("venue", [MISSING], 2 * SECOND) == []


def test_what_was_only_on_its_way_is_none():
    desk = BreakDesk()
    desk.look("venue", [MISSING], 0)
    desk.look("venue", [], 100 * MS)

    assert desk.look("venue", [MISSING], 400 * MS) == []
    assert desk.breaks == {}


def test_values_that_move_are_on_their_way_too():
    desk = BreakDesk()
    for round_ in range(20):
        assert desk.look("venue", [MISSING._replace(theirs=round_)], round_ * 100 * MS) == []


def test_a_break_closes_when_the_books_agree():
    desk = BreakDesk()
    opened(desk, MISSING)

    [(news, known)] = desk.look("venue", [], 9 * SECOND)

    assert (news, known.key.kind, desk.breaks) == (BreakNews.CLOSED, BreakKind.MISSING_FILL, {})


def test_a_break_that_changes_says_so_and_keeps_its_age():
    desk = BreakDesk()
    opened(desk, CASH)

    [(news, known)] = desk.look("venue", [CASH._replace(ours=-6)], 9 * SECOND)

    assert (news, known.ours, known.since, known.number) == (BreakNews.CHANGED, -6, 0, 1)


def test_one_side_says_nothing_of_breaks_with_another():
    desk = BreakDesk()
    opened(desk, MISSING, against="venue")

    assert desk.look("drop copy", [], 9 * SECOND) == []
    assert len(desk.breaks) == 1


def test_what_could_not_be_compared_stays():
    desk = BreakDesk()
    opened(desk, MISSING, CASH)

    closed = desk.look("venue", [], 9 * SECOND, unsure={BreakKind.CASH})

    assert [known.key.kind for _, known in closed] == [BreakKind.MISSING_FILL]
    assert [key.kind for key in desk.breaks] == [BreakKind.CASH]


def test_breaks_are_counted_by_age():
    desk = BreakDesk()
    opened(desk, MISSING, at=0)
    opened(desk, CASH, at=90 * SECOND, against="statement")

    assert ages(desk.breaks.values(), 100 * SECOND) == {"<60s": 1, "<600s": 1, "<3600s": 0, "<86400s": 0, "older": 0}
    assert ages(desk.breaks.values(), 10**9 * SECOND)["older"] == 2


def test_books_of_another_account_are_refused_rather_than_listed():
    desk = BreakDesk(breaks_max=1)

    with pytest.raises(CapacityError, match="at most 1 differences, found 2"):
        desk.look("venue", [MISSING, CASH], 0)


def test_a_sentence_names_the_order_where_that_is_what_differs():
    desk = BreakDesk(grace_ns=0)
    [(_, known)] = desk.look("venue", [Difference(BreakKind.ORDER_PX, "AAPL", (5, 0), 1, 2)], 0)
    [(_, money)] = desk.look("bank", [CASH], 0)

    assert known.sentence() == "ORDER_PX AAPL of order 5: we have 1, venue has 2; for trading"
    assert money.sentence() == "CASH USD: we have -0.000000000000000005, bank has 0.00; for finance"
