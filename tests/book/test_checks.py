"""What follows when a check of the books fails: it is counted, and the policy says whether the book is still valid."""

import numpy as np
import pytest

from openbell.book import BookFault, Books
from openbell.types import BUY, RECORDS, SELL, Check, CheckPolicy, Side, Type

MARKET = RECORDS["Market"]
CONTRADICTIONS = [
    (Check.UNKNOWN_ORDER, {"type": Type.BOOK_CANCEL, "order_id": 9, "qty": 1}),
    (Check.DUPLICATE_ORDER, {"type": Type.BOOK_ADD, "order_id": 1, "px": 5, "qty": 1}),
    (Check.NEGATIVE_QTY, {"type": Type.BOOK_ADD, "order_id": 2, "px": 5, "qty": -1}),
    (Check.OVER_EXECUTED, {"type": Type.BOOK_EXECUTE, "order_id": 1, "qty": 11}),
    (Check.BOOK_FULL, {"type": Type.BOOK_ADD, "order_id": 2, "px": 100, "qty": 2**63 - 1, "flags": 1}),
    (Check.OTHER_KIND, {"type": Type.BOOK_LEVEL, "px": 100, "qty": 1}),
]


def records(*rows: dict[str, int]) -> np.ndarray:
    out = np.zeros(len(rows), MARKET)
    for record, row in zip(out, rows, strict=True):
        for name, value in row.items():
            record[name] = int(value)
    return out


def add(order_id: int, side: Side, px: int) -> dict[str, int]:
    return {"type": Type.BOOK_ADD, "order_id": order_id, "flags": side == BUY, "px": px, "qty": 10}


def one_book() -> Books:
    books = Books(1, 100)
    books.add_instrument(0)
    books.apply(records(add(1, BUY, 100)))
    return books


def test_faults_of_the_books_are_checks_by_number():
    named = {BookFault.FULL: Check.BOOK_FULL} | {
        BookFault[c.name]: c for c, _ in CONTRADICTIONS if c != Check.BOOK_FULL
    }

    assert {int(fault) for fault in BookFault} - {int(f) for f in named} == {BookFault.OK, BookFault.NO_INSTRUMENT}
    assert all(int(fault) == int(check) for fault, check in named.items())


@pytest.mark.parametrize("policy", list(CheckPolicy))
@pytest.mark.parametrize(("check", "record"), CONTRADICTIONS)
def test_a_contradiction_is_counted_and_only_halt_takes_trust(
    check: Check, record: dict[str, int], policy: CheckPolicy
):
    books = one_book()
    books.set_policy(check, policy)

    assert books.apply(records(record)) == 1

    assert {c for c in Check if books.check_count(c)} == {check}
    assert books.is_valid(0) == (policy != CheckPolicy.HALT)
    assert books.queue(0, BUY, 100) == [(1, 10)]


@pytest.mark.parametrize("policy", [CheckPolicy.MARK, CheckPolicy.HALT])
@pytest.mark.parametrize(("ask_px", "check"), [(99, Check.CROSSED), (100, Check.LOCKED)])
def test_a_touch_that_cannot_be_is_told_once_and_doubted_while_it_lasts(ask_px: int, check: Check, policy: CheckPolicy):
    books = one_book()
    books.set_policy(check, policy)
    books.apply(records(add(2, SELL, ask_px)))

    assert [books.check_touch(0), books.check_touch(0)] == [check, Check.NONE]
    assert books.is_valid(0) == (policy == CheckPolicy.MARK)
    again = Books(1, 100)
    again.set_policy(check, policy)
    again.load(books.save())
    assert again.save() == books.save() and again.is_valid(0) == books.is_valid(0)

    books.apply(records({"type": Type.BOOK_CANCEL, "order_id": 2, "flags": 2}))
    assert books.check_touch(0) == Check.NONE
    assert books.is_valid(0)
    assert books.check_count(check) == 1


def test_around_an_auction_orders_may_cross():
    books = one_book()
    books.apply(records(add(2, SELL, 90)))

    assert books.check_touch(0, is_continuous=False) == Check.NONE
    assert books.is_valid(0)
    assert books.check_touch(0) == Check.CROSSED
    assert books.check_touch(0, is_continuous=False) == Check.NONE
    assert books.is_valid(0)
