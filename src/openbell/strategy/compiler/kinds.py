"""What a value of compiled code can be. Every expression and every local variable has one kind, for good."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Kind:
    """`code` is how it travels in lowered code (machine.py); '' is nothing at all."""

    name: str
    code: str

    def __str__(self) -> str:
        return self.name


INT = Kind("int", "i")
FLOAT = Kind("float", "f")
BOOL = Kind("bool", "b")
NOTHING = Kind("nothing", "n")
CONTEXT = Kind("ctx", "")
TEXT = Kind("str", "")
ORDERS = Kind("ctx.orders()", "")
INSTRUMENTS = Kind("ctx.instruments", "")
UNKNOWN = Kind("unknown", "")  # its refusal has been said
NUMBERS = {"int": INT, "float": FLOAT, "bool": BOOL}


@dataclass(frozen=True)
class EnumOf(Kind):
    """A member of an enum, as its number."""

    members: type[enum.Enum]

    @property
    def is_false_at_zero(self) -> bool:
        """Whether Python asks the number: of an IntEnum or a Flag. Members of a plain Enum are true, 0 too."""
        return getattr(self.members, "__bool__", None) in (int.__bool__, enum.Flag.__bool__)


@dataclass(frozen=True)
class StateOf(Kind):
    """The strategy itself or a nested State: words, at an address."""

    record: type


@dataclass(frozen=True)
class ArrayOf(Kind):
    """A fixed array of numbers, at an address."""

    of: Kind
    length: int


@dataclass(frozen=True)
class Access:
    """How a field of a view is read: an operation at an offset, or a text with `{p}` where it is worked out."""

    load: str
    offset: int
    kind: Kind
    derived: str = ""


@dataclass(frozen=True)
class ViewOf(Kind):
    """A record that the host shows for the time of a callback: a book, a print, a report, an order."""

    fields: dict[str, Access] = field(compare=False)


@dataclass(frozen=True)
class TupleOf(Kind):
    """Several values: what a helper returns, what an assignment takes apart."""

    items: tuple[Kind, ...]


def enum_of(members: type[enum.Enum]) -> EnumOf:
    """The kind of an enum's members."""
    return EnumOf(members.__name__, "i", members)


def state_of(record: type) -> StateOf:
    """The kind of a record class: a Strategy or a State."""
    return StateOf(record.__name__, "p", record)


def array_of(of: Kind, length: int) -> ArrayOf:
    """The kind of a fixed array."""
    return ArrayOf(f"array of {length} {of}", "p", of, length)


def view_of(name: str, fields: dict[str, Access]) -> ViewOf:
    """The kind of a record that the host shows."""
    return ViewOf(name, "p", fields)


def tuple_of(items: tuple[Kind, ...]) -> TupleOf:
    """Several kinds at once."""
    return TupleOf(f"({', '.join(map(str, items))})", "".join(item.code for item in items), items)


@dataclass(frozen=True)
class Value:
    """An expression as lowered text. A record lies `offset` bytes after what the text points to."""

    text: str
    kind: Kind
    constant: Any = None  # a number known now
    offset: int = 0
    is_fresh: bool = False  # a view that no name holds yet

    @property
    def pointer(self) -> str:
        """The address as text."""
        return f"at({self.text}, {self.offset})" if self.offset else self.text


def constant(value: Any) -> Value | None:
    """A Python object as a constant of lowered code, None where it is not a number, an enum's member or a text."""
    if isinstance(value, enum.Enum):
        number = value.value
        return Value(_text(number), enum_of(type(value)), number) if type(number) is int and _fits(number) else None
    if isinstance(value, bool):
        return Value(str(value), BOOL, value)
    if type(value) is int:
        return Value(_text(value), INT, value) if _fits(value) else None
    if type(value) is float:
        return Value(_text(value), FLOAT, value)
    if isinstance(value, str):
        return Value("", TEXT, value)
    return None


def _fits(value: int) -> bool:
    return -(1 << 63) <= value < 1 << 63


def _text(value: float) -> str:
    return repr(value) if repr(value)[0].isdigit() else f"({value!r})"
