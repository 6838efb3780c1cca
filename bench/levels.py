"""Updates of the book by price, every check on, and beside it the same flow into a book that checks nothing."""

from time import thread_time_ns
from typing import Any

import numpy as np

from bench.harness import Result, throughput
from openbell._native import UncheckedLevels
from openbell.book import Books
from openbell.types import RECORDS, Type

EVENTS, SEED, REPETITIONS, BATCH = 2_000_000, 7, 15, 1_000
MIDDLE, WINDOW = 1 << 20, 1 << 12
"""Prices lie within WINDOW ticks of MIDDLE: the unchecked book is one array that long a side."""


def run() -> Result:
    """Checked and unchecked alternately, one native call for the whole flow; then in batches from Python."""
    records = make(EVENTS, SEED)
    checked, unchecked = _alternate(records)
    batches = [records[i : i + BATCH] for i in range(0, len(records), BATCH)]
    return Result(
        name="levels",
        input=f"{EVENTS:_} BookLevel records of one instrument, about 200 levels a side, seed {SEED}",
        figures=[
            throughput("L2 update", "events/s", checked, target=80e6),
            throughput("unchecked array, the floor", "events/s", unchecked),
            throughput("L2 update from Python in batches of 1000", "events/s", _rates(_books(), batches), target=20e6),
        ],
        notes="instrument, quantity, capacity and touch of every record; the floor trusts each of them",
    )


def make(events: int, seed: int) -> Any:
    """A market by price: the touch walks, updates lie an exponential distance behind it (mean 8 ticks, 3 % a hundred
    further); half change a level's quantity, a quarter add one, a quarter remove one."""
    rng = np.random.default_rng(seed)
    walk = MIDDLE + np.cumsum(np.where(rng.random(events) < 0.01, rng.integers(-1, 2, events), 0))
    far = np.where(rng.random(events) < 0.03, rng.exponential(100.0, events), 0.0)
    distance = 1 + (rng.exponential(8.0, events) + far).astype(np.int64)
    is_bid = rng.integers(0, 2, events)
    px = np.where(is_bid == 1, walk - distance, walk + distance)
    out = np.zeros(events, RECORDS["Market"])
    out["type"], out["flags"], out["px"] = Type.BOOK_LEVEL, is_bid, px
    out["qty"] = np.where(rng.random(events) < 0.3, 0, rng.integers(1, 1_000_000, events))
    out["ts_event"] = 1_700_000_000_000_000_000 + np.arange(events) * 1_000
    out["ref"] = np.arange(events)
    return out


def _books() -> Books:
    books = Books(instruments_max=16, orders_max=1 << 16)
    books.add_instrument(0)
    return books


def _alternate(records: Any) -> tuple[list[float], list[float]]:
    books, floor = _books(), UncheckedLevels(MIDDLE - WINDOW, 2 * WINDOW)
    checked, unchecked = [], []
    for repetition in range(REPETITIONS + 1):  # the first one warms up
        for apply, rates in ((books.apply, checked), (floor.apply, unchecked)):
            start = thread_time_ns()
            apply(records)
            if repetition:
                rates.append(len(records) * 1e9 / (thread_time_ns() - start))
        if books.touch(0) != floor.touch():
            raise RuntimeError(f"expected equal books, found {books.touch(0)} and {floor.touch()} unchecked")
    return checked, unchecked


def _rates(books: Books, batches: list[Any]) -> list[float]:
    rates = []
    for _ in range(REPETITIONS):
        start = thread_time_ns()
        faults = sum([books.apply(b) for b in batches])
        rates.append(EVENTS * 1e9 / (thread_time_ns() - start))
        if faults:
            raise RuntimeError(f"expected a flow without faults, found {faults}")
    return rates
