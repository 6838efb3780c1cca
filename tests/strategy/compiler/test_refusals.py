# ruff: noqa: E501
"""Every refused construct, with its exact words: what was found, and what to write instead."""

import textwrap

import pytest

from openbell.strategy.compiler.refusals import NotCompiledError
from openbell.strategy.compiler.unit import lower
from strategy.compiler.harness import class_of

HEAD = """\
import functools
import math

import numpy as np

from openbell import State, Strategy, array, param, types
from openbell.strategy import Array
from openbell.types import Side

LIMIT = 5
TABLE = (1, 2)
TEXT = "text"


class Leg(State):
    qty: int


def depth(n):
    return depth(n - 1)


def side_of(who):
    return who


def typed(n: int):
    return n


def varargs(*values):
    return 1


@functools.cache
def decorated(n):
    return n


class Trial(Strategy):
    size: int = param(4)
    n: int
    m: int
    x: float
    on: bool
    leg: Leg = Leg()
    prices: Array = array(float, 4)

    def helper(self, n):
        return n

    @property
    def twin(self):
        return 2

    def pair(self):
        return 1, 2.0

    def mixed(self, n):
        if n:
            return 1
        return 2.0

    def open_end(self, n):
        if n:
            return 1

    def drawn(self):
        yield 1

    def on_book(self, ctx, book):
"""

