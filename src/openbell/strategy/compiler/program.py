"""What passes between the stages of the compiler: a lowered program, and the words that both ends know."""

from __future__ import annotations

import enum
from dataclasses import dataclass

# Offsets in the runtime that compiled code is handed (native/strategy/compiled/abi.h).
NOW, SEQ, FUEL, LINE, ERROR, DETAIL = 0, 8, 16, 24, 32, 40


class Failure(enum.IntEnum):
    """How compiled code fails; CompiledError of the C++ host."""

    OVERFLOW = 1
    DIVISION_BY_ZERO = 2
    INDEX = 3
    DOMAIN = 4
    FUEL = 5
    RAISED = 6
    VERB = 7
    CONVERSION = 8
    NEGATIVE_SHIFT = 9


@dataclass(frozen=True)
class Foreign:
    """A C function of the host: codes of what it takes (without the runtime) and returns."""

    name: str
    result: str  # i, f, n, or p: it fills a record of `room` bytes
    arguments: str
    takes_runtime: bool = True
    room: int = 0


@dataclass(frozen=True)
class Program:
    """A strategy as plain functions. All that decides its machine code is in `text` and `foreign`."""

    text: str
    hooks: dict[str, str]  # hook -> function of the text
    foreign: tuple[Foreign, ...]
    raises: tuple[str, ...]  # texts, by Runtime::detail
    files: tuple[str, ...]  # by the upper half of Runtime::line
    helpers: tuple[str, ...]  # what is reached from the hooks, for people


def symbol_of(hook: str) -> str:
    """The name that a hook has in the object."""
    return f"openbell_{hook}"
