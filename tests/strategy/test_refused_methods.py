"""A method that the engine would never call, or could not, is refused with its line and what to write."""

from pathlib import Path

import pytest

from openbell.errors import StrategyError
from openbell.strategy.loader import load_strategy

HEAD = """
import functools

from openbell import Strategy


def plain(f):
    @functools.wraps(f)
    def wrapped(*args):
        return f(*args)
    return wrapped


class Trial(Strategy):
    n: int
"""
LINE = HEAD.count("\n") + 1

CASES = {
    "def onbook(self, ctx, book): pass": "onbook: expected a callback, found none of this name, and nobody would call",
    "def on_fil(self, ctx, fill): pass": "did you mean on_fill?",
    "def onBok(self, ctx, book): pass": "did you mean on_book?",
    "def on_quote(self, ctx, quote): pass": "they are on_start, on_status, on_notice",
    "async def on_book(self, ctx, book): pass": "expected `def on_book(self, ctx, book)`, found async def: it",
    "async def on_book(self, ctx, book): yield": "found async def with yield: it is called and never awaited",
    "def on_book(self, ctx, book): yield": "found def with yield: nothing of it would run; write it without `yield`",
    "def on_book(self, ctx): pass": "expected `def on_book(self, ctx, book)`, found `def on_book(self, ctx)`",
    "def on_book(ctx, book): pass": "found `def on_book(ctx, book)`; it is called with these arguments",
    "def on_fill(self, ctx, fill, px): pass": "expected `def on_fill(self, ctx, fill)`, found `def on_fill(self, ctx,",
    "def on_stop(self, ctx, *, at): pass": "expected `def on_stop(self, ctx)`, found `def on_stop(self, ctx, *, at)`",
    "on_book = None": "expected a callback, `def on_book(self, ctx, book)`, found something of its name",
    "def __init__(self): self.n = 1": "expected no constructor, found one; a field that is declared has its value",
}


@pytest.mark.parametrize("future", ["", "from __future__ import annotations"], ids=["now", "later"])
@pytest.mark.parametrize("method", CASES)
def test_a_refused_method_is_said_with_its_line_and_what_to_write(method: str, future: str, tmp_path: Path):
    file = tmp_path / "trial.py"
    file.write_text(f"{future}{HEAD}    {method}\n")

    with pytest.raises(StrategyError) as refused:
        load_strategy(file)

    assert str(refused.value).startswith(f"{file}:{LINE}: Trial.")
    assert CASES[method] in str(refused.value)


@pytest.mark.parametrize(
    "method",
    [
        "def on_book(self, context, changed): pass",
        "def on_book(self, *args): pass",
        "def on_timer(self, ctx, timer_id, again=1): pass",
        "on_book = plain(lambda self, ctx, book: None)",
        "on_book = functools.partialmethod(lambda self, ctx, book, n: None, n=1)",
        "on_trade = Strategy.on_book",
        "def once(self): pass",
        "def one_book(self): pass",
        "def only(self): yield 1",
        "def _on_quote(self, ctx): pass",
        "on_side: int = 0",
    ],
)
def test_what_can_be_called_is_left_alone(method: str, tmp_path: Path):
    file = tmp_path / "trial.py"
    file.write_text(f"{HEAD}    {method}\n")

    load_strategy(file)


def test_a_callback_of_another_base_is_looked_at_too(tmp_path: Path):
    file = tmp_path / "trial.py"
    file.write_text(
        "from openbell import Strategy\nclass Pays:\n    def on_fills(self, ctx, fill): pass\n"
        "class Trial(Pays, Strategy): pass\n"
    )

    with pytest.raises(StrategyError, match=r"trial.py:3: Trial.on_fills: .* did you mean on_fill\?"):
        load_strategy(file)
