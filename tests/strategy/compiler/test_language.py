# ruff: noqa: E501
"""Corners of the language where a compiler is easily wrong: each body does the same in both speeds."""

import textwrap

import pytest

from strategy.compiler.harness import Asked, Rig, book, book_words, class_of, words_of

HEAD = '''
from openbell import State, Strategy, array, param
from openbell.strategy import Array
from openbell.types import Side, Tif

BIG = 2**53 + 1


class Leg(State):
    qty: int
    px: float

    def add(self, qty, /, px=1.5, *, times=1):
        self.qty += qty * times
        self.px = px
        return self.qty


def first(values: int, other):
    for i in range(values):
        if i == other:
            return i
    return -1


class Trial(Strategy):
    """Every word of state takes what a body has worked out."""

    scale: int = param(3)
    n: int
    m: int
    x: float
    y: float
    on: bool
    off: bool
    leg: Leg = Leg()
    other: Leg = Leg()
    window: Array = array(float, 3)
    counts: Array = array(int, 3)
    LIMIT = 4

    @staticmethod
    def half(v):
        return v // 2

    def count(self):
        self.n += 1
        return self.n

    def both(self):
        return self.n, self.x
'''

BODIES = {
    "floor division and remainder round down": "self.n = -7 // book.bid_px\nself.m = -7 % book.bid_px\nself.x = -7.5 // 2.0\nself.y = -7.5 % 2.0",
    "remainders keep the divisor's sign": "self.x = 7.5 % -2.0 + book.bid_px\nself.y = -6.0 % (3.0 + self.x - self.x)\nself.n = 7 % -book.bid_px",
    "int beside float is compared exactly": "big = BIG + book.lot\nself.on = big == 9007199254740992.0\nself.off = big > 9007199254740992.0",
    "float beside int is compared exactly": "v = 9007199254740992.0 + self.x\nbig = BIG + book.lot\nself.on = v < big\nself.off = v >= big",
    "compared with what is not a number": "v = float('inf') - float('inf') + self.x\nself.on = v == book.bid_px\nself.off = v != book.bid_px\nself.n = 1 if book.bid_px <= v else 2\nself.m = 1 if v else 2",
    "compared with infinity": "v = float('inf') + self.x\nself.on = book.bid_px < v\nself.off = book.bid_px > -v",
    "one spelling of minus zero": "self.x = -0.0 * book.bid_px\nself.y = -self.x\nself.window[0] = -0.0",
    "one spelling of not a number": "v = float('inf') * book.bid_px\nself.x = v - v\nself.window[1] = -(v - v)",
    "round goes to the even one": "self.n = round(2.5 * book.bid_px / book.bid_px)\nself.m = round(-3.5 + self.x)\nself.counts[0] = int(-3.99 + self.x)",
    "min and max keep the first": "v = float('nan') + self.x\nself.x = min(v, 1.0 * book.bid_px)\nself.y = max(1.0 * book.bid_px, v)\nself.n = max(1, book.bid_px, 2)",
    "a chain asks its middle once": "self.on = 0 < self.count() < 2 < self.count() < 9\nself.off = 5 < self.count() < self.count()",
    "and and or give one of their values": "self.n = book.lot and book.bid_px\nself.m = book.lot or book.bid_px\nself.on = book.bid_px > 1 or self.count() > 0",
    "conditions of several types": "if book.bid_px and self.x or not self.on and book.bid_px:\n    self.n = 7",
    "bools count": "self.n = book.is_valid + book.is_valid + 1\nself.x = 0.5 * book.is_valid\nself.m = int(book.is_valid) << 3",
    "bits": "self.n = (book.bid_px << 40) | 5 ^ 3 & ~book.bid_px\nself.m = -5 >> 70\nself.on = book.is_valid ^ (book.bid_px > 0)\nself.counts[1] = 0 << 200",
    "powers": "self.n = book.bid_px**3 - (-book.bid_px) ** 2",
    "conversion of large integers": "self.x = float(BIG + book.lot + 2**60)\nself.y = (2**62 + book.bid_px) * 0.5",
    "for and its else": "i = 0\nfor i in range(5):\n    self.n += i\n    if i == book.bid_px:\n        break\nelse:\n    self.m = 9\nself.counts[0] = i",
    "for without a turn": "i = 77\nfor i in range(book.bid_px, 0):\n    self.n = 5\nelse:\n    self.m = i",
    "while and its else": "k = 0\nwhile k < book.bid_px:\n    k += 1\n    if k == 2:\n        continue\n    self.n += k\nelse:\n    self.m = k",
    "breaks of loops in loops": "for i in range(4):\n    for j in range(4):\n        if j > i:\n            break\n        if (i + j) % 2:\n            continue\n        self.n += 10 * i + j\n    else:\n        self.m += i",
    "while True": "k = 0\nwhile True:\n    k += 3\n    if k > 20:\n        self.n = k\n        return",
    "ranges at the end of the integers": "for i in range(2**63 - 3, 2**63 - 1):\n    self.n = i\nfor i in range(-(2**63) + 2, -(2**63), -2):\n    self.m = i",
    "a range counts down": "for i in range(book.bid_px * 3, -1, -2):\n    self.n = self.n * 10 + i",
    "the name of a loop may be set": "for i in range(3):\n    i = i * 10\n    self.n += i",
    "a loop sees what it changes": "for v in self.window:\n    self.window[2] += 1.0\n    self.x += v",
    "arrays from both ends": "self.window[-1] = 2.5\nself.window[0] += self.window[-1]\nself.counts[book.bid_px - 4] += len(self.counts)",
    "another name of an array or a record": "w = self.window\nleg = self.leg\nw[1] = 3.5\nleg.qty = 5\nself.n = leg.add(2) + self.leg.qty",
    "records of one class are two": "self.n = self.leg.add(3, 2.5, times=2)\nself.m = self.other.add(4, times=self.leg.qty)",
    "names are exchanged": "a, b = book.bid_px, book.ask_px\na, b = b, a\nself.n, self.m = a, a - b",
    "several values of a helper": "self.n = 4\na, b = self.both()\nself.counts[1], self.x = a + 1, b + 1.5",
    "one value for several names": "self.n = self.m = k = book.bid_px * 2\nself.counts[0] = k",
    "early return of a helper": "self.n = first(10, book.bid_px)\nself.m = first(other=50, values=3)",
    "static methods and constants of the class": "self.n = self.half(book.bid_px * self.LIMIT + self.scale)",
    "members of enums": "side = Side.BUY if book.bid_px > 1 else Side.SELL\nself.n = side\nself.on = side == Side.BUY\nself.m = int(Side.SELL) + side",
    "augmented assignment reads first": "self.n = 5\nself.n += self.count() * 10\nself.counts[self.n % 3] += self.count()",
    "arguments are worked out as written": "ctx.quote(book.instrument, ask_px=self.count(), bid_px=self.count() * 100)",
    "sides of an operator are worked out in order": "self.m = self.n + self.count() * 10 + self.n\nself.counts[0] = self.count() - self.count()",
    "branches that end": "if book.bid_px > 2:\n    k = 1\nelif book.bid_px < 0:\n    return\nelse:\n    k = 2\nself.n = k",
    "books of other instruments": "b = ctx.book(book.instrument + 1)\nc = ctx.book(5)\nself.n = b.bid_px * 1000 + c.ask_px\nself.m = ctx.book(2).bid_px if b.is_valid else 0",
    "time": "self.n = ctx.now_ns + ctx.seq\nself.x = ctx.now_ns / 1_000_000_000",
    "a remainder by -1": "v = -(2**63)\nself.n = 5 + v % (book.is_valid - 2)",
    "chance": "for i in range(3):\n    self.window[i] = ctx.random()",
}


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    text, choice = HEAD, ["    def on_book(self, ctx, book):"]
    for number, body in enumerate(BODIES.values()):
        text += f"\n    def body_{number}(self, ctx, book):\n" + textwrap.indent(body, " " * 8) + "\n"
        choice.append(f"        if book.qty_decimals == {number}:\n            self.body_{number}(ctx, book)")
    text += "\n" + "\n".join(choice) + "\n"
    strategy = class_of(text, tmp_path_factory.mktemp("language"))
    return strategy, Rig(strategy)


@pytest.mark.parametrize("number", range(len(BODIES)), ids=list(BODIES))
@pytest.mark.parametrize("bid_px", [1, 3])
def test_both_speeds_do_the_same(trial, number, bid_px):
    strategy, rig = trial
    rig.asked, asked, plain = Asked(), Asked(), strategy()
    words = words_of(plain)
    for step in range(2):
        view = book(instrument=step, bid_px=bid_px, ask_px=11, qty_decimals=number)

        assert rig.run("on_book", words, book_words(view)) == (0, 0, 0)
        plain.on_book(asked, view)

        assert list(words) == list(words_of(plain))
        assert rig.asked.calls == asked.calls
    assert any(words) or rig.asked.calls
