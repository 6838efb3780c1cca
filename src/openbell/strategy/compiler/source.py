"""From a Python function to its syntax tree, with the file and the lines that its author sees."""

from __future__ import annotations

import ast
import builtins
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openbell.errors import StrategyError

MISSING = object()


@dataclass(frozen=True)
class Source:
    """One function: its tree and where it stands."""

    function: types.FunctionType
    node: ast.FunctionDef
    file: str


def source_of(function: types.FunctionType, trees: dict[str, ast.Module]) -> Source:
    """The tree of `function`; `trees` keeps files that have been read.

    Raises:
        StrategyError: its source cannot be read, or has changed since it was imported.
    """
    code = function.__code__
    if code.co_filename not in trees:
        trees[code.co_filename] = _tree(code.co_filename)
    for node in ast.walk(trees[code.co_filename]):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            if first == code.co_firstlineno:
                return Source(function, node, code.co_filename)
    raise StrategyError(
        f"{code.co_filename}:{code.co_firstlineno}: expected the source of {function.__qualname__}, found other lines; "
        "the compiler reads functions written with def in a file that has not changed since its import"
    )


def _tree(file: str) -> ast.Module:
    try:
        return ast.parse(Path(file).read_text())
    except OSError:
        raise StrategyError(f"{file}: expected a Python file with the strategy's source, found none") from None


def meaning_of(function: types.FunctionType, name: str) -> Any:
    """What `name` means in `function`: in the function around it, in its module, or in Python; or MISSING."""
    around = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    if name in around:
        try:
            return around[name].cell_contents
        except ValueError:  # nothing was set there
            return MISSING
    if name in function.__globals__:
        return function.__globals__[name]
    return getattr(builtins, name, MISSING)


def builtin_name(target: Any) -> str:
    """What Python itself calls a builtin, whatever a module calls it; '' for anything else."""
    name = getattr(target, "__name__", "")
    return name if isinstance(name, str) and getattr(builtins, name, MISSING) is target else ""


def method_of(record: type, name: str) -> Any:
    """What the class says under `name`, unbound, or MISSING."""
    for base in record.__mro__:
        if name in vars(base):
            return vars(base)[name]
    return MISSING
