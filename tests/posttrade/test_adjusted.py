"""What a person booked: in the blotter, in the ledger, beside the executions, and against the venue's."""

import random

import pytest
from tests.posttrade.test_reconcile import BOUGHT, SOLD, A, B, books, kinds
from tests.posttrade.trades import AAPL, SONY, STRATEGY, commanded, decided, heard, listed, order_id, told

from openbell import _native, events
from openbell.posttrade.adjusted import moved, with_adjustments
from openbell.posttrade.blotter import Blotter, TradeKey
from openbell.posttrade.books import Fill, by_match
from openbell.posttrade.ledger import Account, Bookkeeper
from openbell.posttrade.profit import profit_rows
from openbell.posttrade.reconcile import BreakKind
from openbell.types import NO_STRATEGY, PX_MAX, QTY_MAX, Side, Type

ASSETS = {0: AAPL, 1: SONY}
CENTS = 10**14
"""1e-4 of a currency in the ledger's 10^-18."""
TOLD = Fill("AAPL", Side.BUY, 100_000, 100, fee=3_000 * CENTS)


def booked(*adjustments: bytes) -> Blotter:
    return Blotter().take_all([heard(1, listed(0, AAPL), listed(1, SONY)), *(heard(2, one) for one in adjustments)])


def by_hand(qty: int = 0, px: int = 0, match: int = 0, **more: int) -> bytes:
    return events.adjustment(STRATEGY, more.pop("instrument", 0), qty=qty, px=px, match=match, **more)


# ---- blotter, profit, ledger


def test_an_adjustment_is_a_trade_of_its_strategy_that_no_order_made():
    book = booked(by_hand(-100, 100_100, match=7, cash=-3_000), by_hand(cash=5_000, instrument=1))
    sold, paid = book.adjustments

    assert (sold.strategy, sold.side, sold.qty, sold.px, sold.fee, sold.match) == (
        STRATEGY,
        Side.SELL,
        100,
        100_100,
        3_000,
        7,
    )
    assert (paid.instrument, paid.qty, paid.signed_qty, paid.fee, paid.match) == (1, 0, 0, -5_000, 0)
    assert book.position(0) == book.position(0, STRATEGY) == -100
    assert book.order_ids == frozenset()
    assert [*book.trades] == [TradeKey(STRATEGY << 30, -1), TradeKey(STRATEGY << 30, -2)]


def test_what_the_engine_does_not_take_is_no_trade():
    wrong = [
        events.adjustment(NO_STRATEGY, 0, qty=1, px=1),
        events.adjustment(1_024, 0, qty=1, px=1),
        by_hand(1, 1, instrument=2),
        by_hand(QTY_MAX + 1, 1),
        by_hand(-QTY_MAX - 1, 1),
        by_hand(1, -1),
        by_hand(1, PX_MAX + 1),
    ]
    book = booked(*wrong)
    assert book.adjustments == []
    assert len(book.disowned) == len(wrong)


def test_a_match_number_of_64_bits_is_kept_whole():
    (one,) = booked(by_hand(1, 1, match=2**64 - 2)).adjustments
    assert one.match == 2**64 - 2


def test_in_the_ledger_it_has_a_counter_account_of_its_own_and_all_sums_to_zero():
    book, keeper = booked(by_hand(100, 1_500_100, cash=-3_000), by_hand(cash=10_000)), Bookkeeper()
    keeper.keep(book.trades.values(), book.assets, seq=9)

    keeper.ledger.check()
    usd = 10**18
    assert keeper.ledger.balances() == {
        (Account.ADJUSTMENTS, STRATEGY, "AAPL"): -100,
        (Account.ADJUSTMENTS, STRATEGY, "USD"): 15_001 * usd + 3 * usd // 10 - usd,
        (Account.CASH, STRATEGY, "USD"): -15_001 * usd - 3 * usd // 10 + usd,
        (Account.HOLDINGS, STRATEGY, "AAPL"): 100,
    }
    assert [entry.what for entry in keeper.ledger.entries] == [
        "by hand: bought 100 AAPL at 1500100",
        "by hand: cash of AAPL",
    ]


