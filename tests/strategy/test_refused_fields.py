"""A field that cannot be declared is refused with its file, its line and what to write."""

from pathlib import Path

import pytest

from openbell.errors import StrategyError
from openbell.strategy.loader import load_strategy

HEAD = """
import enum
import typing
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


class Trial(Strategy):
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
    "size = param(5)": "expected an annotation, found none",
}


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
