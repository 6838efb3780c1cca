"""Declared fields: what the annotations of a class say, checked, and how the values lie in memory.

In both speeds a strategy's declared state is one row of 8-byte words: the random state, then every field in the
order of the class (bases first), then every parameter. An int is an i64, a float an f64, a bool an i64 of 0 or 1; an
array takes a word an element, a nested `State` the words of its own fields.
"""

from __future__ import annotations

import math
import struct
import sys
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from openbell.errors import StrategyError
from openbell.strategy.refused_fields import check_names, check_values, instead_of, place_of

Number = TypeVar("Number", int, float, bool)

if TYPE_CHECKING:

    class Array(Generic[Number]):
        """A fixed row of numbers in declared state; made by `array`."""

        @property
        def kind(self) -> type[Number]: ...
        def copy(self) -> Array[Number]: ...
        def __len__(self) -> int: ...
        def __getitem__(self, index: int, /) -> Number: ...
        def __setitem__(self, index: int, value: Number, /) -> None: ...

    def numbers(kind: type[Number], length: int) -> Array[Number]:
        """A fixed row of `length` numbers of `kind` (int, float or bool), all zero."""
else:
    from openbell._native import Array
    from openbell._native import array as numbers

__all__ = ["Array", "Cell", "Declared", "Field", "Layout", "Number", "Param", "State", "layout_of", "numbers", "param"]

_KINDS: dict[Any, type] = {int: int, float: float, bool: bool, "int": int, "float": float, "bool": bool}


@dataclass(frozen=True)
class Param:
    """A parameter's default, bounds and unit."""

    default: Any
    ge: float | None = None
    le: float | None = None
    unit: str = ""
    doc: str = ""


def param(default: Any, *, ge: float | None = None, le: float | None = None, unit: str = "", doc: str = "") -> Any:
    """A parameter of a strategy: set from the configuration, constant while it runs, checked against its bounds."""
    return Param(default, ge, le, unit, doc)


@dataclass(frozen=True)
class Cell:
    """Where a field lies: `offset` and `words` in 8-byte words, `of` the type of its values or of its elements."""

    name: str
    kind: Literal["int", "float", "bool", "array", "state"]
    offset: int
    words: int
    of: type


@dataclass(frozen=True)
class Layout:
    """Every field of a class in memory; the first `state_words` are journalled, the rest are parameters."""

    cells: tuple[Cell, ...]
    words: int
    state_words: int


@dataclass(frozen=True)
class Field:
    """One annotated field of a class."""

    name: str
    kind: type
    default: Any
    param: Param | None = None

    def check(self, value: Any, owner: str) -> Any:
        """`value` as this field holds it, or a StrategyError that says what was expected."""
        if self.kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not self.kind or (isinstance(value, float) and not math.isfinite(value)):
            raise StrategyError(f"{owner}.{self.name}: expected {self.kind.__name__}, found {value!r}")
        if isinstance(value, Array) and (value.kind, len(value)) != (self.default.kind, len(self.default)):
            raise StrategyError(
                f"{owner}.{self.name}: expected {len(self.default)} elements of {self.default.kind.__name__}, "
                f"found {len(value)} of {value.kind.__name__}"
            )
        if self.param is not None and isinstance(value, int | float):
            low, high = self.param.ge, self.param.le
            if (low is not None and value < low) or (high is not None and value > high):
                raise StrategyError(
                    f"{owner}.{self.name}: expected {self._bounds(self.param)} {self.param.unit}, found {value}"
                )
        return value

    def _bounds(self, spec: Param) -> str:
        low, high = ("" if spec.ge is None else f"{spec.ge} <= "), ("" if spec.le is None else f" <= {spec.le}")
        return f"{low}{self.name}{high}"

    def said(self) -> str:
        """A parameter for people: `100 lots, 1 <= size; quantity shown on each side`."""
        spec = self.param or Param(self.default)
        bounds = "" if spec.ge is None and spec.le is None else f", {self._bounds(spec)}"
        return f"{self.default}{' ' * bool(spec.unit)}{spec.unit}{bounds}{'; ' * bool(spec.doc)}{spec.doc}"

    def fresh(self) -> Any:
        """The default, for one more object."""
        return self.default.copy() if isinstance(self.default, Array | State) else self.default

    def cell(self, offset: int) -> Cell:
        """This field at `offset` words."""
        if isinstance(self.default, Array):
            return Cell(self.name, "array", offset, len(self.default), self.default.kind)
        if isinstance(self.default, State):
            return Cell(self.name, "state", offset, type(self.default).layout().words, self.kind)
        return Cell(self.name, self.kind.__name__, offset, 1, self.kind)  # type: ignore[arg-type]


