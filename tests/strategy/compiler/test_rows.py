"""Rings, rows of records and arrays of bool: as Python's own containers have it, and the same bits in both speeds."""

from collections import deque
from pathlib import Path

import pytest

from openbell.errors import StrategyError
from openbell.strategy import Strategy, ring
from openbell.strategy.compiler.program import Failure
from strategy.compiler.harness import Asked, Rig, book, book_words, class_of, words_of
from strategy.world import World, halted

TRIAL = """
from openbell import Array, Ring, Row, State, Strategy, array, ring


class Leg(State):
    qty: int
    px: float
    seen: Array[int] = array(int, 2)

    def take(self, qty: int, px: float):
        self.qty += qty
        self.px = px
        self.seen[qty % 2] += 1


class Trial(Strategy):
    legs: Row[Leg] = array(Leg, 3)
    last: Ring[int] = ring(int, 4)
    mean: Ring[float] = ring(float, 3)
    shown: Array[bool] = array(bool, 5)
    n: int
    x: float

    def on_book(self, ctx, book):
        at = book.lot % 3
        self.legs[at].take(book.bid_qty, 0.5 * float(book.bid_px))
        self.legs[-1].qty += 1
        leg = self.legs[at - 3]
        leg.seen[0] += leg.qty
        self.last.push(book.bid_px)
        self.mean.push(float(self.last[-1] + self.last[0]) / float(len(self.last)))
        self.shown[book.lot % 5] = not self.shown[book.lot % 5]
        for px in self.last:
            self.n += px % 7
        for one in self.legs:
            self.x += one.px
        for value in self.mean:
            self.x -= value
        for is_shown in self.shown:
            self.n += 1 if is_shown else 0
        self.n += len(self.legs) + len(self.mean)
        if book.ask_qty != 0:
            self.n = self.last[book.ask_qty]
        if book.ask_px != 0:
            self.legs[book.ask_px].qty = 1
"""


def stepped(strategy: type[Strategy], *views):
    """The words after each step in both speeds, and how machine code failed."""
    rig, plain = Rig(strategy), strategy()
    words = words_of(plain)
    for view in views:
        failure = rig.run("on_book", words, book_words(view))
        try:
            plain.on_book(Asked(), view)
        except IndexError:
            yield failure, None, None
        else:
            yield failure, list(words), list(words_of(plain))


def test_they_hold_the_same_in_both_speeds(tmp_path: Path, rng):
    views = [book(lot=step, bid_px=rng.randint(1, 10**6), bid_qty=rng.randint(0, 9)) for step in range(40)]

    for failure, compiled, interpreted in stepped(class_of(TRIAL, tmp_path), *views):
        assert failure == (0, 0, 0)
        assert compiled == interpreted


@pytest.mark.parametrize("wrong", [{"ask_qty": 1}, {"ask_qty": -2}, {"ask_px": 3}, {"ask_px": -4}])
def test_outside_of_what_is_there_both_fail(tmp_path: Path, wrong: dict[str, int]):
    ((failure, _, interpreted),) = stepped(class_of(TRIAL, tmp_path), book(bid_px=5, **wrong))

    assert interpreted is None
    assert failure[0] in (Failure.RAISED, Failure.INDEX)
    said = "self.n = self.last[book.ask_qty]" if "ask_qty" in wrong else "self.legs[book.ask_px].qty = 1"
    assert failure[1] == TRIAL[: TRIAL.index(said)].count("\n") + 1, "the strategy's own line, not the ring's"


def test_a_ring_is_the_newest_of_what_was_pushed(rng):
    held, oracle = ring(int, 5), deque(maxlen=5)
    for value in (rng.randint(-9, 9) for _ in range(23)):
        held.push(value)
        oracle.append(value)
        assert list(held) == list(oracle)
        assert (held[-1], held[0], len(held)) == (oracle[-1], oracle[0], len(oracle))


def test_a_ring_is_undone_with_the_callback_that_failed(tmp_path: Path):
    text = (
        "from openbell import Ring, Strategy, ring\n\n\nclass Trial(Strategy):\n    last: Ring[int] = ring(int, 2)\n\n"
        "    def on_book(self, ctx, book):\n        self.last.push(book.bid_qty)\n"
        '        if len(self.last) == 2 and self.last[0] == 2:\n            raise ValueError("three")\n'
    )
    strategy = class_of(text, tmp_path)()
    world = World(strategy)
    world.start()
    world.book(2)

    assert halted(world.book(3)).startswith("ValueError: three")
    assert list(strategy.last) == [1, 2]


@pytest.mark.parametrize(
    ("annotation", "instead"),
    [
        (list, "declare `array(float, 100)`, which has a length, or `ring(float, 100)`"),
        ("list[int]", "declare `array(float, 100)`, which has a length, or `ring(float, 100)`"),
        (dict, "number the keys and declare `array(float, 100)`"),
        ("dict[str, int]", "number the keys and declare `array(float, 100)`"),
        (str, "make the texts members of an IntEnum and declare an int"),
        (object, "keep anything else outside the class"),
    ],
)
def test_what_a_field_cannot_be_is_refused_with_what_to_declare(annotation: object, instead: str):
    with pytest.raises(StrategyError) as refused:
        type(Strategy)("S", (Strategy,), {"__annotations__": {"kept": annotation}})
    assert instead in str(refused.value)
