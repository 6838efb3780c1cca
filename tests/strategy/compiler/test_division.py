"""Division of 64-bit integers is Python's: the nearest float of the exact quotient, `//` and `%` rounded down."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openbell.strategy.compiler.program import Failure
from strategy.compiler.harness import Rig, book, book_words, class_of, words_of

LOW, HIGH = -(2**63), 2**63 - 1
TEXT = """
from openbell import Strategy


class Trial(Strategy):
    x: float
    floor: int
    rest: int

    def on_book(self, ctx, book):
        if book.lot == 0:
            self.x = book.bid_px / book.ask_px
        else:
            self.rest = book.bid_px % book.ask_px
            self.floor = book.bid_px // book.ask_px
"""

near_powers = st.builds(
    lambda power, off, sign: max(LOW, min(HIGH, sign * (2**power + off))),
    st.integers(0, 63),
    st.integers(-3, 3),
    st.sampled_from([1, -1]),
)
operand = st.one_of(near_powers, st.integers(LOW, HIGH), st.integers(-1000, 1000), st.sampled_from([LOW, HIGH]))
# Quotients on, or by one unit beside, the middle between two floats.
near_ties = st.builds(
    lambda half, by, places, off: ((2 * half + 1) * by + off, by << places),
    st.integers(2**52, 2**53 - 1),
    st.integers(1, 2**9 - 1),
    st.integers(0, 53),
    st.integers(-1, 1),
)


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    strategy = class_of(TEXT, tmp_path_factory.mktemp("division"))
    return strategy, Rig(strategy)


def run(trial, bid_px, ask_px, **more):
    strategy, rig = trial
    words = words_of(strategy())
    failure, _, _ = rig.run("on_book", words, book_words(book(bid_px=bid_px, ask_px=ask_px, **more)))
    return failure, words[1:4]


@settings(max_examples=3000, deadline=None)
@given(st.one_of(st.tuples(operand, operand), near_ties))
def test_a_quotient_is_the_nearest_float(trial, pair):
    left, right = pair

    failure, (bits, _, _) = run(trial, left, right)

    if right == 0:
        assert failure == Failure.DIVISION_BY_ZERO
        return
    assert failure == 0
    assert struct.unpack("<d", struct.pack("<q", bits))[0] == left / right


@settings(max_examples=500, deadline=None)
@given(operand, operand)
def test_floor_and_remainder_are_pythons(trial, left, right):
    failure, (_, floor, rest) = run(trial, left, right, lot=1)

    if right == 0:
        assert failure == Failure.DIVISION_BY_ZERO
    elif (left, right) == (LOW, -1):
        assert (failure, rest) == (Failure.OVERFLOW, 0), "2**63 has no place in 64 bits; its remainder has"
    else:
        assert (failure, floor, rest) == (0, left // right, left % right)


def test_the_lowest_divided_by_minus_one(trial):
    assert run(trial, LOW, -1) == (0, [struct.unpack("<q", struct.pack("<d", 2.0**63))[0], 0, 0])
    assert run(trial, LOW, -1, lot=1)[0] == Failure.OVERFLOW