class Declared(type):
    """Turns annotated fields into slots, so that undeclared attributes are refused."""

    __fields__: dict[str, Field]

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Declared:
        fields: dict[str, Field] = {}
        for base in bases:
            fields.update(getattr(base, "__fields__", {}))
        making = sys._getframe(1)
        own = {key: _field(name, key, kind, namespace, making) for key, kind in _annotations(namespace).items()}
        check_names(name, own, bases, making)
        for key in own:
            namespace.pop(key, None)
        undeclared = [key for key, value in namespace.items() if isinstance(value, Param | Array) or _is_state(value)]
        if undeclared:
            raise StrategyError(
                f"{place_of(making, name, undeclared[0])}: {name}.{undeclared[0]}: expected an annotation, found none; "
                f"write `{undeclared[0]}: TYPE = ...`"
            )
        check_values(name, namespace, fields, making)
        namespace["__slots__"] = tuple(key for key in own if key not in fields)
        namespace["__fields__"] = {**fields, **own}
        return super().__new__(mcls, name, bases, namespace)


def _is_state(value: Any) -> bool:
    return isinstance(type(value), Declared)


def _annotations(namespace: dict[str, Any]) -> dict[str, Any]:
    if sys.version_info >= (3, 14):
        import annotationlib

        annotate = annotationlib.get_annotate_from_class_namespace(namespace)
        if annotate is None:  # a class that code has made
            return dict(namespace.get("__annotations__", {}))
        return annotationlib.call_annotate_function(annotate, annotationlib.Format.FORWARDREF)
    return dict(namespace.get("__annotations__", {}))


def _field(owner: str, name: str, annotation: Any, namespace: dict[str, Any], making: FrameType) -> Field:
    value = namespace.get(name)
    if isinstance(value, Array) or _is_state(value):
        return Field(name, type(value), value)
    kind = _KINDS.get(annotation)
    if kind is None:
        raise StrategyError(
            f"{place_of(making, owner, name)}: {owner}.{name}: expected int, float or bool, an array, a ring or a "
            f"State, found {annotation!r}; {instead_of(name, annotation, namespace, making)}"
        )
    if name not in namespace:
        value = kind()
    spec = value if isinstance(value, Param) else None
    field = Field(name, kind, spec.default if spec else value, spec)
    try:
        field.check(field.default, owner)
    except StrategyError as error:
        raise StrategyError(f"{place_of(making, owner, name)}: {error}") from None
    return field


class State(metaclass=Declared):
    """Declared state with methods of its own, to be a field of a strategy or of another state.

    class Leg(State):
        qty: int
        px: float

        def worth(self) -> float:
            return self.qty * self.px
    """

    def __init__(self, **values: Any) -> None:
        """Every field at its default, or as given."""
        fields = type(self).__fields__
        for name in values:
            if name not in fields:
                raise StrategyError(
                    f"{type(self).__name__}: expected one of {', '.join(fields) or 'no fields'}, found {name!r}"
                )
        for name, field in fields.items():
            value = field.check(values[name], type(self).__name__) if name in values else field.fresh()
            setattr(self, name, value)

    def copy(self) -> Any:
        """Another one of the same values."""
        other = object.__new__(type(self))
        for name in type(self).__fields__:
            value = getattr(self, name)
            setattr(other, name, value.copy() if isinstance(value, Array | State) else value)
        return other

    @classmethod
    def layout(cls) -> Layout:
        """Its fields in memory, offsets from its own beginning."""
        return layout_of(list(cls.__fields__.values()), first=0)


def layout_of(fields: list[Field], *, first: int) -> Layout:
    """State fields from word `first`, then parameters."""
    cells: list[Cell] = []
    at = first
    state_words = first
    for field in sorted(fields, key=lambda f: f.param is not None):  # stable: the class's order within both
        cells.append(field.cell(at))
        at += cells[-1].words
        if field.param is None:
            state_words = at
    return Layout(tuple(cells), at, state_words)


def bits_of(kind: str, value: bool | int | float) -> int:
    """The word of a number of `kind`: int, float or bool."""
    packed = struct.pack("<d", value) if kind == "float" else struct.pack("<q", int(value))
    return int.from_bytes(packed, "little")


def value_of(kind: str, bits: int) -> bool | int | float:
    """And back."""
    packed = bits.to_bytes(8, "little")
    if kind == "float":
        return float(struct.unpack("<d", packed)[0])
    number = int(struct.unpack("<q", packed)[0])
    return bool(number) if kind == "bool" else number
