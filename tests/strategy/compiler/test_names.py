"""What a name means is Python's word: closures, enums and aliases of builtins do the same in both speeds."""

import pytest

from openbell.strategy.compiler.refusals import NotCompiledError
from openbell.strategy.compiler.unit import lower
from strategy.compiler.harness import Asked, Rig, book, book_words, class_of, words_of

HEAD = """
import builtins
import enum

from openbell import Strategy

K = 1


def make(K):
    def add(x):
        return x + K

    return add


add, add_more = make(5), make(7)
round = int
pow = abs
sum = make(100)


class Plain(enum.Enum):
    NONE = 0
    SOME = 2


class Number(enum.IntEnum):
    NONE = 0
    SOME = 2


class Bits(enum.Flag):
    NONE = 0
    SOME = 2


class Trial(Strategy):
    n: int
    x: float
    on: bool

    def on_book(self, ctx, book):
"""

BODIES = {
    "a closure keeps what is around it": "self.n = add(0) * 100 + add_more(0) * 10 + K",
    "a builtin bound to another one's name": "self.n = round(2.9)",
    "a builtin under another name": "self.n = pow(-book.bid_px)",
    "a function with a builtin's name": "self.n = sum(1)",
    "a builtin by way of its module": "self.n = builtins.round(2.9)",
    "a plain member is compared": "self.on = (Plain.NONE if book.bid_px else Plain.SOME) == Plain.NONE",
    "an IntEnum's member is its number": "self.on = not (Number.NONE if book.bid_px else Number.SOME)",
    "a Flag's member is its number": "self.on = not (Bits.NONE if book.bid_px else Bits.SOME)",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
def test_both_speeds_do_the_same(body, tmp_path):
    strategy = class_of(HEAD + f"        {body}\n", tmp_path)
    rig, plain, view = Rig(strategy), strategy(), book(bid_px=3)
    words = words_of(plain)

    assert rig.run("on_book", words, book_words(view)) == (0, 0, 0)
    plain.on_book(Asked(), view)

    assert list(words) == list(words_of(plain))
    assert any(words)


@pytest.mark.parametrize(
    "body",
    [
        "self.n = 1 if Plain.NONE else 2",
        "self.on = not Plain.NONE",
        "self.on = bool(Plain.NONE)",
        "self.on = Plain.NONE and self.on",
        "self.on = self.n == 1 or Plain.NONE == Plain.SOME or bool(Plain.SOME)",
        "while Plain.NONE: break",
        "assert Plain.NONE",
    ],
)
def test_truth_of_a_plain_enum_is_refused(body, tmp_path):
    with pytest.raises(NotCompiledError) as caught:
        lower(class_of(HEAD + f"        {body}\n", tmp_path))

    assert [(one.found, one.instead) for one in caught.value.refusals] == [
        ("Plain as a condition is not compiled", "compare it, as in `x == Plain.NONE`, or make it an IntEnum")
    ]
