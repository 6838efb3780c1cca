"""What a class of strategy must not define: callbacks that nobody calls or that cannot run, and a constructor."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Iterator, Mapping
from types import FrameType, FunctionType
from typing import Any

from openbell.errors import StrategyError
from openbell.strategy.refused_fields import place_of

_NEVER_DONE = (
    (inspect.iscoroutinefunction, "async def", "it is called and never awaited; write `def {name}`"),
    (inspect.isasyncgenfunction, "async def with yield", "it is called and never awaited; write `def {name}`"),
    (inspect.isgeneratorfunction, "def with yield", "nothing of it would run; write it without `yield`"),
)


def check_methods(strategy: type, base: type, making: FrameType) -> None:
    """Refuse what the engine would not call, or could not, in a subclass of `base` that `making` declares.

    Raises:
        StrategyError: with the line, what was found and what to write.
    """
    callbacks = {name: value for name, value in vars(base).items() if name.startswith("on_")}
    for name, value in _own(strategy, base).items():
        wrong = "".join(_refusal(name, value, callbacks))
        if wrong:
            raise StrategyError(f"{_place(strategy, name, value, making)}: {strategy.__name__}.{name}: {wrong}")


def _own(strategy: type, base: type) -> dict[str, Any]:
    """What it and its bases, mixins too, define beyond `base`."""
    classes = [one for one in reversed(strategy.__mro__) if not issubclass(base, one)]
    return {name: value for one in classes for name, value in vars(one).items()}


def _refusal(name: str, value: Any, callbacks: Mapping[str, Any]) -> Iterator[str]:
    if name == "__init__":
        yield (
            "expected no constructor, found one; a field that is declared has its value (`books: int = 0`, "
            "`size: int = param(100)`), what needs the market goes into on_start"
        )
    elif name in callbacks:
        yield from _refused_callback(name, value, inspect.signature(callbacks[name]))
    elif isinstance(value, FunctionType) and _looks_called(name, callbacks):
        near = difflib.get_close_matches(_joined(name), map(_joined, callbacks), 1, 0.75)
        meant = [one for one in callbacks if _joined(one) in near]
        hint = f"did you mean {meant[0]}?" if meant else f"they are {', '.join(callbacks)}"
        yield f"expected a callback, found none of this name, and nobody would call it; {hint}"


def _looks_called(name: str, callbacks: Mapping[str, Any]) -> bool:
    """on_bok, onQuote, onbook; not once, one_order."""
    return re.match("on_|[oO]n[A-Z]", name) is not None or _joined(name) in map(_joined, callbacks)


def _joined(name: str) -> str:
    return name.replace("_", "").lower()


def _refused_callback(name: str, value: Any, expected: inspect.Signature) -> Iterator[str]:
    written = f"def {name}{_written(expected)}"
    if not isinstance(value, FunctionType):
        if not callable(value) and not hasattr(type(value), "__get__"):
            yield f"expected a callback, `{written}`, found something of its name; give that another name"
        return
    for is_so, what, why in _NEVER_DONE:
        if is_so(value):
            yield f"expected `{written}`, found {what}: {why.format(name=name)}"
            return
    found = inspect.signature(value, follow_wrapped=False)
    try:
        found.bind(*expected.parameters)
    except TypeError:
        yield f"expected `{written}`, found `def {name}{_written(found)}`; it is called with these arguments"


def _written(signature: inspect.Signature) -> str:
    """`(self, ctx, book)`: without the types."""
    plain = [one.replace(annotation=inspect.Parameter.empty) for one in signature.parameters.values()]
    return str(inspect.Signature(plain))


def _place(strategy: type, name: str, value: Any, making: FrameType) -> str:
    code = getattr(value, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else place_of(making, strategy.__name__, name)
