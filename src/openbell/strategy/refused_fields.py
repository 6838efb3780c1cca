"""What the refusal of a field says: where it is declared, and what to declare instead."""

from __future__ import annotations

import ast
import enum
import inspect
from collections.abc import Iterator, Mapping, MutableMapping, MutableSequence, MutableSet
from logging import Logger
from pathlib import Path
from types import FrameType, MappingProxyType, ModuleType
from typing import Any

from openbell.errors import StrategyError

INSTEAD = {
    "list": "declare `array(float, 100)`, which has a length, or `ring(float, 100)`, which keeps the newest",
    "dict": "number the keys and declare `array(float, 100)`: the key is the index",
    "str": "make the texts members of an IntEnum and declare an int",
}
INSTEAD |= {"deque": INSTEAD["list"], "tuple": INSTEAD["list"], "set": INSTEAD["dict"]}
_LENGTHS = {
    "array": "give it a length: `{name}: Array[float] = array(float, 100)`",
    "ring": "give it a length: `{name}: Ring[float] = ring(float, 100)`",
    "row": "give it a length: `{name}: Row[Leg] = array(Leg, 4)`, where Leg is a State",
}
_MISSING = object()
_CONSTANT = (MappingProxyType, ModuleType, Logger, enum.Enum)


def check_values(owner: str, namespace: Mapping[str, Any], inherited: Mapping[str, Any], making: FrameType) -> None:
    """Refuse what a class body keeps without an annotation and no journal would: what can change, a field of a base.

    Raises:
        StrategyError: with the line, what was found and what to write.
    """
    for name, value in namespace.items():
        if name.startswith("__") and name.endswith("__"):
            continue
        if name in inherited:
            kind = inherited[name].kind.__name__
            wrong = f"expected `{name}: {kind} = ...`, found no annotation; {name} is a field of a base"
        elif _can_change(value):
            wrong = (
                f"expected a declared field or a constant, found {_shown(value)}, which is not journalled, not undone "
                f"and gone after a restart; {_kept_as(value)}"
            )
        else:
            continue
        raise StrategyError(f"{place_of(making, owner, name)}: {owner}.{name}: {wrong}")


def check_names(owner: str, names: Mapping[str, Any], bases: tuple[type, ...], making: FrameType) -> None:
    """Refuse fields that would take the place of a method.

    Raises:
        StrategyError: with the line and the name.
    """
    for name in names:
        if any(callable(getattr(base, name, None)) for base in bases):
            raise StrategyError(
                f"{place_of(making, owner, name)}: {owner}.{name}: expected the name of a field, found that of a "
                f"method; call it something else"
            )


def _can_change(value: Any) -> bool:
    if callable(value) or isinstance(value, _CONSTANT) or hasattr(type(value), "__get__"):
        return False
    if isinstance(value, Iterator):
        return True
    try:
        hash(value)
    except TypeError:
        return True
    return hasattr(value, "__dict__") and inspect.getattr_static(value, "__setattr__") is object.__setattr__


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"a {type(value).__name__}"


def _kept_as(value: Any) -> str:
    if isinstance(value, MutableMapping | MutableSet):
        return INSTEAD["dict"]
    if isinstance(value, MutableSequence):
        return f"{INSTEAD['list']}; a constant is a tuple"
    return "declare its numbers, as fields or as a `State`"


def place_of(making: FrameType, owner: str, name: str) -> str:
    """`file:line` of the field `name` of the class `owner` that the code of `making` is declaring."""
    file, line = making.f_code.co_filename, making.f_lineno
    return f"{file}:{_line_of(file, line, owner, name)}"


def _line_of(file: str, line: int, owner: str, name: str) -> int:
    try:
        tree = ast.parse(Path(file).read_text())
    except (OSError, SyntaxError, ValueError):
        return line
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == owner and node.lineno <= line <= (node.end_lineno or line):
            for one in node.body:
                if getattr(one, "name", None) == name:  # a method, a class
                    return one.lineno
                targets = [one.target] if isinstance(one, ast.AnnAssign) else getattr(one, "targets", [])
                if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                    return one.lineno
    return line


def instead_of(name: str, annotation: Any, namespace: dict[str, Any], making: FrameType) -> str:
    """What to declare in place of what a record of the journal cannot hold."""
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    kind = text.partition("[")[0].rpartition(".")[2]
    value = namespace.get(name, _MISSING)
    if kind in ("ClassVar", "Final"):
        return f"a constant has no annotation: `{name} = {'...' if value is _MISSING else repr(value)}`"
    if kind.lower() in _LENGTHS:
        return _LENGTHS[kind.lower()].format(name=name)
    meant = type(value) if isinstance(value, enum.Enum) else _meant(annotation, making)
    if isinstance(meant, enum.EnumMeta):
        return _number_of(name, meant, value)
    if hasattr(meant, "__fields__"):
        return f"give it a value: `{name}: {kind} = {kind}()`"
    return INSTEAD.get(kind.lower(), "declared state is journalled as numbers: keep anything else outside the class")


def _meant(annotation: Any, making: FrameType) -> Any:
    """The class that an annotation names."""
    if not isinstance(annotation, str):
        return annotation
    return {**making.f_globals, **making.f_locals}.get(annotation)


def _number_of(name: str, members: enum.EnumMeta, value: Any) -> str:
    """The member of an enum as a field holds it."""
    member = value if isinstance(value, enum.Enum) else next(iter(members), None)
    if member is None or type(member.value) is not int:
        return INSTEAD["str"]
    made = "" if issubclass(members, enum.IntEnum) else f"make {members.__name__} an IntEnum and "
    return f"{made}write `{name}: int = {members.__name__}.{member.name}.value`"
