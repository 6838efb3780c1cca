"""Deliberately wrong strategies: each gives the error that the docs promise, the others keep trading."""

import re
from pathlib import Path

import pytest

from openbell import _native as native
from openbell import events
from openbell.errors import StrategyError
from openbell.node.record import machine_code
from openbell.strategy import Strategy, param
from openbell.strategy.budget import watched
from openbell.strategy.compiler.report import look_at
from openbell.strategy.loader import load_strategy
from openbell.types import ArmState, Type
from strategy import wrong
from strategy.world import World, halted

DOCS = Path(__file__).parents[2] / "docs/strategy-errors.md"
ROW = re.compile(r"^\| (\w+) \| [^|]+ \| `([^`]+)` \| (refused: )?`([^`]+)` \|", re.MULTILINE)
ROWS = ROW.findall(DOCS.read_text())
CASES = {name: words for name, words, *_ in ROWS}
REFUSED = {name: words for name, _, refused, words in ROWS if refused}
COMPILED = {name: words for name, _, refused, words in ROWS if not refused}
BUDGET_NS = 20_000_000


class Other(Strategy):
    """The one beside it."""

    books: int = 0

    def on_book(self, ctx, book):
        self.books += 1
        ctx.quote(book.instrument, ask_px=book.bid_px + 100, ask_qty=1)


@pytest.mark.parametrize(
    "name",
    [n for n, c in vars(wrong).items() if isinstance(c, type) and c.__module__ == wrong.__name__ and n != "Wrong"],
)
def test_it_is_halted_as_documented_and_the_others_keep_trading(name: str):
    strategy, other = getattr(wrong, name)(), Other()
    world = World(strategy)
    world.host.add(1, "Other", other, ["SYM0"])
    with watched(world.host, BUDGET_NS):
        world.start()
        said = world.book(2)
        again = world.book(3)

    assert halted(said).startswith(CASES[name]), f"docs/strategy-errors.md says {CASES[name]!r}"
    assert [r[0] for r in said].count(Type.INTENT) == 1, "what it said in that frame is taken back"
    assert strategy.books == 1, "what it changed too"
    assert (other.books, [r[0] for r in again].count(Type.INTENT)) == (3, 1), "and is asked no more; the other one is"


@pytest.mark.parametrize("name", COMPILED)
def test_compiled_it_is_halted_as_documented_and_the_others_keep_trading(name: str):
    other = Other()
    world = World(other)
    world.host = native.StrategyHost()
    world.host.add_compiled(0, name, getattr(wrong, name)(), ["SYM0"], machine_code(getattr(wrong, name)))
    world.host.add(1, "Other", other, ["SYM0"])
    world.start()
    said = world.book(2)
    again = world.book(3)

    assert halted(said).startswith(COMPILED[name])
    assert [r[0] for r in said].count(Type.INTENT) == 1, "what it said in that frame is taken back"
    assert (other.books, [r[0] for r in again].count(Type.INTENT)) == (3, 1), "and is asked no more; the other one is"


@pytest.mark.parametrize("name", REFUSED)
def test_compiled_it_is_refused_as_documented_before_anything_runs(name: str):
    (refusal,) = look_at(getattr(wrong, name)).refusals
    assert refusal.found.startswith(REFUSED[name]) and refusal.file.endswith("wrong.py")


def test_it_stays_halted_over_a_restart_until_a_person_releases_it():
    strategy = wrong.Raises()
    world = World(strategy)
    world.start()
    assert halted(world.book(2))

    world.start(epoch=2)
    assert world.book(3) == []
    world.frame(events.arm(ArmState.FULL, after_kill=True, strategy=0))

    assert "bad price" in halted(world.book(4)), "it is asked again, and nobody has mended it"


BEFORE_IT_RUNS = {
    "a parameter that is not one": (lambda: wrong.Wrong(sise=1), "did you mean size?"),
    "a parameter out of bounds": (lambda: wrong.Wrong(size=0), "expected 1 <= size"),
    "a parameter of another type": (lambda: wrong.Wrong(size=1.5), "expected int, found 1.5"),
    "a field of text": (
        lambda: type(Strategy)("S", (Strategy,), {"__annotations__": {"names": str}}),
        "expected int, float or bool",
    ),
    "a parameter without a type": (lambda: type(Strategy)("S", (Strategy,), {"n": param(1)}), "expected an annotation"),
}


@pytest.mark.parametrize("name", BEFORE_IT_RUNS)
def test_some_mistakes_are_refused_before_anything_runs(name: str):
    make, why = BEFORE_IT_RUNS[name]
    with pytest.raises(StrategyError, match=re.escape(why)):
        make()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("def f(:\n", "does not import: SyntaxError"),
        ("import nowhere_at_all\n", "does not import: ModuleNotFoundError"),
        ("x = 1\n", "expected one strategy class, found none"),
        (
            "from openbell import Strategy\nclass A(Strategy): pass\nclass B(Strategy): pass\n",
            "expected one strategy class, found A, B; name one with `class`",
        ),
    ],
)
def test_a_file_that_is_no_strategy_is_refused(tmp_path, text: str, why: str):
    file = tmp_path / "some.py"
    file.write_text(text)
    with pytest.raises(StrategyError, match=re.escape(why)):
        load_strategy(file)