# In `on_book`: the statement, the line of it that is refused, and the words.
IN_BODY = [
    ("self.prices[0:2] = 1.0", 0, "a slice is not compiled; write a `for` loop"),
    (
        "self.n = self.on if self.on else self.n",
        0,
        "a choice between bool and int is not compiled; make both the same type",
    ),
    ("x = abs()", 0, "abs() with 0 values is not compiled; give it one"),
    (
        "self.n = math.floor(self.x)",
        0,
        "math.floor is not compiled; use openbell.math, which gives the same bits on every machine",
    ),
    ("x = self.leg.worth()", 0, "Leg.worth is not declared; it has copy, qty"),
    ("x = b'a'", 0, "b'a' (bytes) is not compiled; use an int, float, bool or IntEnum"),
    ("x = 1j", 0, "1j (complex) is not compiled; use an int, float, bool or IntEnum"),
    ("for i in range(3.0):\n    pass", 0, "range() of float is not compiled; write int(x)"),
    ("x = len(self.n)", 0, "len() of int is not compiled; ask it of an array, a ring, ctx.orders() or ctx.instruments"),
    ("x = LIMIT.real", 0, "LIMIT.real is not compiled; name a constant of a module, class or enum"),
    ("self.helper(*[1])", 0, "* in a call is not compiled; name each argument"),
    ("self.helper(1, 2)", 0, "helper() takes 1 arguments, found 2; leave some out"),
    ("self.helper(n=1, n2=2)", 0, "helper() has no argument n2; did you mean n?"),
    ("book.bid_px = 3", 0, "a field of book cannot be set; keep it in a state field of the class"),
    (
        "x = ctx.book(0).depth_without_own(Side.BUY)",
        0,
        "book.depth_without_own() is not compiled; write book.level_px(side, level) and book.level_qty(side, level)",
    ),
    ("x = 'a' if self.on else 'b'", 0, "a str ('a') is not compiled; write an int, or a member of an IntEnum"),
    (
        "x = super().helper(1)",
        0,
        "super() is not compiled; write the base class's method under a name of its own and call that",
    ),
    ("values = [1, 2]", 0, "a list is not compiled; declare `name: Array = array(float, 100)` in the class"),
    ("self.n = sum([x for x in range(3)])", 0, "sum() is not compiled; write a `for` loop"),
    (
        "d = {1: 2}",
        0,
        "a dict is not compiled; number the keys and declare `name: Array = array(float, 100)` in the class",
    ),
    (
        "s = {1, 2}",
        0,
        "a set is not compiled; number the members and declare `name: Array = array(float, 100)` in the class",
    ),
    ("t = (1, 2)", 0, "a tuple is not compiled; give each value its own name; helpers may return several values"),
    ("x = 'abc'", 0, "a str ('abc') is not compiled; write an int, or a member of an IntEnum"),
    ("x = None", 0, "None is not compiled; use 0, -1 or a bool field for what is absent"),
    (
        "x = f'{self.n}'",
        0,
        "an f-string is not compiled; raise ValueError with a constant text, or keep a number in a state field",
    ),
    ("self.n = (lambda v: v)(1)", 0, "a call of what a call returns is not compiled; name the function"),
    (
        "try:\n    self.n = 1\nexcept ValueError:\n    self.n = 2",
        0,
        "try is not compiled; test the condition with `if`; an error halts the strategy and undoes the callback",
    ),
    ("with open('x') as f:\n    pass", 0, "with is not compiled; a strategy opens nothing; do it outside the class"),
    ("import math", 0, "import inside a function is not compiled; import at the top of the file"),
    ("global LIMIT", 0, "global is not compiled; declare a state field: globals are neither journalled nor undone"),
    (
        "def inner():\n    pass",
        0,
        "a function inside a function is not compiled; write a method, or a function of the module",
    ),
    ("class C:\n    pass", 0, "a class inside a function is not compiled; write a State class at the top of the file"),
    ("del self.n", 0, "del is not compiled; leave the variable, or give it another value"),
    ("match self.n:\n    case 1:\n        pass", 0, "match is not compiled; write if and elif"),
    ("x = self.n if (y := 1) else 2", 0, ":= is not compiled; assign on a line of its own"),
    ("x = self.prices[1:2]", 0, "a slice is not compiled; write a `for` loop"),
    (
        "print(self.n)",
        0,
        "print() is not compiled; a callback has no console: keep a number in a state field and read it with `openbell status`",
    ),
    ("self.n = 1.5", 0, "field Trial.n is int, found float; write int(x) or round(x)"),
    ("self.x = 1", 0, "field Trial.x is float, found int; write float(x), or 0.0 for 0"),
    ("self.on = 1", 0, "field Trial.on is bool, found int; compare it, as in `x != 0`"),
    ("self.nn = 1", 0, "Trial.nn is not declared; did you mean n?"),
    ("x = self.sise", 0, "Trial.sise is not declared; did you mean size?"),
    ("self.size = 3", 0, "Trial.size is a parameter, constant while it runs; declare a state field for what changes"),
    (
        "self.prices = array(float, 4)",
        0,
        "array() makes an object; declare it as a field of the class, or use its members",
    ),
    ("self.leg = Leg()", 0, "Leg() makes an object; declare it as a field of the class, or use its members"),
    ("self.leg.qqq = 1", 0, "Leg.qqq is not declared; it has qty"),
    ("self.prices[0] = 1", 0, "an array of float takes float, found int; write float(x), or 0.0 for 0"),
    ("x = self.prices[0.5]", 0, "an index of float is not compiled; write int(x)"),
    ("x = book.bidpx", 0, "book has no field bidpx; did you mean bid_px?"),
    ("ctx.quot(book.instrument)", 0, "ctx.quot() does not exist; did you mean quote?"),
    ("ctx.quote(book.instrument, bidpx=1)", 0, "ctx.quote() has no argument bidpx; did you mean bid_px?"),
    (
        "ctx.quote(book.instrument, bid_px=1.5)",
        0,
        "ctx.quote(bid_px) expects int, found float; write int(x) or round(x)",
    ),
    (
        "ctx.order(book.instrument, 1, 100, 5)",
        0,
        "ctx.order(side) expects Side, found int; write a member such as Side.BUY",
    ),
    ("ctx.quote()", 0, "ctx.quote() needs instrument; write instrument=..."),
    ("x = ctx.nowns", 0, "ctx.nowns does not exist; did you mean now_ns?"),
    ("ctx.position", 0, "ctx.position is a verb; call it"),
    ("x = ctx.orders()", 0, "x would hold ctx.orders(); write ctx.orders() where it is used"),
    ("x = math.exp(1.0)", 0, "math.exp is not compiled; use openbell.math, which gives the same bits on every machine"),
    ("x = np.sqrt(2.0)", 0, "np.sqrt is not compiled; use openbell.math, which gives the same bits on every machine"),
    ("x = self.n is LIMIT", 0, "`is` is not compiled; write =="),
    ("x = 3 in self.prices", 0, "`in` is not compiled; write `x == a or x == b`, or a loop"),
    ("x = self.x ** 2", 0, "** of a float is not compiled; write x * x, or openbell.math.pow(x, y)"),
    ("x = self.n ** self.n", 0, "** with this exponent is not compiled; write a constant from 0 to 8"),
    ("x = 1\nx = 2.5", 1, "x is int since line 72, found float; write int(x) or round(x), or use another name"),
    ("if self.on:\n    z = 1\nself.n = z", 2, "z may not be set here; give it a value before the branch or loop"),
    (
        "x = unknown",
        0,
        "unknown is not known here; there are self, ctx, book, functools, math, np, State, Strategy, array, param, types, Array ...",
    ),
    ("x = LIMIT\nLIMIT = 2", 0, "LIMIT may not be set here; give it a value before the branch or loop"),
    ("typed = typed(2)", 0, "typed is a variable; call a method or a function of the module"),
    ("x = 9223372036854775808", 0, "9223372036854775808 does not fit 64 bits; use a smaller number, or a float"),
    ("x = min(self.on, 2)", 0, "min() of bool is not compiled; write int(x)"),
    ("x = min(1, 2.0)", 0, "min() of int and float is not compiled; make all of them float with float(x)"),
    (
        "x = self.n and self.x",
        0,
        "`and`, `or` between float and int is not compiled; compare each side, as in `x != 0`",
    ),
    ("x = 1 if self.on else 2.0", 0, "a choice between int and float is not compiled; make both the same type"),
    ("raise ValueError(f'{self.n}')", 0, "raise with a text that is worked out is not compiled; write a constant text"),
    ("raise", 0, 'this raise is not compiled; write raise ValueError("what is wrong")'),
    ("assert self.n, self.n", 0, "assert with a text that is worked out is not compiled; write a constant text"),
    ("for a, b in self.prices:\n    pass", 0, "a for over several names is not compiled; use one name"),
    (
        "for x in [1, 2]:\n    pass",
        0,
        "a loop over [1, 2] is not compiled; loop over range(n), a declared array or ring, ctx.instruments or ctx.orders()",
    ),
    (
        "for i in range(0, 10, self.n):\n    pass",
        0,
        "range() needs a constant step that is not 0; write while, or a constant step",
    ),
    ("self.n = self.helper(1.5)", 0, "field Trial.n is int, found float; write int(x) or round(x)"),
    ("self.n = typed(1.5)", 0, "typed(n) expects int, found float; write int(x) or round(x)"),
    ("x = self.twin()", 0, "Trial.twin cannot be called in compiled code; write it as an ordinary method"),
    ("x = Leg()", 0, "Leg() makes an object; declare it as a field of the class, or use its members"),
    ("b = book", 0, "b would be a second name of one book; use the name it has"),
    (
        "x = book.depth(Side.BUY)",
        0,
        "book.depth() is not compiled; write book.level_px(side, level) and book.level_qty(side, level)",
    ),
    (
        "x = ctx.instrument(book.instrument)",
        0,
        'ctx.instrument() expects a constant text; write ctx.instrument("AAPL")',
    ),
    ("x = self.n << 2.0", 0, "bits of a float are not compiled; use ints on both sides"),
    ("x = ctx.quote(book.instrument)", 0, "the call gives no value; call it on a line of its own"),
    ("x = self.pair()", 0, "x would be a tuple; take it apart: `a, b = ...` with 2 names"),
    ("a, b, c = self.pair()", 0, "3 names for 2 values; give each value its own name"),
    (
        "x = isinstance(self.n, int)",
        0,
        "isinstance() is not compiled; every variable has one type, known when it is compiled",
    ),
    ("x = round(self.x, 2)", 0, "round() to digits is not compiled; write round(x * 100) / 100"),
    ("x = 1 / 0", 0, "this is always an error (division by zero); write another constant"),
    ("x = TABLE[0]", 0, "a tuple (TABLE) is not compiled; write several constants, or declare an array in the class"),
    ("x = ctx.position", 0, "ctx.position is a verb; call it"),
    ("self.n = varargs(1)", 0, "varargs() takes * or ** arguments; name each argument"),
    ("self.n = decorated(1)", 0, "decorated is not compiled; call a function written in Python, or openbell.math"),
    ("while self.prices:\n    pass", 0, "expected a condition, found array of 4 float; compare it with something"),
    ("x = not book", 0, "expected a condition, found book; compare it with something"),
    ("self.n += 0.5", 0, "field Trial.n is int, found float; write int(x) or round(x)"),
    ("x = Side.BYE", 0, "Side.BYE does not exist; did you mean BUY?"),
    ("x = types.Sid.BUY", 0, "types.Sid does not exist; did you mean Side?"),
    ("x = sorted(self.prices)", 0, "sorted() is not compiled; keep a declared array in order as you fill it"),
    ("x = self.n @ 2", 0, "@ is not compiled; write a loop"),
    (
        "x = book.letters()",
        0,
        "book.letters() does not exist; it has ask_px, ask_qty, bid_px, bid_qty, consolidated_depth, depth, depth_without_own, instrument, is_valid, level_px, level_qty, lot ...",
    ),
    ("x = TEXT", 0, "a str (TEXT) is not compiled; write an int, or a member of an IntEnum"),
    ("async def f():\n    pass", 0, "an async function is not compiled; write a method, or a function of the module"),
    ("x: int = 2.0", 0, "x is declared int, found float; write int(x) or round(x)"),
    ("self.n, self.m = 1, 2, 3", 0, "2 names for 3 values; give each value its own name"),
    (
        "x = await_me()",
        0,
        "await_me is not known here; there are functools, math, np, State, Strategy, array, param, types, Array, Side, LIMIT, TABLE ...",
    ),
]
# The statement calls a helper that is refused, at this line of the file.
IN_HELPER = [
    ("x = side_of(self)", 24, "side_of() returns Trial; return numbers; the caller names self, ctx or the record"),
    ("x = depth(3)", 20, "depth() calls itself (depth -> depth); write a loop"),
    ("x = self.mixed(self.n)", 62, "mixed() returns int before and float here; return one type on every path"),
    ("x = self.drawn()", 69, "yield is not compiled; write a helper that returns a value"),
    ("x = self.open_end(1)", 65, "open_end() may end without a value; return one on every path"),
]