def test_positions_cash_and_fees_are_those_of_the_engine(rng: random.Random):
    oms, records = _native.Oms(8, 4, 2), []
    for _ in range(200):
        record = by_hand(
            rng.randint(-50, 50), rng.randint(0, 200), instrument=rng.randrange(2), cash=rng.randint(-9, 9)
        )
        assert oms.adjust(record)
        records.append(record)
    book = booked(*records)

    rows = profit_rows(book, lambda _: (100, 1, 101, 1), "average")
    for number, row in enumerate(rows):
        held = oms.position(STRATEGY, number)
        unit = 10 ** (18 - ASSETS[number].decimals)
        assert (row.position, row.bought, row.sold) == (held["qty"], held["buys"], held["sells"])
        assert (row.realized, row.fees) == (held["realized"] * unit, held["fees"] * CENTS)
        assert row.trades == held["fills"]
    assert len(rows) == 2


# ---- beside executions


@pytest.mark.parametrize(
    ("what", "told_before", "adjustments", "stands"),
    [
        ("never told", None, [by_hand(100, 100_100, match=7)], TOLD._replace(px=100_100, fee=0)),
        (
            "never told, with its fee",
            None,
            [by_hand(cash=-3_000, match=7), by_hand(-100, 100_100, match=7)],
            Fill("AAPL", Side.SELL, 100_100, 100, fee=3_000 * CENTS),
        ),
        ("never told, and taken back", None, [by_hand(9, 1, match=7), by_hand(-9, 1, match=7)], None),
        ("money of nothing", None, [by_hand(cash=1, match=7)], None),
        ("never was", TOLD, [by_hand(-100, 100_000, match=7)], TOLD._replace(is_busted=True)),
        ("another quantity", TOLD, [by_hand(-40, 100_000, match=7)], TOLD._replace(qty=60)),
        (
            "another price",
            TOLD,
            [by_hand(-100, 100_000, match=7), by_hand(100, 100_100, match=7)],
            TOLD._replace(px=100_100),
        ),
        (
            "another side",
            TOLD,
            [by_hand(-200, 100_000, match=7)],
            TOLD._replace(side=Side.SELL),
        ),
        ("another fee", TOLD, [by_hand(cash=1_000, match=7)], TOLD._replace(fee=2_000 * CENTS)),
        ("busted, and yet it stands", TOLD._replace(is_busted=True), [by_hand(100, 100_000, match=7)], TOLD),
        ("of a side that says nothing of fees", TOLD._replace(fee=None), [by_hand(-1, 1, match=7)],
         TOLD._replace(fee=None, qty=99)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_said_of_a_match_is_added_to_that_execution(what, told_before, adjustments, stands):
    fills = {(order_id(1), 7): told_before} if told_before else {}
    key = (order_id(1), 7) if told_before else (0, 7)
    found = with_adjustments(fills, booked(*adjustments).adjustments, ASSETS, has_fees=True)
    assert found == ({key: stands} if stands else {}), what


def test_of_two_strategies_in_one_match_each_is_put_right_for_itself():
    other = order_id(2, strategy=1)
    fills = {(other, 7): TOLD._replace(side=Side.SELL), (order_id(1), 7): TOLD}
    found = with_adjustments(fills, booked(by_hand(-60, 1, match=7)).adjustments, ASSETS, has_fees=True)
    assert found == {(other, 7): fills[other, 7], (order_id(1), 7): TOLD._replace(qty=40)}


def test_an_execution_of_another_instrument_with_that_number_is_another_one():
    fills = {(order_id(1), 7): TOLD}
    found = with_adjustments(fills, booked(by_hand(5, 1, match=7, instrument=1)).adjustments, ASSETS, has_fees=False)
    assert found == {**fills, (0, 7): Fill("SONY", Side.BUY, 1, 5)}


def test_what_names_no_match_moves_the_position_alone():
    book = booked(by_hand(5, 1), by_hand(-7, 1), by_hand(3, 1, match=7), by_hand(1, 1, instrument=1), by_hand(cash=1))
    assert moved(book.adjustments, ASSETS) == {"AAPL": -2, "SONY": 1}
    assert [*with_adjustments({}, book.adjustments, ASSETS, has_fees=False)] == [(0, 7)]


# ---- against the venue's


def test_the_breaks_of_a_fill_that_was_never_heard_close_when_it_is_booked():
    theirs = books(
        "venue", fills={(A, 1): BOUGHT, (B, 2): SOLD, (B, 9): BOUGHT}, positions={"AAPL": 65}, cash={"USD": -7}
    )
    assert kinds(books(), theirs) == [BreakKind.MISSING_FILL, BreakKind.POSITION, BreakKind.CASH]

    ours = books(fills={(A, 1): BOUGHT, (B, 2): SOLD, (0, 9): BOUGHT}, positions={"AAPL": 65}, cash={"USD": -7})
    assert kinds(ours, theirs) == []


def test_a_position_moved_without_a_match_contradicts_nothing_of_ours():
    ours, theirs = books(positions={"AAPL": 30}, moved={"AAPL": 5}), books("venue", positions={"AAPL": 30}, fills=None)
    assert kinds(ours, theirs) == []
    assert kinds(books(positions={"AAPL": 30}, moved={"AAPL": 4}), theirs) == [BreakKind.POSITION_OF_FILLS]
    assert kinds(books(moved={"MSFT": 0}), books("venue")) == []


def test_a_booked_match_is_the_execution_that_we_have_not_heard_of():
    both = {(A, 7): BOUGHT, (B, 7): BOUGHT._replace(side=Side.SELL)}
    theirs = books("venue", fills=both, positions=None)
    heard_one = {(A, 7): BOUGHT, (0, 7): BOUGHT._replace(side=Side.SELL)}
    assert kinds(books(fills=heard_one, positions=None), theirs) == []
    assert kinds(books(fills={(0, 7): both[B, 7]}, positions=None), theirs) == [BreakKind.MISSING_FILL]


def test_a_booked_match_that_nobody_else_knows_is_a_break():
    ours = books(fills={(A, 1): BOUGHT, (B, 2): SOLD, (0, 9): BOUGHT}, positions=None)
    assert kinds(ours, books("venue", positions=None)) == [BreakKind.UNKNOWN_FILL]


def test_an_execution_that_only_we_had_is_none_once_it_is_taken_back():
    ours = {(A, 1): BOUGHT, (B, 2): SOLD, (B, 3): BOUGHT}
    theirs = books("venue", positions=None)
    assert kinds(books(fills=ours, positions=None), theirs) == [BreakKind.UNKNOWN_FILL]
    taken_back = ours | {(B, 3): BOUGHT._replace(is_busted=True)}
    assert kinds(books(fills=taken_back, positions=None), theirs) == []


def test_a_statement_knows_a_booked_match_by_its_number():
    ours = books(fills={(A, 1): BOUGHT, (0, 2): SOLD}, positions=None)
    assert kinds(ours, books("statement", fills=by_match([(1, BOUGHT), (2, SOLD)]), positions=None, orders=None)) == []


def test_an_execution_that_is_heard_after_all_is_twice_in_our_books_until_it_is_taken_back():
    late = decided(3, commanded(1)), heard(4, told(Type.FILLED, 1, 7, px=100_000, qty=100))
    frames = [heard(1, listed(0, AAPL)), heard(2, by_hand(100, 100_000, match=7))]
    book = Blotter().take_all([*frames, *late])
    fills = {(order_id(1), 7): TOLD._replace(fee=None)}

    found = with_adjustments(fills, book.adjustments, book.assets, has_fees=False)
    assert found == {(order_id(1), 7): TOLD._replace(fee=None, qty=200)}  # FILL_QTY and POSITION name it
    book.take(heard(5, by_hand(-100, 100_000, match=7)))
    assert with_adjustments(fills, book.adjustments, book.assets, has_fees=False) == fills
    assert book.position(0) == 100
