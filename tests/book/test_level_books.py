"""The books by price alone against their slow twin."""

import numpy as np
import pytest

from openbell._native import LevelBooks
from openbell.types import BUY, RECORDS, SELL, Type
from oracles import level_book as oracle

MARKET = RECORDS["Market"]
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


def record(kind, side=BUY, px=0, qty=0, instrument=0):
    r = np.zeros((), MARKET)
    r["type"], r["instrument"], r["px"], r["qty"] = kind, instrument, px, qty
    r["flags"] = oracle.IS_BUY if side == BUY else 0
    return r[()]


def level(side, px, qty, **more):
    return record(Type.BOOK_LEVEL, side, px, qty, **more)


def quote(side, px, qty, **more):
    return record(Type.QUOTE, side, px, qty, **more)


def apply(books, *records):
    return books.apply(np.array(list(records), MARKET))


def test_a_level_holds_what_was_said_last_and_zero_removes_it():
    books = LevelBooks(1, 10)
    assert apply(books, level(BUY, 99, 10), level(BUY, 100, 5), level(SELL, 101, 7), level(BUY, 99, 3)) == 0
    assert books.touch(0) == (100, 5, 101, 7)
    assert apply(books, level(BUY, 100, 0)) == 0
    assert books.touch(0) == (99, 3, 101, 7)
    assert books.levels(0, BUY) == [(99, 3)]


def test_removing_a_level_that_is_not_there_is_normal():
    assert apply(LevelBooks(1, 10), level(BUY, 99, 0)) == 0


def test_prices_at_both_ends_of_int64_are_levels():
    books = LevelBooks(1, 10)
    apply(books, level(BUY, INT64_MIN, 1), level(BUY, -1, INT64_MAX), level(SELL, INT64_MAX, 2))
    assert books.touch(0) == (-1, INT64_MAX, INT64_MAX, 2)
    assert books.levels(0, BUY) == [(-1, INT64_MAX), (INT64_MIN, 1)]


def test_a_negative_quantity_and_one_level_too_many_are_faults_that_change_nothing():
    books = LevelBooks(1, 2)
    apply(books, level(BUY, 99, 10), level(SELL, 101, 10))
    assert apply(books, level(BUY, 99, -1), level(BUY, 98, 1), level(BUY, 99, 10)) == 2
    assert books.touch(0) == (99, 10, 101, 10)


def test_a_quote_is_the_whole_side():
    books = LevelBooks(1, 1)
    apply(books, quote(BUY, 99, 1), quote(BUY, 98, 3))
    assert books.levels(0, BUY) == [(98, 3)]
    apply(books, quote(BUY, 0, 0))
    assert books.touch(0) == (0, 0, 0, 0)


@pytest.mark.parametrize("levels_max", [40, 4000])
@pytest.mark.parametrize("tick", [1, 25, 1_000_000, 2**41])
@pytest.mark.parametrize("spread", [30, 400, 5_000])
def test_random_records_leave_what_the_twin_has(rng, levels_max, tick, spread):
    books = LevelBooks(3, levels_max)
    slow = oracle.Books([0, 1, 2], levels_max)
    middle = 1_000
    for _ in range(20):
        middle += rng.choice([0, 0, rng.randint(-50, 50), rng.randint(-3_000, 3_000)])
        batch = [_random(rng, spread, middle, tick) for _ in range(100)]
        assert apply(books, *batch) == sum(slow.apply(r) != oracle.OK for r in batch)
        for i, book in slow.books.items():
            assert books.touch(i) == book.touch()
            assert books.levels(i, BUY) == book.depth(BUY)
            assert books.levels(i, SELL) == book.depth(SELL)


def _random(rng, spread, middle, tick):
    instrument = rng.randrange(3)
    side = rng.choice([BUY, SELL])
    chance = rng.random()
    px = (middle + rng.randrange(spread) * (1 if side == SELL else -1)) * tick
    if chance > 0.998:
        px += rng.randint(-1, 1)  # between two ticks
    qty = rng.choice([0, rng.randint(1, 99), rng.randint(1, 99)])
    if instrument == 1:
        return quote(side, px, qty, instrument=1)
    if chance < 0.01:
        return record(Type.BOOK_CLEAR, instrument=instrument)
    if chance < 0.02:
        return level(side, px, -1, instrument=instrument)
    return level(side, px, qty, instrument=instrument)


def test_an_instrument_that_is_not_theirs_is_a_fault_or_an_error():
    books = LevelBooks(1, 10)
    assert apply(books, level(BUY, 1, 1, instrument=1)) == 1
    with pytest.raises(IndexError):
        books.touch(1)
