"""Books of venues that tell levels or quotes: the native ones against their slow twin, and their rules."""

import numpy as np
import pytest

from openbell.book import CHANGE, LEVEL, BookFault, Books
from openbell.types import BUY, RECORDS, SELL, Type
from oracles import level_book as oracle

MARKET = RECORDS["Market"]
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


def record(kind, side=BUY, px=0, qty=0, instrument=0, order_id=0):
    r = np.zeros((), MARKET)
    r["type"], r["instrument"], r["px"], r["qty"], r["order_id"] = kind, instrument, px, qty, order_id
    r["flags"] = oracle.IS_BUY if side == BUY else 0
    return r[()]


def level(side, px, qty, **more):
    return record(Type.BOOK_LEVEL, side, px, qty, **more)


def quote(side, px, qty, **more):
    return record(Type.QUOTE, side, px, qty, **more)


def apply(books, *records):
    return books.changes(np.array(list(records), MARKET)).view(CHANGE)[:, 0]


def depth(books, instrument, side, levels_max=10_000):
    rows = books.depth(instrument, side, levels_max).view(LEVEL)[:, 0]
    return [(int(r["px"]), int(r["qty"])) for r in rows]


def one_book(**limits):
    books = Books(instruments_max=2, **{"orders_max": 100, **limits})
    assert books.add_instrument(0)
    return books


def test_a_level_holds_what_was_said_last_and_zero_removes_it():
    books = one_book()

    changes = apply(
        books, level(BUY, 99, 10), level(BUY, 100, 5), level(SELL, 101, 7), level(BUY, 99, 3), level(BUY, 100, 0)
    )

    assert changes["fault"].tolist() == [0] * 5
    assert changes["touched"].tolist() == [1, 1, 1, 0, 1]
    assert books.touch(0) == (99, 3, 101, 7)
    assert depth(books, 0, BUY) == [(99, 3)]


def test_removing_a_level_that_is_not_there_is_normal():
    books = one_book()
    assert apply(books, level(BUY, 99, 0))["fault"].tolist() == [0]
    assert books.is_valid(0)


def test_prices_at_both_ends_of_int64_are_levels():
    books = one_book()
    apply(books, level(BUY, INT64_MIN, 1), level(BUY, -1, INT64_MAX), level(SELL, INT64_MAX, 2))
    assert books.touch(0) == (-1, INT64_MAX, INT64_MAX, 2)
    assert depth(books, 0, BUY) == [(-1, INT64_MAX), (INT64_MIN, 1)]


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (level(BUY, 100, -1), BookFault.NEGATIVE_QTY),
        (level(BUY, 100, 1), BookFault.FULL),
        (record(Type.BOOK_ADD, BUY, 100, 1, order_id=1), BookFault.OTHER_KIND),
    ],
)
def test_a_record_that_contradicts_the_book_changes_nothing_and_invalidates_it(bad, fault):
    books = one_book(levels_max=2)
    apply(books, level(BUY, 99, 10), level(SELL, 101, 10))

    assert apply(books, bad)[0]["fault"] == fault

    assert not books.is_valid(0)
    assert books.touch(0) == (99, 10, 101, 10)


def test_levels_of_a_book_by_order_are_of_another_kind():
    books = one_book()
    apply(books, record(Type.BOOK_ADD, BUY, 100, 1, order_id=1))
    assert apply(books, level(BUY, 99, 1))[0]["fault"] == BookFault.OTHER_KIND
    assert not books.is_valid(0)


def test_a_quote_is_the_book_until_levels_come_and_nothing_after():
    books = one_book()
    apply(books, quote(BUY, 99, 1), quote(SELL, 101, 2), quote(BUY, 98, 3))
    assert books.touch(0) == (98, 3, 101, 2)

    apply(books, level(SELL, 105, 4))
    assert books.touch(0) == (0, 0, 105, 4)

    changes = apply(books, quote(BUY, 104, 9))
    assert changes["touched"].tolist() == [0]
    assert books.touch(0) == (0, 0, 105, 4)


def test_an_empty_quote_empties_its_side():
    books = one_book()
    apply(books, quote(BUY, 99, 1), quote(BUY, 0, 0))
    assert books.touch(0) == (0, 0, 0, 0)


@pytest.mark.parametrize("levels_max", [40, 4000])
def test_random_records_leave_what_the_twin_has(rng, levels_max):
    books = Books(instruments_max=3, orders_max=10, levels_max=levels_max)
    slow = oracle.Books([0, 1, 2], levels_max)
    for i in range(3):
        books.add_instrument(i)
    spread = 30 if levels_max == 40 else 400
    for _ in range(60):
        batch = [_random(rng, spread) for _ in range(200)]
        changes = apply(books, *batch)
        assert [int(f) for f in changes["fault"]] == [slow.apply(r) for r in batch]
        for i, book in slow.books.items():
            assert books.touch(i) == book.touch()
            assert books.is_valid(i) == book.is_valid
            for side in (BUY, SELL):
                assert depth(books, i, side) == book.depth(side)


def _random(rng, spread):
    instrument = rng.randrange(3)
    side = rng.choice([BUY, SELL])
    chance = rng.random()
    px = 1000 + rng.randrange(spread) * (1 if side == SELL else -1)
    qty = rng.choice([0, rng.randint(1, 99), rng.randint(1, 99)])
    if instrument == 1:  # quotes only
        return quote(side, px, qty, instrument=1)
    if chance < 0.01:
        return record(Type.BOOK_CLEAR, instrument=instrument)
    if chance < 0.02:
        return level(side, px, -1, instrument=instrument)
    if chance < 0.05:
        return quote(side, px, qty, instrument=instrument)
    return level(side, px, qty, instrument=instrument)


def test_a_saved_book_is_the_same_and_saves_the_same(rng):
    books = Books(instruments_max=3, orders_max=10, levels_max=5000)
    for i in range(3):
        books.add_instrument(i)
    apply(books, *[_random(rng, 400) for _ in range(3000)])
    other = Books(instruments_max=3, orders_max=10, levels_max=5000)

    other.load(books.save())

    assert other.save() == books.save()
    for i in range(3):
        assert other.touch(i) == books.touch(i)
        assert other.is_valid(i) == books.is_valid(i)
        assert depth(other, i, SELL) == depth(books, i, SELL)
    more = [_random(rng, 400) for _ in range(1000)]
    assert (apply(other, *more) == apply(books, *more)).all()
    assert other.save() == books.save()
