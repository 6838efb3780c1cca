"""What the compiled subset does not have: where, what was found, and what to write instead."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from openbell.errors import StrategyError


@dataclass(frozen=True, order=True)
class Refusal:
    """One construct that cannot be compiled."""

    file: str
    line: int
    found: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.found}; {self.instead}"


class Refused(Exception):
    """Raised where a construct is met; the statement around it is left, the next one is looked at."""

    def __init__(self, node: ast.AST, found: str, instead: str) -> None:
        super().__init__(found)
        self.node, self.found, self.instead = node, found, instead


class AlreadyRefused(Exception):
    """What stands here follows from something refused before."""


class NotCompiledError(StrategyError):
    """A strategy is not in the compiled subset; `refusals` says all that was found."""

    def __init__(self, name: str, refusals: Iterable[Refusal]) -> None:
        self.refusals = tuple(sorted(set(refusals)))
        lines = "\n".join(f"  {refusal}" for refusal in self.refusals)
        super().__init__(
            f"strategy {name}: expected the compiled subset of Python (docs/strategies.md), found\n{lines}\n"
            '  change these lines, or run it with speed = "interpreted"'
        )


NAMES_SHOWN = 12

_CONDITION = "test the condition with `if`; an error halts the strategy and undoes the callback"
_ARRAY = "declare `name: Array = array(float, 100)` in the class"
_LOOP = "write a `for` loop"
_CODE = "raise ValueError with a constant text, or keep a number in a state field"

# Syntax that is refused wherever it stands: what it is called, and what to write instead.
SYNTAX: dict[type[ast.AST], tuple[str, str]] = {
    ast.Try: ("try", _CONDITION),
    ast.TryStar: ("try", _CONDITION),
    ast.With: ("with", "a strategy opens nothing; do it outside the class"),
    ast.AsyncWith: ("async with", "callbacks are ordinary functions"),
    ast.AsyncFor: ("async for", "callbacks are ordinary functions"),
    ast.Await: ("await", "callbacks are ordinary functions; set a timer to go on later"),
    ast.Yield: ("yield", "write a helper that returns a value"),
    ast.YieldFrom: ("yield from", "write a helper that returns a value"),
    ast.FunctionDef: ("a function inside a function", "write a method, or a function of the module"),
    ast.AsyncFunctionDef: ("an async function", "write a method, or a function of the module"),
    ast.Lambda: ("lambda", "write a method, or a function of the module"),
    ast.ClassDef: ("a class inside a function", "write a State class at the top of the file"),
    ast.Import: ("import inside a function", "import at the top of the file"),
    ast.ImportFrom: ("import inside a function", "import at the top of the file"),
    ast.Global: ("global", "declare a state field: globals are neither journalled nor undone"),
    ast.Nonlocal: ("nonlocal", "declare a state field"),
    ast.Delete: ("del", "leave the variable, or give it another value"),
    ast.Match: ("match", "write if and elif"),
    ast.List: ("a list", _ARRAY),
    ast.ListComp: ("a list comprehension", f"{_LOOP} over a declared array"),
    ast.SetComp: ("a set comprehension", f"{_LOOP} over a declared array"),
    ast.DictComp: ("a dict comprehension", f"{_LOOP} over a declared array"),
    ast.GeneratorExp: ("a generator", _LOOP),
    ast.Dict: ("a dict", f"number the keys and {_ARRAY}"),
    ast.Set: ("a set", f"number the members and {_ARRAY}"),
    ast.JoinedStr: ("an f-string", _CODE),
    ast.Starred: ("*", "name each value"),
    ast.NamedExpr: (":=", "assign on a line of its own"),
    ast.Slice: ("a slice", _LOOP),
    ast.Tuple: ("a tuple", "give each value its own name; helpers may return several values"),
}

OPERATORS: dict[type[ast.AST], tuple[str, str]] = {
    ast.Is: ("is", "write =="),
    ast.IsNot: ("is not", "write !="),
    ast.In: ("in", "write `x == a or x == b`, or a loop"),
    ast.NotIn: ("not in", "write `x != a and x != b`, or a loop"),
    ast.MatMult: ("@", "write a loop"),
}

BUILTINS: dict[str, str] = {
    "print": "a callback has no console: keep a number in a state field and read it with `openbell status`",
    "sum": _LOOP,
    "any": _LOOP,
    "all": _LOOP,
    "sorted": "keep a declared array in order as you fill it",
    "enumerate": "write `for i in range(len(values))`",
    "zip": "write `for i in range(len(values))`",
    "map": _LOOP,
    "filter": _LOOP,
    "reversed": "write `for i in range(len(values) - 1, -1, -1)`",
    "list": _ARRAY,
    "dict": f"number the keys and {_ARRAY}",
    "set": f"number the members and {_ARRAY}",
    "tuple": "give each value its own name",
    "str": _CODE,
    "repr": _CODE,
    "format": _CODE,
    "isinstance": "every variable has one type, known when it is compiled",
    "type": "every variable has one type, known when it is compiled",
    "getattr": "name the field: `self.field`",
    "setattr": "name the field: `self.field = value`",
    "hasattr": "fields are declared in the class",
    "divmod": "write // and %",
    "pow": "write x * x, or openbell.math.pow(x, y)",
    "open": "a callback has no files; pass numbers by on_signal",
    "input": "a callback has no console; pass numbers by on_signal",
    "eval": "write the expression",
    "exec": "write the statements",
    "complex": "keep two floats",
    "super": "write the base class's method under a name of its own and call that",
}


def refuse_syntax(node: ast.AST) -> Refused:
    """The refusal of a node that the subset does not have."""
    found, instead = SYNTAX.get(type(node), (type(node).__name__, "it is not in the compiled subset"))
    return Refused(node, f"{found} is not compiled", instead)


def near(name: str, known: Iterable[str]) -> str:
    """ "did you mean bid_px?", or the list."""
    names = [one for one in known if not one.startswith("_")]
    close = difflib.get_close_matches(name, names, 1)
    shown = ", ".join(names[:NAMES_SHOWN]) + (" ..." if len(names) > NAMES_SHOWN else "")
    return f"did you mean {close[0]}?" if close else f"it has {shown or 'none'}"
