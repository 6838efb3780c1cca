"""A whole strategy -> one lowered program: its hooks, every helper they reach, once for each kinds of arguments."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openbell
from openbell.strategy import Strategy
from openbell.strategy.compiler import host, kinds
from openbell.strategy.compiler.functions import FunctionLowering
from openbell.strategy.compiler.host import HOOKS, REQUIRED, Argument, HostFunction
from openbell.strategy.compiler.kinds import CONTEXT, INT, UNKNOWN, Kind
from openbell.strategy.compiler.program import Foreign, Program
from openbell.strategy.compiler.refusals import AlreadyRefused, NotCompiledError, Refusal, Refused
from openbell.strategy.compiler.source import method_of, source_of

OURS = Path(openbell.__file__).parent
_Key = tuple[types.FunctionType, tuple[Kind, ...]]


def lower(strategy: type[Strategy], functions: Sequence[HostFunction] | None = None) -> Program:
    """The strategy as plain functions; `functions` are the C functions of the host.

    Raises:
        NotCompiledError: with every construct outside the subset.
        StrategyError: a source that cannot be read.
    """
    unit = Unit(host.functions() if functions is None else functions)
    hooks = {name: unit.hook(strategy, name) for name in HOOKS if _is_own(strategy, name)}
    if unit.refusals:
        raise NotCompiledError(strategy.__name__, unit.refusals)
    reached = tuple(sorted({f"{key[0].__qualname__}" for key in unit.done if key[0].__name__ not in HOOKS}))
    return Program(
        "\n\n".join(unit.texts), hooks, tuple(unit.used.values()), tuple(unit.raises), tuple(unit.files), reached
    )


def _is_own(strategy: type[Strategy], hook: str) -> bool:
    return method_of(strategy, hook) is not method_of(Strategy, hook)


class Unit:
    """What the functions of one strategy share while they are lowered."""

    def __init__(self, functions: Sequence[HostFunction]) -> None:
        self.functions = {function.name: function.signature for function in functions}
        self.verbs = {function.verb.partition("(")[0]: function.name for function in functions if function.verb}
        self.refusals: list[Refusal] = []
        self.texts: list[str] = []
        self.used: dict[str, Foreign] = {}
        self.raises: dict[str, int] = {}
        self.files: dict[str, int] = {}
        self.done: dict[_Key, tuple[str, Kind]] = {}
        self.open: list[types.FunctionType] = []
        self.named = 0
        self.trees: dict[str, ast.Module] = {}
        self._math: dict[int, str] | None = None

    # Functions

    def hook(self, strategy: type[Strategy], name: str) -> str:
        """Lowers a callback; returns its name in the text."""
        function = method_of(strategy, name)
        kind = host.argument_of(name)
        given = [kinds.state_of(strategy), CONTEXT, *([] if kind is None else [kind])]
        return self._lower(function, tuple(given), timer_id=kind is INT)[0]

    def function(self, function: types.FunctionType, given: tuple[Kind, ...], node: ast.AST) -> tuple[str, Kind]:
        """The lowered name and the result's kind of a helper for these kinds of arguments."""
        if function in self.open:
            chain = " -> ".join(one.__name__ for one in [*self.open[self.open.index(function) :], function])
            raise Refused(node, f"{function.__name__}() calls itself ({chain})", "write a loop")
        key = (function, given)
        if key not in self.done:
            self.done[key] = self._lower(function, given, takes_line=self.is_ours(function))
        if self.done[key][1] is UNKNOWN:
            raise AlreadyRefused
        return self.done[key]

    def _lower(
        self, function: types.FunctionType, given: tuple[Kind, ...], *, timer_id: bool = False, takes_line: bool = False
    ) -> tuple[str, Kind]:
        source = source_of(function, self.trees)
        names = [
            one.arg for one in (*source.node.args.posonlyargs, *source.node.args.args, *source.node.args.kwonlyargs)
        ]
        self.named += 1
        name = f"f{self.named}_{function.__name__}"
        lowering = FunctionLowering(self, source, dict(zip(names, given, strict=False)), takes_line=takes_line)
        before = len(self.refusals)
        self.open.append(function)
        try:
            self._check_header(source.node, len(names) == len(given))
            body = lowering.lower()
        except Refused as refused:
            lowering.refuse(refused)
        finally:
            self.open.pop()
        if len(self.refusals) > before or lowering.result is None:
            return name, UNKNOWN
        values = [(f"v_{one}", kind.code) for one, kind in zip(names, given, strict=True) if kind is not CONTEXT]
        if timer_id:  # handed as a pointer to the number
            body.insert(0, f"    {values[-1][0]} = load_u64(rt, argument, 0, {source.node.lineno})")
            values[-1] = ("argument", "p")
        if takes_line:
            values.append(("line", "i"))
        codes = "p" + "".join(code for _, code in values)
        place = f"{Path(source.file).name}:{source.node.lineno}"
        header = f"def {name}({', '.join(['rt', *(one for one, _ in values)])}):  # {place}"
        self.texts.append("\n".join([f'@function("{lowering.result.code}", "{codes}")', header, *body]))
        return name, lowering.result

    def is_ours(self, function: types.FunctionType) -> bool:
        """Whether a helper is openbell's own: what fails in it is said with the line of the strategy that called it."""
        return Path(function.__code__.co_filename).is_relative_to(OURS)

    def _check_header(self, node: ast.FunctionDef, fits: bool) -> None:
        for decorator in node.decorator_list:
            if ast.unparse(decorator) != "staticmethod":
                raise Refused(decorator, f"@{ast.unparse(decorator)} is not compiled", "write the function without it")
        if node.args.vararg is not None or node.args.kwarg is not None:
            raise Refused(node, f"{node.name}() takes * or ** arguments", "name each argument")
        if not fits:
            raise Refused(
                node, f"{node.name}() has other arguments than its callers give", "write them as in the documentation"
            )

    def arguments_of(self, function: types.FunctionType, node: ast.Call) -> list[Argument]:
        """The arguments of a helper, with defaults and the kinds that its author annotated."""
        tree = source_of(function, self.trees).node
        if tree.args.vararg is not None or tree.args.kwarg is not None:
            raise Refused(node, f"{function.__name__}() takes * or ** arguments", "name each argument")
        placed = [*tree.args.posonlyargs, *tree.args.args]
        defaults = function.__defaults__ or ()
        rest = [REQUIRED] * (len(placed) - len(defaults))
        values = [
            *rest,
            *defaults,
            *((function.__kwdefaults__ or {}).get(one.arg, REQUIRED) for one in tree.args.kwonlyargs),
        ]
        return [
            Argument(
                one.arg,
                None if one.annotation is None else kinds.NUMBERS.get(ast.unparse(one.annotation).strip("'\"")),
                value,
            )
            for one, value in zip([*placed, *tree.args.kwonlyargs], values, strict=True)
        ]

    # Classes

    def cell(self, record: type, name: str) -> Any:
        """The cell of a field, None where it has none of this name."""
        return next((cell for cell in record.layout().cells if cell.name == name), None)  # type: ignore[attr-defined]

    def names_of(self, record: type) -> list[str]:
        """The fields of a record."""
        return [cell.name for cell in record.layout().cells]  # type: ignore[attr-defined]

    def methods_of(self, record: type) -> list[str]:
        """The methods of a record."""
        return [name for base in record.__mro__ for name, value in vars(base).items() if callable(value)]

    def is_param(self, record: type, name: str) -> bool:
        """Whether a field is a parameter."""
        field = getattr(record, "__fields__", {}).get(name)
        return getattr(field, "param", None) is not None

    # The host and the tables of the program

    def foreign(self, name: str) -> Foreign | None:
        """A C function of the host, None where it has none of this name."""
        if name not in self.functions:
            return None
        return self.used.setdefault(name, host.parse_foreign(name, self.functions[name]))

    def verb(self, written: str) -> Foreign | None:
        """The C function of a verb written as `ctx.quote`, None where compiled code has none."""
        return self.foreign(self.verbs[written]) if written in self.verbs else None

    def context_names(self) -> list[str]:
        """What ctx has."""
        return host.context_names()

    def math_name(self, target: Callable[..., Any]) -> str | None:
        """The name that a function has in openbell.math, None for any other."""
        if self._math is None:
            try:
                from openbell import math
            except ImportError:
                self._math = {}
            else:
                self._math = {
                    id(value): name for name, value in vars(math).items() if callable(value) and name[0] != "_"
                }
        return self._math.get(id(target))

    def raise_number(self, text: str) -> int:
        """The number of a text that compiled code may raise."""
        return self.raises.setdefault(text, len(self.raises))

    def file_number(self, file: str) -> int:
        """The number of a source file: 0 is the first hook's."""
        return self.files.setdefault(file, len(self.files))
