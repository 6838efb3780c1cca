"""Updates of the L3 book, every integrity check on, from Market records in memory; beside a bare kernel."""

from time import thread_time_ns
from typing import Any

import numpy as np

from bench import flow, flow_many
from bench.harness import Figure, Result, samples, throughput
from openbell._native import BareBook
from openbell.book import Books
from openbell.types import RECORDS, Type

EVENTS, SEED, REPETITIONS, BATCH = 2_000_000, 7, 9, 1_000
INSTRUMENTS = {1: None, 1_000: 1.5, 10_000: 3.0}
"""How many, and what an event may cost then of what it costs with one."""


def run() -> Result:
    """Time the same flow as one native call, in batches from Python, on a bare kernel, and over many instruments."""
    records = flow.make(EVENTS, SEED)
    bare, whole, batches = _rates(records)
    return Result(
        name="book",
        input=f"{EVENTS:_} events of one instrument (46 % add, 38 % delete, 11 % execute, 5 % reduce), seed {SEED}",
        figures=[
            throughput("floor: the same flow, nothing checked", "events/s", bare),
            throughput("L3 update", "events/s", whole, target=30e6),
            throughput("L3 update from Python in batches of 1000", "events/s", batches, target=20e6),
            *_growth(),
        ],
        notes="1 to 2 thousand live orders; table of 2^21 slots; 48 bytes an order, 66 a level, 672 an instrument; "
        "one thread, its own time; in turns; the floor: one array of orders by reference, one of levels by tick",
    )


def _rates(records: Any) -> tuple[list[float], list[float], list[float]]:
    """Events a second of the floor, of one call, and of batches, in turns."""
    px = records["px"][records["type"] == Type.BOOK_ADD]
    floor = BareBook(len(records), int(px.min()) - flow.TICK, int(px.max()) + flow.TICK, flow.TICK)
    books = Books(instruments_max=16, orders_max=1 << 20)
    books.add_instrument(0)
    batches = [records[i : i + BATCH] for i in range(0, len(records), BATCH)]
    rates: tuple[list[float], list[float], list[float]] = ([], [], [])
    for _ in range(REPETITIONS):
        floor.clear()
        rates[0].append(_rate(floor, [records]))
        for i, parts in ((1, [records]), (2, batches)):
            books.apply(clear_record())
            rates[i].append(_rate(books, parts))
    _compare(floor, books, int(px.min()) - flow.TICK)
    return rates


def _rate(books: Any, batches: list[Any]) -> float:
    start = thread_time_ns()
    faults = [books.apply(batch) for batch in batches]
    elapsed = thread_time_ns() - start
    if any(faults):
        raise RuntimeError(f"expected a flow without faults, found {sum(faults)}; see bench/flow.py")
    return float(sum(len(batch) for batch in batches) * 1e9 / elapsed)


def _compare(floor: BareBook, books: Books, px_min: int, instruments: int = 1) -> None:
    for instrument in range(instruments):
        bid_px, _, ask_px, _ = books.touch(instrument)
        bare = tuple(px_min + tick * flow.TICK for tick in floor.best(instrument))
        if bare != (bid_px, ask_px):
            raise RuntimeError(f"expected the touch of both to be equal, found {bare} and {(bid_px, ask_px)}")


def clear_record() -> np.ndarray:
    """BookClear of instrument 0, as an array of one record."""
    clear = np.zeros(1, RECORDS["Market"])
    clear["type"] = Type.BOOK_CLEAR
    return clear


def _growth() -> list[Figure]:
    """The same per event with ever more instruments, a hundred or two live orders each, beside the floor; in turns."""
    flows = {n: flow_many.make(n, EVENTS, SEED) for n in INSTRUMENTS}
    rates: dict[int, list[float]] = {n: [] for n in INSTRUMENTS}
    floors: dict[int, list[float]] = {n: [] for n in INSTRUMENTS}
    for _ in range(REPETITIONS // 2):
        for n, (warm_up, events) in flows.items():
            books = Books(instruments_max=n, orders_max=1 << 21)
            for instrument in range(n):
                books.add_instrument(instrument)
            floor, px_min = _floor(n, np.concatenate([warm_up, events]))
            for book, into in ((books, rates), (floor, floors)):
                _rate(book, [warm_up])
                into[n].append(_rate(book, [events]))
            _compare(floor, books, px_min, n)
    return [
        *(throughput(f"L3 update, {n:_} instruments", "events/s", rates[n]) for n in INSTRUMENTS),
        *(throughput(f"floor, {n:_} instruments", "events/s", floors[n]) for n in INSTRUMENTS),
        *(_cost(f"cost of an event, {n:_} instruments to 1", rates, n) for n in INSTRUMENTS if n > 1),
        *(_cost(f"floor: cost of an event, {n:_} instruments to 1", floors, n) for n in INSTRUMENTS if n > 1),
    ]


def _floor(instruments: int, records: Any) -> tuple[BareBook, int]:
    adds = records[records["type"] == Type.BOOK_ADD]
    px_min, px_max = int(adds["px"].min()) - flow.TICK, int(adds["px"].max()) + flow.TICK
    return BareBook(int(adds["order_id"].max()), px_min, px_max, flow.TICK, instruments), px_min


def _cost(name: str, rates: dict[int, list[float]], instruments: int) -> Figure:
    """How much more an event costs than with one instrument, of each turn."""
    target = None if name.startswith("floor") else INSTRUMENTS[instruments]
    return samples(name, "x", [one / many for one, many in zip(rates[1], rates[instruments], strict=True)], target)
