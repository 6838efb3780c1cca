"""Strategies: one class answers one question, should we trade?

A strategy is an ordinary class whose annotated fields are its parameters (`param`) and its declared state.
Declared state is int, float or bool: the engine journals it, restores it after a restart and undoes it
when a callback raises. A class has no other attributes; a misspelt one is refused where it stands.

    class Imbalance(Strategy):
        size: int = param(100, ge=1, unit="lots")
        quotes: int = 0

        def on_book(self, ctx, book):
            ctx.quote(book.instrument, bid_px=book.bid_px, bid_qty=self.size)
            self.quotes += 1

Callbacks run at the end of a frame, in the order of the methods below, and see the world after it.
"""

from __future__ import annotations

import difflib
import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openbell.errors import StrategyError

if TYPE_CHECKING:
    from openbell._native import BookView, Context, Market, Report

__all__ = ["Field", "Param", "Strategy", "param"]

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
class Field:
    """One annotated field of a strategy class."""

    name: str
    kind: type
    default: Any
    param: Param | None

    def check(self, value: Any, owner: str) -> Any:
        """`value` as this field holds it, or a StrategyError that says what was expected."""
        if self.kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not self.kind or (isinstance(value, float) and not math.isfinite(value)):
            raise StrategyError(f"{owner}.{self.name}: expected {self.kind.__name__}, found {value!r}")
        if self.param is not None and isinstance(value, int | float):
            low, high = self.param.ge, self.param.le
            if (low is not None and value < low) or (high is not None and value > high):
                bounds = f"{'' if low is None else f'{low} <= '}{self.name}{'' if high is None else f' <= {high}'}"
                raise StrategyError(f"{owner}.{self.name}: expected {bounds} {self.param.unit}, found {value}")
        return value


class StrategyType(type):
    """Turns annotated fields into slots, so that undeclared attributes are refused."""

    __fields__: dict[str, Field]

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> StrategyType:
        fields: dict[str, Field] = {}
        for base in bases:
            fields.update(getattr(base, "__fields__", {}))
        own = {key: _field(name, key, kind, namespace) for key, kind in _annotations(namespace).items()}
        for key in own:
            namespace.pop(key, None)
        undeclared = [key for key, value in namespace.items() if isinstance(value, Param)]
        if undeclared:
            raise StrategyError(
                f"{name}.{undeclared[0]}: expected an annotation, found none; write `{undeclared[0]}: int = param(...)`"
            )
        namespace["__slots__"] = tuple(key for key in own if key not in fields)
        namespace["__fields__"] = {**fields, **own}
        return super().__new__(mcls, name, bases, namespace)


def _annotations(namespace: dict[str, Any]) -> dict[str, Any]:
    if sys.version_info >= (3, 14):
        import annotationlib

        annotate = annotationlib.get_annotate_from_class_namespace(namespace)
        if annotate is None:
            return {}
        return annotationlib.call_annotate_function(annotate, annotationlib.Format.FORWARDREF)
    return dict(namespace.get("__annotations__", {}))


def _field(owner: str, name: str, annotation: Any, namespace: dict[str, Any]) -> Field:
    kind = _KINDS.get(annotation)
    if kind is None:
        raise StrategyError(
            f"{owner}.{name}: expected int, float or bool, found {annotation!r}; declared state is journalled as "
            "numbers: keep anything else outside the class"
        )
    value = namespace.get(name, kind())
    spec = value if isinstance(value, Param) else None
    field = Field(name, kind, spec.default if spec else value, spec)
    field.check(field.default, owner)
    return field


class Strategy(metaclass=StrategyType):
    """Base class of every strategy. Override the callbacks you need; the others cost nothing."""

    def __init__(self, **params: Any) -> None:
        """Set parameters by name; every other field starts at its default.

        Raises:
            StrategyError: an unknown parameter, a value of another type, or one outside its bounds.
        """
        fields = type(self).__fields__
        known = [name for name, field in fields.items() if field.param is not None]
        for name in params:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"; did you mean {near[0]}?" if near else f"; it has {', '.join(known) or 'none'}"
                raise StrategyError(f"{type(self).__name__}: expected a parameter, found {name!r}{hint}")
        for name, field in fields.items():
            setattr(self, name, field.check(params.get(name, field.default), type(self).__name__))

    @classmethod
    def state_fields(cls) -> list[tuple[str, str]]:
        """Declared state as (name, 'i' | 'f' | 'b'), in the order of the class."""
        return [(f.name, f.kind.__name__[0]) for f in cls.__fields__.values() if f.param is None]

    def on_start(self, ctx: Context) -> None:
        """A new epoch: first start or restart; declared state is already restored."""

    def on_status(self, ctx: Context, status: Market) -> None:
        """The trading state of an instrument, or of the whole market, changed."""

    def on_notice(self, ctx: Context, notice: Market) -> None:
        """What else was said of an instrument or the market: an imbalance, a collar, a check that failed ..."""

    def on_order(self, ctx: Context, report: Report) -> None:
        """The venue answered about one of our orders, other than by a fill."""

    def on_fill(self, ctx: Context, fill: Report) -> None:
        """One of our orders was executed: `fill.last_qty` at `fill.last_px`."""

    def on_timer(self, ctx: Context, timer_id: int) -> None:
        """A timer set with `ctx.set_timer` is due."""

    def on_trade(self, ctx: Context, trade: Market) -> None:
        """A print: an execution of a resting order or a trade outside the book."""

    def on_book(self, ctx: Context, book: BookView) -> None:
        """The book changed in this frame, or became valid or not valid (`book.is_valid`)."""

    def on_stop(self, ctx: Context) -> None:
        """An operator is stopping the node: open orders are being cancelled."""
