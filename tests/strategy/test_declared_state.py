"""Declared state: what a class may declare, how it lies in memory, when it is journalled, and that it comes back."""

import struct

import pytest

from openbell.errors import StrategyError
from openbell.strategy import Array, State, Strategy, array, param
from openbell.types import Type
from strategy.world import BID, World, halted, kinds

FRAMES_UNSAID = 64


class Leg(State):
    qty: int = 0
    px: float = 0.0

    def take(self, qty: int, px: float) -> None:
        self.qty += qty
        self.px = px


class Keeps(Strategy):
    """One field of each kind."""

    step: int = param(1, ge=1)
    books: int = 0
    leg: Leg = Leg(px=1.5)
    last: Array[int] = array(int, 3)
    mean: Array[float] = array(float, 2)
    is_on: bool = False

    def on_book(self, ctx, book):
        self.books += self.step
        self.leg.take(2, book.bid_px / 2)
        self.last[self.books % 3] = book.bid_px
        self.mean[-1] = self.mean[1] + 1
        self.is_on = True
        if self.books == 3:
            ctx.quote(book.instrument, bid_px=book.bid_px, bid_qty=1)


def test_fields_lie_in_the_order_of_the_class_and_parameters_behind():
    layout = Keeps.layout()
    cells = [(c.name, c.kind, c.offset, c.words, c.of) for c in layout.cells]
    assert cells == [
        ("books", "int", 1, 1, int),
        ("leg", "state", 2, 2, Leg),
        ("last", "array", 4, 3, int),
        ("mean", "array", 7, 2, float),
        ("is_on", "bool", 9, 1, bool),
        ("step", "int", 10, 1, int),
    ]
    assert (layout.words, layout.state_words) == (11, 10)


def test_every_object_has_arrays_and_states_of_its_own():
    one, other = Keeps(), Keeps()
    one.leg.qty, one.last[0] = 9, 9
    assert (other.leg.qty, other.last[0], other.leg.px) == (0, 0, 1.5)


def state_of(world: World) -> tuple:
    raw = world.probe.engine.strategy_state(0)
    assert len(raw) == 80
    return struct.unpack("<Qqqdqqqddq", raw)[1:]


def test_state_is_journalled_with_an_intent_and_otherwise_not_in_every_frame():
    world = World(Keeps())
    assert kinds(world.start()) == [Type.STRATEGY_STATE]
    assert kinds(world.book(2)) == []
    assert kinds(world.book(3)) == [Type.INTENT, Type.STRATEGY_STATE]
    assert state_of(world) == (3, 6, BID / 2, BID, BID, BID, 0.0, 3.0, 1)
    said = [world.book(4 + n) for n in range(FRAMES_UNSAID)]
    assert [kinds(one) for one in said] == [[]] * (FRAMES_UNSAID - 1) + [[Type.STRATEGY_STATE]]
    assert state_of(world)[0] == 3 + FRAMES_UNSAID


def test_a_restart_takes_over_what_was_journalled():
    world = World(Keeps())
    world.start()
    world.book(2)
    world.book(3)
    again = World(Keeps(), world.probe)
    again.seq = world.seq
    again.start(epoch=2)

    strategy = again.strategy
    assert isinstance(strategy, Keeps)
    assert (strategy.books, strategy.leg.qty, strategy.leg.px, list(strategy.last), list(strategy.mean)) == (
        3,
        6,
        BID / 2,
        [BID, BID, BID],
        [0.0, 3.0],
    )
    assert strategy.is_on is True


class Fails(Strategy):
    books: int = 0
    leg: Leg = Leg()
    last: Array[float] = array(float, 2)

    def on_book(self, ctx, book):
        self.books += 1
        self.leg.qty = self.books
        self.last[0] = 0.5 * self.books
        ctx.quote(book.instrument, bid_px=book.bid_px, bid_qty=1)
        if self.books == 2:
            raise ValueError("enough")


def test_a_failure_takes_back_all_of_the_frame():
    world = World(Fails())
    world.start()
    said = world.book(2)
    assert kinds(said) == [Type.STRATEGY_HALTED]
    assert halted(said).startswith("ValueError: enough (test_declared_state.py:")
    strategy = world.strategy
    assert isinstance(strategy, Fails)
    assert (strategy.books, strategy.leg.qty, strategy.last[0]) == (1, 1, 0.5)


class Watches(Strategy):
    """Says nothing, observes, and then fails."""

    books: int = 0

    def on_book(self, ctx, book):
        self.books += 1
        if self.books == 5:
            raise ValueError("enough")


def test_what_was_observed_before_a_failure_is_journalled_with_the_halt():
    world = World(Watches())
    world.start()
    for order_id in range(2, 5):
        assert kinds(world.book(order_id)) == []
    assert kinds(world.book(5)) == [Type.STRATEGY_STATE, Type.STRATEGY_HALTED]
    assert struct.unpack("<Qq", world.probe.engine.strategy_state(0))[1] == 4


class Wrong(Strategy):
    how: int = param(0)
    count: int = 0
    ratio: float = 0.0
    is_on: bool = False
    leg: Leg = Leg()
    last: Array[int] = array(int, 2)

    def on_book(self, ctx, book):
        match self.how:
            case 0:
                self.count = 1.5  # type: ignore[assignment]
            case 1:
                self.count = 2**63
            case 2:
                self.ratio = "much"  # type: ignore[assignment]
            case 3:
                self.is_on = 1  # type: ignore[assignment]
            case 4:
                self.leg = Leg()
            case 5:
                self.last = array(int, 2)
            case 6:
                self.last[2] = 1
            case 7:
                self.last[0] = 1.5  # type: ignore[call-overload]
            case 8:
                self.how = 9
            case 9:
                del self.count
            case 10:
                self.leg.qty = None  # type: ignore[assignment]
            case 11:
                del self.last[0]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (0, "TypeError: count: expected int, found 1.5"),
        (1, "OverflowError: count: expected an int of 64 bits, found 92233720368547"),
        (2, "TypeError: ratio: expected float, found 'much'"),
        (3, "TypeError: is_on: expected bool, found 1"),
        (4, "field leg: expected its own elements to be set, found another obje"),
        (5, "field last: expected its own elements to be set, found another obj"),
        (6, "IndexError: array: expected an index below 2, found 2"),
        (7, "TypeError: array: expected int, found 1.5"),
        (8, "a callback of Wrong changed a parameter: expected it constant; dec"),
        (9, "field count: expected a value, found it deleted"),
        (10, "TypeError: leg.qty: expected int, found None"),
        (11, "TypeError: array: expected a value, found del; its length is fixed"),
    ],
)
def test_a_value_that_a_field_cannot_hold_halts_the_strategy(how: int, why: str):
    world = World(Wrong(how=how))
    world.start(has_book=False)
    assert halted(world.book(1)).startswith(why)


@pytest.mark.parametrize(
    ("declare", "why"),
    [
        (lambda: array(str, 3), r"array: expected elements of int, float or bool, found <class 'str'>"),
        (lambda: array(int, 0), "array: expected a length of at least 1, found 0"),
        (lambda: Leg(sise=1), "Leg: expected one of qty, px, found 'sise'"),
        (lambda: type(Strategy)("S", (Strategy,), {"window": array(int, 2)}), "S.window: expected an annotation"),
        (
            lambda: type(Strategy)("S", (Strategy,), {"__annotations__": {"names": dict}}),
            r"S.names: expected int, float or bool, an array, a ring or a State",
        ),
    ],
)
def test_a_declaration_that_cannot_be_is_refused_where_it_stands(declare, why: str):
    with pytest.raises(StrategyError, match=why):
        declare()
