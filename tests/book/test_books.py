"""The native books against their slow twin, and the rules of a fault."""

import numpy as np
import pytest

from openbell.book import CHANGE, LEVEL, BookFault, Books
from openbell.types import BUY, RECORDS, SELL, Type
from oracles import book as oracle

MARKET = RECORDS["Market"]
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


def record(kind, order_id=0, side=BUY, px=0, qty=0, ref=0, flags=0, instrument=0):
    r = np.zeros((), MARKET)
    r["type"], r["instrument"], r["order_id"], r["px"], r["qty"], r["ref"] = kind, instrument, order_id, px, qty, ref
    r["flags"] = flags | (oracle.IS_BUY if side == BUY else 0)
    return r[()]


def add(order_id, side, px, qty, **more):
    return record(Type.BOOK_ADD, order_id, side, px, qty, **more)


def execute(order_id, qty, **more):
    return record(Type.BOOK_EXECUTE, order_id, qty=qty, flags=oracle.AT_ORDER_PX, **more)


def delete(order_id, **more):
    return record(Type.BOOK_CANCEL, order_id, flags=oracle.WHOLE, **more)


def apply(books, *records):
    return books.changes(np.array(list(records), MARKET)).view(CHANGE)[:, 0]


def depth(books, instrument, side, levels_max=10_000):
    rows = books.depth(instrument, side, levels_max).view(LEVEL)[:, 0]
    return [(int(r["px"]), int(r["qty"]), int(r["orders"])) for r in rows]


def one_book(**limits):
    books = Books(instruments_max=2, **{"orders_max": 100, **limits})
    assert books.add_instrument(0)
    return books


def test_the_touch_is_the_sum_of_the_best_level():
    books = one_book()

    apply(books, add(1, BUY, 9_900, 10), add(2, BUY, 10_000, 20), add(3, BUY, 10_000, 5), add(4, SELL, 10_100, 7))

    assert books.touch(0) == (10_000, 25, 10_100, 7)
    assert depth(books, 0, BUY) == [(10_000, 25, 2), (9_900, 10, 1)]
    assert books.queue(0, BUY, 10_000) == [(2, 20), (3, 5)]


def test_an_execution_says_where_and_how_much_the_resting_order_lost():
    books = one_book()

    changes = apply(books, add(1, SELL, 10_000, 30), execute(1, 10), delete(1))

    assert [(c["touched"], c["side"], c["px"], c["qty"]) for c in changes] == [
        (1, SELL, 10_000, 30),
        (1, SELL, 10_000, 10),
        (1, SELL, 10_000, 20),
    ]
    assert books.touch(0) == (0, 0, 0, 0)


def test_a_replaced_order_goes_to_the_back_even_under_its_own_reference():
    books = one_book()

    apply(books, add(1, BUY, 100, 10), add(2, BUY, 100, 10), record(Type.BOOK_MODIFY, 1, px=100, qty=8, ref=1))

    assert books.queue(0, BUY, 100) == [(2, 10), (1, 8)]


def test_a_change_away_from_the_best_does_not_touch():
    books = one_book()

    changes = apply(books, add(1, BUY, 100, 10), add(2, BUY, 99, 10), delete(2))

    assert changes["touched"].tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (delete(9), BookFault.UNKNOWN_ORDER),
        (delete(1, instrument=1), BookFault.UNKNOWN_ORDER),
        (add(1, SELL, 200, 1), BookFault.DUPLICATE_ORDER),
        (add(2, SELL, 200, 0), BookFault.NEGATIVE_QTY),
        (add(2, SELL, 200, -5), BookFault.NEGATIVE_QTY),
        (add(2, BUY, 100, INT64_MAX), BookFault.FULL),
        (execute(1, 11), BookFault.OVER_EXECUTED),
        (execute(1, -1), BookFault.NEGATIVE_QTY),
        (record(Type.BOOK_MODIFY, 1, px=100, qty=0, ref=2), BookFault.NEGATIVE_QTY),
        (record(Type.BOOK_MODIFY, 3, px=100, qty=1, ref=2), BookFault.UNKNOWN_ORDER),
    ],
)
def test_a_record_that_contradicts_the_book_changes_nothing_and_invalidates_it(bad, fault):
    books = one_book()
    books.add_instrument(1)
    apply(books, add(1, BUY, 100, 10))

    change = apply(books, bad)[0]

    assert change["fault"] == fault
    assert not books.is_valid(int(bad["instrument"]))
    assert books.queue(0, BUY, 100) == [(1, 10)]
    books.set_valid(0, True)
    assert books.is_valid(0)


def test_an_instrument_that_was_not_added_is_reported_and_harms_no_book():
    books = one_book()

    assert apply(books, add(1, BUY, 100, 1, instrument=1))[0]["fault"] == BookFault.NO_INSTRUMENT
    assert apply(books, add(1, BUY, 100, 1, instrument=2**32 - 1))[0]["fault"] == BookFault.NO_INSTRUMENT
    assert books.is_valid(0)


def test_a_full_table_refuses_and_a_free_place_accepts_again():
    books = one_book(orders_max=2)

    faults = apply(books, add(1, BUY, 1, 1), add(2, BUY, 1, 1), add(3, BUY, 1, 1), delete(1), add(3, BUY, 1, 1))[
        "fault"
    ]

    assert faults.tolist() == [BookFault.OK, BookFault.OK, BookFault.FULL, BookFault.OK, BookFault.OK]


