"""A field that cannot be declared is refused with its file, its line and what to write."""

from pathlib import Path

import pytest

from openbell.errors import StrategyError
from openbell.strategy.loader import load_strategy

HEAD = """
import enum
import typing
from collections import deque
from itertools import count
from typing import ClassVar, Final

from openbell import Array, Ring, State, Strategy, array, param


class Mode(enum.IntEnum):
    QUIET = 0
    LOUD = 3


class Plain(enum.Enum):
    ONE = 1


class Name(enum.Enum):
    ONE = "one"


class Leg(State):
    qty: int


class Tracker:
    def __init__(self):
        self.n = 0


class Based(Strategy):
    size: int = param(5)


class Trial(Based):
    n: int
"""

CASES = {
    "LIMIT: ClassVar[int] = 5": "a constant has no annotation: `LIMIT = 5`",
    "LIMIT: typing.ClassVar = 5": "a constant has no annotation: `LIMIT = 5`",
    "RATE: Final = 0.5": "a constant has no annotation: `RATE = 0.5`",
    "mode: Mode = Mode.LOUD": "write `mode: int = Mode.LOUD.value`",
    "mode: Mode": "write `mode: int = Mode.QUIET.value`",
    "mode: Plain = Plain.ONE": "make Plain an IntEnum and write `mode: int = Plain.ONE.value`",
    "mode: Name = Name.ONE": "make the texts members of an IntEnum and declare an int",
    "leg: Leg": "give it a value: `leg: Leg = Leg()`",
    "leg: Leg = Leg": "give it a value: `leg: Leg = Leg()`",
    "last: Ring[float]": "give it a length: `last: Ring[float] = ring(float, 100)`",
    "seen: Array[int]": "give it a length: `seen: Array[float] = array(float, 100)`",
    "kept: list[int] = [1]": "declare `array(float, 100)`, which has a length",
    "size: int = param(5, ge=10)": "expected 10 <= size , found 5",
    "x: float = 'a'": "expected float, found 'a'",
    "width = param(5)": "expected an annotation, found none",
    "seen = {}": "gone after a restart; number the keys and declare `array(float, 100)`",
    "seen = {1, 2}": "gone after a restart; number the keys and declare `array(float, 100)`",
    "last = []": "found [], which is not journalled, not undone and gone after a restart; declare `array(float, 100)`",
    "last = deque(maxlen=5)": "or `ring(float, 100)`, which keeps the newest",
    "last = ([],)": "expected a declared field or a constant, found ([],)",
    "ids = count()": "expected a declared field or a constant, found count(0)",
    "tracker = Tracker()": "declare its numbers, as fields or as a `State`",
    "size = 7": "expected `size: int = ...`, found no annotation; size is a field of a base",
    "on_start: int = 3": "expected the name of a field, found that of a method",
    "layout: int": "expected the name of a field, found that of a method",
}
CONSTANTS = """
import collections, dataclasses, decimal, enum, fractions, functools, logging, math, pathlib, re, types, typing
from openbell import State, Strategy


class Mode(enum.Enum):
    ONE = [1]


class Pair(typing.NamedTuple):
    a: int


@dataclasses.dataclass(frozen=True)
class Frozen:
    a: int


class Trial(Strategy):
    limits = (1, 2.5, ("a", None))
    names = frozenset({"a"})
    table = types.MappingProxyType({"a": 1})
    mode = Mode.ONE
    mode_class = Mode
    pair = Pair(1)
    frozen = Frozen(1)
    px = decimal.Decimal("0.1")
    ratio = fractions.Fraction(1, 3)
    home = pathlib.Path("x")
    word = re.compile("a")
    library = math
    root = math.sqrt
    steps = range(3)
    log = logging.getLogger("x")
    half = functools.partial(round, ndigits=2)
    of = lambda self: 1
    number = list[int] | None
    width: int = 7

    class Leg(State):
        qty: int

    @property
    def one(self): return 1

    @functools.cached_property
    def two(self): return 1

    @staticmethod
    def three(): return 1
"""


@pytest.mark.parametrize("future", ["", "from __future__ import annotations"], ids=["now", "later"])
@pytest.mark.parametrize("declared", CASES)
def test_a_refused_field_is_said_with_its_line_and_what_to_write(declared: str, future: str, tmp_path: Path):
    file = tmp_path / "trial.py"
    file.write_text(f"{future}{HEAD}    {declared}\n\n    def on_stop(self, ctx): pass\n")

    with pytest.raises(StrategyError) as refused:
        load_strategy(file)

    name = declared.partition(" ")[0].rstrip(":")
    assert str(refused.value).startswith(f"{file}:{HEAD.count(chr(10)) + 1}: Trial.{name}: expected ")
    assert CASES[declared] in str(refused.value)


def test_what_cannot_change_may_stand_in_a_class_without_an_annotation(tmp_path: Path):
    file = tmp_path / "trial.py"
    file.write_text(CONSTANTS)

    assert list(load_strategy(file).__fields__) == ["width"]
