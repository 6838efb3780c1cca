"""How compiled code fails: the kind, and the line. Nothing is half done: the host undoes the callback."""

import textwrap

import pytest

from openbell.strategy.compiler.program import Failure
from strategy.compiler.harness import FUEL, Rig, book, book_words, class_of, words_of

HEAD = """
from openbell import Strategy, array
from openbell.strategy import Array


class Trial(Strategy):
    n: int = 5
    x: float
    window: Array = array(float, 3)

    def deep(self, n):
        return self.deeper(n) + 1

    def deeper(self, n):
        return n * n

"""
HELPER_LINE = HEAD[: HEAD.index("return n * n")].count("\n") + 1

# Body, failure, line within the body; a helper's line is within the file, and negative here.
CASES = {
    "sum": ("v = 2**63 - 1\nself.n = v + book.bid_px", Failure.OVERFLOW, 2),
    "difference": ("self.n = -(2**63)\nself.n -= book.bid_px", Failure.OVERFLOW, 2),
    "product": ("self.n = (2**62 + self.n) * book.bid_px", Failure.OVERFLOW, 1),
    "negative of the lowest": ("v = -(2**63)\nself.n = -v", Failure.OVERFLOW, 2),
    "abs of the lowest": ("v = -(2**63)\nself.n = abs(v)", Failure.OVERFLOW, 2),
    "quotient of the lowest": ("v = -(2**63)\nself.n = v // (book.bid_px - 4)", Failure.OVERFLOW, 2),
    "a shift": ("self.n = book.bid_px << 62", Failure.OVERFLOW, 1),
    "in a helper of a helper": ("v = 2**40\nself.n = self.deep(v)", Failure.OVERFLOW, -HELPER_LINE),
    "//": ("self.n = 4 // (book.bid_px - 3)", Failure.DIVISION_BY_ZERO, 1),
    "%": ("self.n = 4 % (book.bid_px - 3)", Failure.DIVISION_BY_ZERO, 1),
    "/": ("self.x = 4 / (book.bid_px - 3)", Failure.DIVISION_BY_ZERO, 1),
    "/ of floats": ("self.x = 4.0 / self.x", Failure.DIVISION_BY_ZERO, 1),
    "// of floats": ("self.x = 4.0 // self.x", Failure.DIVISION_BY_ZERO, 1),
    "% of floats": ("self.x = 4.0 % self.x", Failure.DIVISION_BY_ZERO, 1),
    "above an array": ("self.x = self.window[book.bid_px]", Failure.INDEX, 1),
    "below an array": ("self.window[-book.bid_px - 1] = 1.0", Failure.INDEX, 1),
    "endless": ("while True:\n    self.n = 1", Failure.FUEL, 1),
    "endless in a loop": ("for i in range(200):\n    for j in range(200):\n        pass", Failure.FUEL, 2),
    "raise": ("if book.bid_px:\n    raise ValueError('too wide')", Failure.RAISED, 2),
    "assert": ("assert book.bid_px < 0, 'never'", Failure.RAISED, 1),
    "a verb": ("ctx.quote(\n    1,\n    bid_qty=-1,\n    ask_qty=-1,\n)", Failure.VERB, 1),
    "int of infinity": ("self.n = int(float('inf') + self.x)", Failure.CONVERSION, 1),
    "round of a long float": ("self.n = round(1e300 * book.bid_px)", Failure.CONVERSION, 1),
    "a shift by less than nothing": ("self.n = 1 << -book.bid_px", Failure.NEGATIVE_SHIFT, 1),
}


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    text, choice = HEAD, ["    def on_book(self, ctx, book):"]
    for number, (body, _, _) in enumerate(CASES.values()):
        text += f"\n    def body_{number}(self, ctx, book):\n" + textwrap.indent(body, " " * 8) + "\n"
        choice.append(f"        if book.lot == {number}:\n            self.body_{number}(ctx, book)")
    text += "\n" + "\n".join(choice) + "\n"
    made = Rig(class_of(text, tmp_path_factory.mktemp("failures")))
    made.text, made.strategy = text, class_of(text, tmp_path_factory.mktemp("again"))
    return made


@pytest.mark.parametrize("number", range(len(CASES)), ids=list(CASES))
def test_the_failure_says_its_kind_and_line(rig, number):
    _, failure, line = list(CASES.values())[number]
    words = words_of(rig.strategy())

    found, place, detail = rig.run("on_book", words, book_words(book(bid_px=3, lot=number)))

    above = rig.text[: rig.text.index(f"def body_{number}(")].count("\n") + 1
    assert (found, place) == (failure, -line if line < 0 else above + line)
    if failure == Failure.RAISED:
        assert (
            rig.program.raises[detail]
            == {"raise": "ValueError: too wide", "assert": "AssertionError: never"}[list(CASES)[number]]
        )


@pytest.mark.parametrize("number", range(len(CASES)), ids=list(CASES))
def test_python_fails_too_or_has_longer_integers(rig, number):
    _, failure, _ = list(CASES.values())[number]
    if failure == Failure.FUEL:
        return  # Python would go on for ever: the host has a budget of time for it
    strategy = rig.strategy()
    try:
        strategy.on_book(rig.asked, book(bid_px=3, lot=number))
        words_of(strategy)
    except Exception:
        return
    assert failure == Failure.OVERFLOW


def test_fuel_is_counted_by_turns(tmp_path):
    text = HEAD + "    def on_book(self, ctx, book):\n        for i in range(book.bid_px):\n            self.n += 1\n"
    rig = Rig(class_of(text, tmp_path))
    words = words_of(class_of(text, tmp_path)())

    assert rig.run("on_book", words, book_words(book(bid_px=FUEL))) == (0, 0, 0)
    assert rig.run("on_book", words, book_words(book(bid_px=FUEL + 1)))[0] == Failure.FUEL