def refusals_of(statement, folder):
    with pytest.raises(NotCompiledError) as caught:
        lower(class_of(HEAD + textwrap.indent(statement, " " * 8) + "\n", folder))
    return [str(refusal) for refusal in caught.value.refusals], folder / "trial.py"


@pytest.mark.parametrize(("statement", "line", "words"), IN_BODY)
def test_a_statement_is_refused_with_line_reason_and_alternative(statement, line, words, tmp_path):
    found, file = refusals_of(statement, tmp_path)

    assert found == [f"{file}:{HEAD.count(chr(10)) + 1 + line}: {words}"]


@pytest.mark.parametrize(("statement", "line", "words"), IN_HELPER)
def test_a_helper_is_refused_where_it_stands(statement, line, words, tmp_path):
    found, file = refusals_of(statement, tmp_path)

    assert found == [f"{file}:{line}: {words}"]


def test_every_refusal_of_a_class_is_said_at_once(tmp_path):
    found, _ = refusals_of("x = [1]\nself.nn = x\ny = x + 1\nself.n = 2.5\nfor i in range(3):\n    z = {}\n", tmp_path)

    assert [words.partition(".py:")[2].partition(";")[0] for words in found] == [
        "72: a list is not compiled",
        "75: field Trial.n is int, found float",
        "77: a dict is not compiled",
    ]


def test_the_error_says_how_to_go_on(tmp_path):
    with pytest.raises(NotCompiledError) as caught:
        lower(class_of(HEAD + "        print(1)\n", tmp_path))

    words = str(caught.value)
    assert words.startswith("strategy Trial: expected the compiled subset of Python (docs/strategies.md), found\n")
    assert words.endswith('  change these lines, or run it with speed = "interpreted"')
