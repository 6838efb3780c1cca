"""Memory asked for ahead of time changes nothing: records in batches leave what records one by one leave."""

import numpy as np
import pytest

from openbell.book import Books
from openbell.types import BUY, RECORDS, SELL, Type

IS_BUY = 1
INSTRUMENTS, LIVE, EVENTS = 64, 20_000, 60_000
"""More orders than the cache is trusted with (books.h), so that every step of asking ahead is taken."""


@pytest.mark.parametrize("batch", [1, 3, 16, 17, 1_000])
def test_batches_of_any_length_leave_the_same_books(seed, batch):
    records = _flow(np.random.default_rng(seed))
    ahead, one_by_one = _books(), _books()

    faults = sum(ahead.apply(records[i : i + batch]) for i in range(0, len(records), batch))
    changes = one_by_one.changes(records)

    assert faults == int(np.count_nonzero(changes[:, 0]))
    assert sum(ahead.orders(i) for i in range(INSTRUMENTS)) > 1 << 14
    assert ahead.save() == one_by_one.save()


def _books():
    books = Books(instruments_max=INSTRUMENTS, orders_max=1 << 16)
    for instrument in range(INSTRUMENTS - 1):  # one is not there
        books.add_instrument(instrument)
    return books


def _flow(rng):
    """LIVE adds, then a third each of adds, cancels and replacements, with records that name what is not there."""
    out = np.zeros(LIVE + EVENTS, RECORDS["Market"])
    is_add = np.concatenate([np.ones(LIVE, bool), rng.random(EVENTS) < 0.4])
    others = [Type.BOOK_CANCEL, Type.BOOK_EXECUTE, Type.BOOK_MODIFY, Type.TRADE]
    other = rng.choice(others, len(out), p=[0.4, 0.2, 0.3, 0.1])
    out["type"] = np.where(is_add, Type.BOOK_ADD, other)
    ids = np.arange(1, len(out) + 1)
    out["order_id"] = np.where(is_add, ids, 1 + rng.integers(0, ids))
    out["instrument"] = out["order_id"] % INSTRUMENTS
    strange = rng.random(len(out)) < 0.01
    out["instrument"][strange] = rng.choice([0, INSTRUMENTS, 0xFFFF_FFFF], int(strange.sum()))
    side = rng.choice([BUY, SELL], len(out))
    out["flags"] = np.where(side == BUY, IS_BUY, 0)
    out["px"] = np.where(side == BUY, 9_999, 10_001) + np.where(side == BUY, -1, 1) * rng.integers(0, 100, len(out))
    out["qty"] = 1 + rng.integers(0, 50, len(out))
    out["ref"] = np.where(out["type"] == Type.BOOK_MODIFY, ids + 1_000_000, 0)
    return out
