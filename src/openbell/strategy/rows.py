"""Fields of several elements: a ring of the newest numbers, a fixed row of records.

Both are States, so that the engine journals, restores and undoes them as such, and the compiler takes their methods.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, Generic, TypeVar, cast, overload

from openbell.errors import StrategyError
from openbell.strategy.fields import Array, Declared, Number, State, numbers

Record = TypeVar("Record", bound=State)


class Ring(State, Generic[Number]):
    """The newest numbers, as many as it holds, oldest first; made by `ring(kind, length)`.

    `ring[-1]` is the newest, `len(ring)` how many there are; a number more takes the place of the oldest.
    """

    cells: Array[float] = numbers(float, 1)
    pushed: int = 0

    def push(self, value: Number) -> None:
        """One more number."""
        self.cells[self.pushed % len(self.cells)] = value
        self.pushed += 1

    def __len__(self) -> int:
        return min(self.pushed, len(self.cells))

    def __getitem__(self, index: int) -> Number:
        count = min(self.pushed, len(self.cells))
        at = index + count if index < 0 else index
        if at < 0 or at >= count:
            raise IndexError("ring: expected an index of what was pushed")
        return self.cells[(self.pushed - count + at) % len(self.cells)]  # type: ignore[return-value]

    def __iter__(self) -> Iterator[Number]:
        """Those that it had when the loop began; compiled loops count the same way."""
        for index in range(len(self)):
            yield self[index]


class Row(State, Generic[Record]):
    """A fixed row of records of one State class; made by `array(Class, length)`."""

    def __len__(self) -> int:
        return len(type(self).__fields__)

    def __getitem__(self, index: int) -> Record:
        count = len(self)
        if not -count <= index < count:
            raise IndexError(f"array: expected an index below {count}, found {index}")
        record: Record = getattr(self, f"at{index % count}")
        return record

    def __iter__(self) -> Iterator[Record]:
        for index in range(len(self)):
            yield self[index]


@functools.cache
def _ring_of(kind: type, length: int) -> type[Ring[Any]]:
    class RingOf(Ring[Any]):
        cells: Array[Any] = numbers(kind, length)

    return RingOf


def ring(kind: type[Number], length: int) -> Ring[Number]:
    """The newest `length` numbers of `kind` (int, float or bool); empty at first."""
    return _ring_of(cast(Any, kind), length)()


@functools.cache
def _row_of(record: type[State], length: int) -> type[Row[Any]]:
    if length < 1:
        raise StrategyError(f"array: expected a length of at least 1, found {length}")
    fields = {f"at{index}": record() for index in range(length)}
    return Declared("Row", (Row,), {"__annotations__": dict.fromkeys(fields, record), **fields})  # type: ignore[return-value]


@overload
def array(kind: type[Number], length: int) -> Array[Number]: ...
@overload
def array(kind: type[Record], length: int) -> Row[Record]: ...
def array(kind: Any, length: int) -> Any:
    """A fixed row of `length`: numbers of `kind` (int, float or bool), all zero, or records of a State class."""
    if isinstance(kind, Declared):
        return _row_of(kind, length)()
    return numbers(kind, length)


def element_of(record: type) -> tuple[type, int] | None:
    """The class of a Row's records and how many there are; None of another State."""
    if not issubclass(record, Row):
        return None
    fields = list(record.__fields__.values())
    return fields[0].kind, len(fields)
