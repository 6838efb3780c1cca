"""Prices of a book by order, near the touch and far from it: the window of ticks moves, the slow twin does not care."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from openbell.book import LEVEL, Books
from openbell.types import BUY, RECORDS, SELL, Type
from oracles import book as oracle

MARKET = RECORDS["Market"]
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
CELLS = 64
"""Ticks that a window holds (native/book/level_index.h)."""

ticks = st.sampled_from([1, 25, 100, 3 * 2**20, 2**40, 2**50, 2**58])
near = st.integers(0, 12)
edge = st.sampled_from([0, 1, CELLS // 8, CELLS // 4, CELLS * 3 // 4]).flatmap(lambda n: st.integers(n - 1, n + 1))
far = st.integers(0, 5 * CELLS)
moves = st.tuples(
    st.sampled_from(["add", "add", "add", "delete", "reduce", "move", "best", "clear"]),
    st.sampled_from([BUY, SELL]),
    st.one_of(near, near, edge, far),
    st.integers(0, 1_000),
)
jumps = st.one_of(st.just(0), st.integers(-2, 2), st.sampled_from([-CELLS, CELLS, -40, 40, -1_000, 1_000]))
between = st.sampled_from([0] * 60 + [-1, 1])


class Twins:
    """Both books of one instrument, and the orders that are live."""

    def __init__(self, orders_max=4_000, levels_max=4_000):
        self.fast, self.slow = Books(1, orders_max, levels_max), oracle.Books([0], orders_max, levels_max)
        self.fast.add_instrument(0)
        self.live, self.ids = [], 0

    def tell(self, kind, order_id=0, side=BUY, px=0, qty=0, ref=0, flags=0):
        r = np.zeros(1, MARKET)
        flags |= oracle.IS_BUY if side == BUY else 0
        r["type"], r["order_id"], r["px"], r["qty"], r["ref"], r["flags"] = kind, order_id, px, qty, ref, flags
        fault = self.slow.apply(r[0])[0]
        assert self.fast.apply(r) == (fault != oracle.OK)
        return fault == oracle.OK

    def add(self, side, px, qty=5):
        self.ids += 1
        if self.tell(Type.BOOK_ADD, self.ids, side, px, qty):
            self.live.append(self.ids)

    def delete(self, nth):
        if self.live:
            self.tell(Type.BOOK_CANCEL, self.live.pop(nth % len(self.live)), flags=oracle.WHOLE)

    def reduce(self, nth):
        if self.live:
            order = self.slow.by_id[self.live[nth % len(self.live)]]
            if order.qty > 1:
                self.tell(Type.BOOK_CANCEL, order.order_id, qty=1)

    def replace(self, nth, px):
        if self.live:
            self.ids += 1
            at = nth % len(self.live)
            if self.tell(Type.BOOK_MODIFY, self.live[at], px=px, qty=3, ref=self.ids):
                self.live[at] = self.ids

    def take_best(self, side):
        levels = self.slow.books[0].depth(side)
        for order_id, qty in self.slow.books[0].queue(side, levels[0][0]) if levels else []:
            self.tell(Type.BOOK_EXECUTE, order_id, qty=qty, flags=oracle.AT_ORDER_PX)
            self.live.remove(order_id)

    def clear(self):
        self.tell(Type.BOOK_CLEAR)
        self.live.clear()

    def compare(self):
        book = self.slow.books[0]
        assert self.fast.touch(0) == book.touch()
        for side in (BUY, SELL):
            rows = self.fast.depth(0, side, 10_000).view(LEVEL)[:, 0]
            assert [(int(r["px"]), int(r["qty"]), int(r["orders"])) for r in rows] == book.depth(side)
            for px in book.levels[side]:
                assert self.fast.queue(0, side, px) == book.queue(side, px)


def clamp(px):
    return min(max(px, INT64_MIN), INT64_MAX)


@settings(max_examples=150, deadline=None)
@given(
    start=st.sampled_from([0, 10_000, INT64_MAX, INT64_MIN, INT64_MAX - 3, INT64_MIN + 7, 2**62]),
    tick=ticks,
    rounds=st.lists(st.tuples(jumps, ticks | st.none(), between, st.lists(moves, max_size=60)), max_size=6),
)
def test_any_walk_of_the_touch_leaves_the_levels_of_the_twin(start, tick, rounds):
    twins, middle = Twins(), start
    for jump, other_tick, odd, acts in rounds:
        tick = other_tick or tick
        middle = clamp(middle + jump * tick)
        for what, side, ticks_away, nth in acts:
            px = clamp(middle + (ticks_away if side == SELL else -ticks_away) * tick + odd)
            match what:
                case "add":
                    twins.add(side, px)
                case "delete":
                    twins.delete(nth)
                case "reduce":
                    twins.reduce(nth)
                case "move":
                    twins.replace(nth, px)
                case "best":
                    twins.take_best(side)
                case "clear" if nth < 100:
                    twins.clear()
        twins.compare()
    again = Books(1, 4_000, 4_000)
    again.load(twins.fast.save())
    assert again.save() == twins.fast.save()


def test_the_touch_walks_out_of_the_window_on_either_side_and_comes_back():
    twins = Twins()
    for px in [*range(0, 10_000, 100), *range(10_000, -10_000, -100)]:
        twins.add(BUY, px)
        twins.add(SELL, px + 100)
    for i in range(220):
        twins.take_best(BUY)
        twins.take_best(SELL)
        if i % 7 == 0:
            twins.compare()
    twins.compare()


def test_one_order_far_beyond_the_touch_comes_and_goes():
    twins = Twins()
    for i in range(CELLS * 2):
        twins.add(BUY, 1_000 - i)
    for beyond in (1, CELLS // 4, CELLS, 10_000, INT64_MAX - 1_000):
        twins.add(BUY, 1_000 + beyond)
        twins.compare()
        twins.delete(-1)
        twins.compare()


def test_a_side_that_is_empty_begins_anywhere():
    twins = Twins()
    for px in (0, INT64_MAX, INT64_MIN, 63, 64, -1):
        for side in (BUY, SELL):
            twins.add(side, px)
            twins.compare()
            twins.delete(0)
            twins.compare()


def test_levels_beyond_what_there_is_room_for_are_refused_wherever_they_lie():
    twins = Twins(levels_max=100)
    for i in range(120):
        twins.add(BUY, -7 * i)
        twins.add(SELL, 7 * i)
    twins.compare()
    twins.take_best(BUY)
    twins.add(BUY, 5_000)
    twins.add(SELL, 5_000)
    twins.compare()
