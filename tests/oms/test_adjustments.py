"""A position moved by hand: lots at a price, money, or both; what no position can hold changes nothing."""

import pytest
from tests.oms.test_accounts import INSTRUMENTS, STRATEGIES, Books, shown

from openbell import _native, events
from openbell.types import NO_STRATEGY, PX_MAX, QTY_MAX, Side

INT64_MAX = 2**63 - 1


def oms() -> _native.Oms:
    return _native.Oms(8, STRATEGIES, INSTRUMENTS)


def adjust(book: _native.Oms, strategy: int = 0, instrument: int = 0, **booked: int) -> bool:
    done = book.adjust(events.adjustment(strategy, instrument, **booked))
    book.audit()
    return done


def test_lots_are_a_trade_without_a_fee_of_the_strategy_and_of_the_account():
    book = oms()
    assert adjust(book, 1, 2, qty=-100, px=10)
    expected = {
        "qty": -100,
        "buys": 0,
        "sells": 100,
        "fills": 1,
        "cash": 1_000,
        "cost": -1_000,
        "realized": 0,
        "fees": 0,
    }
    assert book.position(1, 2) == book.position(NO_STRATEGY, 2) == expected
    assert book.position(0, 2)["qty"] == book.position(1, 1)["qty"] == 0

    assert adjust(book, 1, 2, qty=100, px=7)
    closed = {"qty": 0, "buys": 100, "sells": 100, "fills": 2, "cash": 300, "cost": 0, "realized": 300, "fees": 0}
    assert book.position(1, 2) == book.position(NO_STRATEGY, 2) == closed


def test_money_is_a_fee_given_back_or_taken_and_moves_nothing_else():
    book = oms()
    assert adjust(book, cash=-3_000)
    assert adjust(book, cash=500)
    assert book.position(0, 0) == dict.fromkeys(("qty", "buys", "sells", "cash", "cost", "realized"), 0) | {
        "fees": 2_500,
        "fills": 2,
    }


def test_what_is_worth_money_counts_at_once():
    books = Books()
    books.mark(0, 1_000_000, 1_020_000)
    books.adjust(0, 0, 10, 1_010_000, -5_000)
    assert shown(books.totals(0), "unrealized", "fees", "gross") == (-100_000, 5_000, 10_000_000)
    books.adjust(0, 0, -10, 1_000_000, 0)
    assert shown(books.totals(), "realized", "unrealized", "gross") == (-100_000, 0, 0)


def test_a_bust_of_a_fill_beside_it_leaves_what_was_booked():
    books = Books()
    exec_id = books.trade(Side.BUY, 1_000_000, 10)
    order = books.twin_oms.live[next(iter(books.twin_oms.live))] if books.twin_oms.live else None
    assert order is None  # it was filled
    books.adjust(0, 0, 5, 1_000_000, 0)
    ended = next(iter(books.twin_oms.ended))
    assert books.report(_native.Type.BUSTED, ended, exec_id=exec_id) == "DONE"
    assert books.oms.position(0, 0)["qty"] == books.twin_oms.position(0, 0)["qty"] == 5
    books.oms.audit()
    books.compare()


@pytest.mark.parametrize(
    "wrong",
    [
        {"strategy": STRATEGIES},
        {"strategy": NO_STRATEGY},
        {"instrument": INSTRUMENTS},
        {"instrument": 2**32 - 1},
        {"qty": QTY_MAX + 1},
        {"qty": -QTY_MAX - 1},
        {"qty": -(2**63)},
        {"px": -1},
        {"px": PX_MAX + 1},
    ],
    ids=str,
)
def test_what_cannot_be_changes_nothing(wrong):
    book = oms()
    assert adjust(book, qty=3, px=5)
    before = book.save()

    booked = {"strategy": 0, "instrument": 0, "qty": 1, "px": 1, "cash": 1} | wrong
    assert not adjust(book, **booked)
    assert book.save() == before


def test_the_largest_that_can_be_is_taken():
    book = oms()
    assert adjust(book, qty=-QTY_MAX, px=PX_MAX, cash=-(2**63))
    assert adjust(book, qty=QTY_MAX, px=0, cash=INT64_MAX)
    assert book.position(0, 0)["cash"] == QTY_MAX * PX_MAX
    assert book.position(0, 0)["fees"] == 1


def test_no_sum_leaves_its_64_bits():
    book = oms()
    largest = events.adjustment(0, 0, qty=QTY_MAX)
    for _ in range(2**19 - 1):
        book.adjust(largest)
    assert book.position(0, 0)["qty"] == 2**63 - QTY_MAX
    assert not adjust(book, qty=QTY_MAX)  # the position of the strategy
    assert not adjust(book, 1, qty=QTY_MAX)  # of the account
    assert adjust(book, qty=-QTY_MAX)
    assert not adjust(book, qty=QTY_MAX)  # lots ever bought
    assert adjust(book, qty=QTY_MAX - 1)
    assert book.position(0, 0)["buys"] == INT64_MAX


def test_a_position_of_adjustments_alone_is_saved():
    book = oms()
    adjust(book, 1, 1, qty=-4, px=9)
    adjust(book, 0, 2, cash=77)

    again = oms()
    again.load(book.save())
    assert again.save() == book.save()
    assert again.position(1, 1) == book.position(1, 1)
    assert again.position(0, 2)["fees"] == -77
    again.audit()
