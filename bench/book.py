"""Updates of the L3 book, every integrity check on, from Market records in memory."""

from time import perf_counter_ns
from typing import Any

import numpy as np

from bench import flow
from bench.harness import Result, throughput
from openbell.book import Books
from openbell.types import RECORDS, Type

EVENTS, SEED, REPETITIONS, BATCH = 2_000_000, 7, 9, 1_000


def run() -> Result:
    """Time one native call for the whole flow, then the same in batches of 1 000 records from Python."""
    records = flow.make(EVENTS, SEED)
    return Result(
        name="book",
        input=f"{EVENTS:_} events of one instrument (46 % add, 38 % delete, 11 % execute, 5 % reduce), seed {SEED}",
        figures=[
            throughput("L3 update", "events/s", _rates(records, EVENTS), target=30e6),
            throughput("L3 update from Python in batches of 1000", "events/s", _rates(records, BATCH), target=20e6),
        ],
        notes="1 to 2 thousand live orders; table of 2^21 slots; 48 bytes an order, 66 a level; one thread",
    )


def _rates(records: Any, batch: int) -> list[float]:
    books = Books(instruments_max=16, orders_max=1 << 20)
    books.add_instrument(0)
    empty_book = np.zeros(1, RECORDS["Market"])
    empty_book["type"] = Type.BOOK_CLEAR
    batches = [records[i : i + batch] for i in range(0, len(records), batch)]
    rates = []
    for _ in range(REPETITIONS):
        books.apply(empty_book)
        start = perf_counter_ns()
        faults = sum([books.apply(b) for b in batches])
        rates.append(len(records) * 1e9 / (perf_counter_ns() - start))
        if faults:
            raise RuntimeError(f"expected a flow without faults, found {faults}; see bench/flow.py")
    return rates