def test_every_int64_is_a_price():
    books = one_book()

    apply(books, *(add(i, BUY, px, 1) for i, px in enumerate((0, INT64_MIN, INT64_MAX, -1, 1))))
    apply(books, *(add(i + 5, SELL, px, 1) for i, px in enumerate((0, INT64_MIN, INT64_MAX, -1, 1))))

    assert [px for px, _, _ in depth(books, 0, BUY)] == [INT64_MAX, 1, 0, -1, INT64_MIN]
    assert [px for px, _, _ in depth(books, 0, SELL)] == [INT64_MIN, -1, 0, 1, INT64_MAX]
    assert books.is_crossed(0)


def test_one_reference_may_live_on_two_venues():
    books = Books(instruments_max=3, orders_max=10)
    for instrument, venue in ((0, 0), (1, 0), (2, 1)):
        books.add_instrument(instrument, venue)

    changes = apply(books, *(add(7, BUY, 100 + i, 1, instrument=i) for i in range(3)), delete(7, instrument=2))

    assert changes["fault"].tolist() == [BookFault.OK, BookFault.DUPLICATE_ORDER, BookFault.OK, BookFault.OK]
    assert books.queue(0, BUY, 100) == [(7, 1)]
    assert books.orders(2) == 0


def random_flow(rng, events, instruments, spread, bad):
    """Mostly sensible records (prices around 0, `spread` wide), a share `bad` of them nonsense."""
    live = [(0, 0)]
    out = np.zeros(events, MARKET)
    next_id = 1
    for r in out:
        kind = rng.choice(
            [Type.BOOK_ADD, Type.BOOK_CANCEL, Type.BOOK_EXECUTE, Type.BOOK_MODIFY], p=[0.5, 0.2, 0.2, 0.1]
        )
        instrument, order_id = live[rng.integers(len(live))]
        is_add = kind == Type.BOOK_ADD
        new_id = next_id if rng.random() > bad else live[rng.integers(len(live))][1]
        next_id += 1 if rng.random() < 0.9 else 64
        r["type"] = kind
        r["instrument"] = rng.integers(instruments) if is_add or rng.random() < bad else instrument
        r["order_id"] = new_id if is_add else order_id
        r["ref"] = order_id if rng.random() < 0.1 else new_id
        r["flags"] = rng.integers(8)
        r["px"] = int(rng.normal(0, spread))
        r["qty"] = rng.integers(-1, 20) if rng.random() < bad else rng.integers(1, 12)
        if is_add or kind == Type.BOOK_MODIFY:
            live.append((int(r["instrument"]), int(new_id)))
        if len(live) > 300:
            del live[rng.integers(len(live))]
        if rng.random() < 0.0005:
            r["type"] = Type.BOOK_CLEAR
    return out


@pytest.mark.parametrize(
    ("seed", "spread", "bad", "orders_max", "levels_max"),
    [
        (1, 5, 0.0, 5000, 5000),
        (2, 40, 0.1, 5000, 5000),
        (3, 2000, 0.1, 5000, 5000),
        (4, 60, 0.2, 90, 60),
        (5, 3, 0.5, 64, 20),
    ],
)
def test_random_flow_leaves_the_books_of_the_oracle(seed, spread, bad, orders_max, levels_max):
    rng = np.random.default_rng(seed)
    flow = random_flow(rng, 4000, 3, spread, bad)
    fast = Books(4, orders_max, levels_max)
    slow = oracle.Books([0, 1, 2], orders_max, levels_max)
    for i in range(3):
        fast.add_instrument(i)

    for start in range(0, len(flow), 50):
        batch = flow[start : start + 50]
        changes = fast.changes(batch).view(CHANGE)[:, 0]
        expected = [slow.apply(r) for r in batch]
        got = [(int(c["fault"]), bool(c["touched"]), int(c["side"]), int(c["px"]), int(c["qty"])) for c in changes]
        assert got == expected, f"seed {seed}, records {start}..{start + 50}"
        for i in range(3):
            compare(fast, slow.books[i], i)

    again = Books(4, orders_max, levels_max)
    again.load(fast.save())
    assert again.save() == fast.save()
    for i in range(3):
        compare(again, slow.books[i], i)


def compare(fast, book, instrument):
    assert fast.touch(instrument) == book.touch()
    assert fast.is_valid(instrument) == book.is_valid
    for side in (BUY, SELL):
        assert depth(fast, instrument, side) == book.depth(side)
        for px in book.levels[side]:
            assert fast.queue(instrument, side, px) == book.queue(side, px)


def test_a_ladder_of_many_levels_stays_sorted_through_growth_and_decay():
    """Blocks split, lend to their neighbours, merge and vanish; the pool must never run out."""
    rng = np.random.default_rng(7)
    books = Books(1, 3000, 3000)
    books.add_instrument(0)
    for round_ in range(6):
        prices = rng.permutation(3000)
        assert books.apply(np.array([add(int(px) + 1, SELL, int(px), 1) for px in prices], MARKET)) == 0
        assert [px for px, _, _ in depth(books, 0, SELL)] == list(range(3000))
        keep = 0 if round_ % 2 else 40
        assert books.apply(np.array([delete(int(px) + 1) for px in rng.permutation(3000)[keep:]], MARKET)) == 0
        assert books.orders(0) == keep
        books.apply(np.array([record(Type.BOOK_CLEAR)], MARKET))


def test_a_snapshot_that_does_not_fit_says_so():
    from openbell.errors import SnapshotError

    books = one_book()
    apply(books, *(add(i, BUY, i, 1) for i in range(10)))
    small = one_book(orders_max=5)

    with pytest.raises(SnapshotError, match="orders_max"):
        small.load(books.save())
    with pytest.raises(SnapshotError):
        small.load(books.save()[:-3])
