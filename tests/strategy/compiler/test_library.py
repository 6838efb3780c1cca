"""openbell.math, indicators and models inside compiled strategies: the same bits as in interpreted ones."""

import struct

import pytest

from openbell import math
from openbell.strategy.compiler import host
from openbell.strategy.compiler.program import Failure
from openbell.strategy.compiler.refusals import NotCompiledError
from openbell.strategy.compiler.unit import lower
from strategy.compiler.harness import Asked, Rig, book, book_words, class_of, words_of

HEAD = "from openbell import Strategy, array, math\nfrom openbell.strategy import Array\n"
ONE = sorted(f.name.removeprefix("ob_") for f in host.functions() if f.signature == "f64(f64)")
TWO = sorted(f.name.removeprefix("ob_") for f in host.functions() if f.signature == "f64(f64,f64)")
WHOLE = ("floor", "ceil", "trunc")
NUMBERS = (0.0, -0.0, 1.0, -1.0, 0.5, 1e300, -1e300, 1e-300, 745.0, float("inf"), float("-inf"), float("nan"))

INDICATORS = """
from openbell import Strategy
from openbell.strategy.indicators import *


class Trial(Strategy):
    ema: Ema = Ema(span=20.0)
    other: Ema = Ema(half_life=3.5)
    timed: TimeEma = TimeEma(half_life_ns=1_500)
    mean: RollingMean = rolling_mean(5)
    std: RollingStd = rolling_std(7)
    longer: RollingStd = rolling_std(11)
    vol: RollingVolatility = rolling_volatility(6)
    vwap: Vwap = Vwap()
    last: RollingVwap = rolling_vwap(4)
    flow: OrderFlow = OrderFlow()
    x: float
    n: int

    def on_book(self, ctx, book):
        mid = 0.5 * float(book.bid_px + book.ask_px)
        self.x = self.ema.update(mid) - self.other.update(mid) + self.timed.update(ctx.now_ns + book.lot, mid)
        self.x += self.mean.update(mid) + self.std.update(mid) * self.longer.update(mid * 0.1) + self.vol.update(mid)
        self.x += self.vwap.update(book.bid_px, book.bid_qty) + self.last.update(book.ask_px, book.ask_qty)
        self.n += self.flow.update(book.bid_px, book.bid_qty, book.ask_px, book.ask_qty)
        if self.std.is_ready() and book.lot % 3 == 0:
            self.n -= self.flow.take()
            self.x += self.std.score(mid) + self.std.variance()
        self.x *= imbalance(book.bid_qty, book.ask_qty)
        self.x += microprice(book.bid_px, book.bid_qty, book.ask_px, book.ask_qty)
"""


def test_indicators_are_the_same_in_both_speeds(tmp_path, rng):
    strategy = class_of(INDICATORS, tmp_path)
    rig, plain = Rig(strategy), strategy()
    words, bid = words_of(plain), 100_000
    for step in range(400):
        bid += rng.choice([-100, 0, 0, 100])
        ask = bid + rng.choice([100, 200])
        view = book(bid_px=bid, ask_px=ask, bid_qty=rng.randint(1, 900), ask_qty=rng.randint(1, 900), lot=step * 700)

        assert rig.run("on_book", words, book_words(view)) == (0, 0, 0)
        plain.on_book(Asked(), view)

        assert list(words) == list(words_of(plain)), step


@pytest.fixture(scope="module")
def functions(tmp_path_factory):
    """Every function of openbell.math, each in an element of an array, of the numbers in the book."""
    calls = [f"math.{name}(self.x)" for name in ONE if name not in WHOLE]
    calls += [f"float(math.{name}(self.x))" for name in WHOLE]
    calls += [f"math.{name}(self.x, self.y)" for name in TWO]
    lines = [
        HEAD + "\n\nclass Trial(Strategy):\n    x: float\n    y: float\n    is_finite: bool\n",
        f"    out: Array = array(float, {len(calls)})\n\n    def on_book(self, ctx, book):\n",
        "        self.is_finite = math.isfinite(self.x)\n        self.y += 0.0 * math.pi\n",
    ]
    for place, call in enumerate(calls):
        lines.append(f"        if book.lot == {place}:\n            self.out[{place}] = {call}\n")
    strategy = class_of("".join(lines), tmp_path_factory.mktemp("math"))
    return strategy, Rig(strategy), calls


def test_every_function_gives_the_same_bits_or_fails_in_both(functions, rng):
    strategy, rig, calls = functions
    wrong = 0
    for place in range(len(calls)):
        for x in (*NUMBERS, *(rng.uniform(-20, 20) for _ in range(40))):
            plain = strategy()
            plain.x, plain.y = x, rng.choice([0.5, 2.0, -3.0, 1e-3])
            words, view = words_of(plain), book(lot=place)

            failure = rig.run("on_book", words, book_words(view))[0]
            try:
                plain.on_book(Asked(), view)
            except ValueError:
                wrong += 1
                assert failure in (Failure.DOMAIN, Failure.CONVERSION), (calls[place], x)
            else:
                assert failure == 0, (calls[place], x)
                assert list(words) == list(words_of(plain)), (calls[place], x)
    assert wrong > 20, "some arguments have no result"


def test_every_function_of_the_module_is_compiled():
    names = {name for name in math.__all__ if callable(getattr(math, name))}
    assert names == {*ONE, *TWO, "isfinite"}


@pytest.mark.parametrize(("given", "kind"), [("self.on", "bool"), ("True", "bool"), ("types.Side.BUY", "Side")])
def test_what_the_interpreted_function_refuses_is_not_compiled(given, kind, tmp_path):
    head = HEAD.replace("array, math", "array, math, types")
    fields = "\n\nclass Trial(Strategy):\n    x: float\n    on: bool\n\n"
    body = f"{fields}    def on_start(self, ctx):\n        self.x = math.sqrt({given})\n"
    strategy = class_of(head + body, tmp_path)

    with pytest.raises(TypeError):
        strategy().on_start(Asked())
    with pytest.raises(NotCompiledError, match=f"openbell.math.sqrt of {kind} is not compiled; write int"):
        lower(strategy)


def test_constants_of_the_module_are_its_bits(tmp_path):
    body = "\n\nclass Trial(Strategy):\n    x: float\n\n    def on_start(self, ctx):\n        self.x = math.pi\n"
    strategy = class_of(HEAD + body, tmp_path)
    words = words_of(strategy())

    assert Rig(strategy).run("on_start", words) == (0, 0, 0)
    assert words[1] == struct.unpack("<q", struct.pack("<d", math.pi))[0]
