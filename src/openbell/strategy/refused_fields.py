"""What the refusal of a field says: where it is declared, and what to declare instead."""

from __future__ import annotations

import ast
import enum
from pathlib import Path
from types import FrameType
from typing import Any

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
