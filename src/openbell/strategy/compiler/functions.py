"""One function of the subset -> one function of lowered code: its statements, its variables, where it can end."""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

from openbell.strategy.compiler import kinds
from openbell.strategy.compiler.calls import Calls
from openbell.strategy.compiler.expressions import Expressions
from openbell.strategy.compiler.kinds import BOOL, FLOAT, INT, NOTHING, UNKNOWN, Kind, Value
from openbell.strategy.compiler.loops import Loops, joined
from openbell.strategy.compiler.program import Failure
from openbell.strategy.compiler.refusals import AlreadyRefused, Refusal, Refused, near, refuse_syntax

if TYPE_CHECKING:
    from openbell.strategy.compiler.source import Source
    from openbell.strategy.compiler.unit import Unit

_RESULT = "@result@"  # what a function gives that leaves with an error; its kind is known at the end
_ZERO = {"i": "0", "f": "0.0", "b": "False"}


class FunctionLowering:
    """Lowers the body of one function for one combination of argument kinds."""

    def __init__(self, unit: Unit, source: Source, arguments: dict[str, Kind], *, takes_line: bool) -> None:
        self.unit, self.source, self.takes_line = unit, source, takes_line
        self.names: dict[str, Kind] = dict(arguments)
        self.own = {*arguments, *_stored(source.node)}  # a name set anywhere in it is its own everywhere
        self.since: dict[str, int] = dict.fromkeys(arguments, source.node.lineno)
        self.set: set[str] | None = set(arguments)  # names that surely have a value; None where nothing gets
        self.result: Kind | None = None
        self.lines: list[str] = []
        self.depth = 1
        self.temporaries = 0
        self.expressions = Expressions(self)
        self.calls = Calls(self)
        self.loops = Loops(self)

    def lower(self) -> list[str]:
        """The lines of the body, without its `def`."""
        self.block(self.source.node.body)
        if self.result is None:
            self.result = NOTHING
        if self.result is not NOTHING and self.set is not None:
            last = self.source.node.body[-1]
            self.refuse(Refused(last, f"{self.source.node.name}() may end without a value", "return one on every path"))
        if isinstance(self.result, kinds.TupleOf):
            zero = "(" + "".join(f"{_ZERO.get(item.code, '0')}, " for item in self.result.items) + ")"
        else:
            zero = _ZERO.get(self.result.code, "")
        self.emit(f"return {_RESULT}")
        return [line.replace(_RESULT, zero).rstrip() for line in self.lines]

    # What expressions ask for

    def line(self, node: ast.AST) -> str:
        """The place of `node` as errors carry it: the file's number above, the line below; or the caller's place."""
        if self.takes_line:
            return "line"
        return str(self.unit.file_number(self.source.file) << 32 | getattr(node, "lineno", 0))

    def temporary(self) -> str:
        """A new name that no author can write."""
        self.temporaries += 1
        return f"t{self.temporaries}"

    def is_set(self, name: str) -> bool:
        """Whether a variable surely has a value here."""
        return self.set is None or name in self.set

    def conversion(self, kind: Kind) -> str:
        """How to make a value of this kind."""
        if kind in (INT, FLOAT, BOOL):
            return {
                "int": "write int(x) or round(x)",
                "float": "write float(x), or 0.0 for 0",
                "bool": "compare it, as in `x != 0`",
            }[kind.name]
        if isinstance(kind, kinds.EnumOf):
            return f"write a member such as {kind.name}.{next(iter(kind.members)).name}"
        return f"give it {kind}"

    # Statements

    def emit(self, text: str) -> None:
        """One line of lowered code."""
        self.lines.append("    " * self.depth + text)

    def refuse(self, refused: Refused) -> None:
        """Keeps a refusal; the next statement is looked at all the same."""
        line = getattr(refused.node, "lineno", self.source.node.lineno)
        self.unit.refusals.append(Refusal(self.source.file, line, refused.found, refused.instead))

    def block(self, body: Sequence[ast.stmt]) -> None:
        """Lowers statements one after another."""
        before, depth = len(self.lines), self.depth
        for statement in body:
            try:
                self.statement(statement)
            except Refused as refused:
                self.refuse(refused)
                self._forget(statement)
            except AlreadyRefused:
                self._forget(statement)
            self.depth = depth
        if len(self.lines) == before:
            self.emit("pass")

    def _forget(self, statement: ast.stmt) -> None:
        """Names that a refused statement would have set are not reported once more."""
        for part in ast.walk(statement):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store) and part.id not in self.names:
                self.names[part.id] = UNKNOWN
                self.mark_set(part.id)

    def statement(self, node: ast.stmt) -> None:
        """Lowers one statement."""
        method = getattr(self, f"_{type(node).__name__}", None)
        if method is None:
            raise refuse_syntax(node)
        method(node)

    def _Pass(self, node: ast.Pass) -> None:
        pass

    def _Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant) and (isinstance(node.value.value, str) or node.value.value is ...):
            return  # a docstring
        self.emit(self.expressions.last(node.value).text or "pass")

    def _Return(self, node: ast.Return) -> None:
        if node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None):
            value = Value("", NOTHING)
        elif isinstance(node.value, ast.Tuple):
            if len(node.value.elts) < 2:
                raise Refused(node, "a tuple of one value is not compiled", "return the value")
            items = [self.expressions.lower(one) for one in node.value.elts]
            value = Value(
                "(" + "".join(f"{one.pointer}, " for one in items) + ")",
                kinds.tuple_of(tuple(one.kind for one in items)),
            )
        else:
            value = self.expressions.last(node.value)
        self.set = None
        self._check_result(value, node)
        self.emit(f"return {value.pointer}".rstrip())

    def _check_result(self, value: Value, node: ast.Return) -> None:
        name = self.source.node.name
        items = value.kind.items if isinstance(value.kind, kinds.TupleOf) else (value.kind,)
        for item in items:
            if item is not NOTHING and item.code not in _ZERO:
                raise Refused(
                    node, f"{name}() returns {item}", "return numbers; the caller names self, ctx or the record"
                )
        if self.result is not None and self.result != value.kind:
            raise Refused(
                node, f"{name}() returns {self.result} before and {value.kind} here", "return one type on every path"
            )
        self.result = value.kind

    def _Raise(self, node: ast.Raise) -> None:
        self.set = None
        call, name, text = node.exc, "", ""
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and len(call.args) < 2 and not call.keywords:
            name = call.func.id
            if call.args:
                text = self._text(call.args[0], "raise")
        elif isinstance(call, ast.Name):
            name = call.id
        if not name or node.cause is not None:
            raise Refused(node, "this raise is not compiled", 'write raise ValueError("what is wrong")')
        self._fail(f"{name}: {text}", node)

    def _Assert(self, node: ast.Assert) -> None:
        text = self._text(node.msg, "assert") if node.msg is not None else ""
        self.emit(f"if not {self.expressions.truth(node.test)}:")
        self.depth += 1
        self._fail(f"AssertionError: {text}", node)
        self.depth -= 1

    def _text(self, node: ast.expr, word: str) -> str:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        raise Refused(node, f"{word} with a text that is worked out is not compiled", "write a constant text")

    def _fail(self, text: str, node: ast.AST) -> None:
        self.emit(f"fail(rt, {int(Failure.RAISED)}, {self.unit.raise_number(text)}, {self.line(node)})")
        self.emit(f"return {_RESULT}")

    # Branches and loops

    def condition(self, node: ast.expr) -> str:
        """A condition as text; where it is refused, what depends on it is looked at all the same."""
        try:
            return self.expressions.truth(node)
        except Refused as refused:
            self.refuse(refused)
        except AlreadyRefused:
            pass
        return "True"

    def _If(self, node: ast.If) -> None:
        self.emit(f"if {self.condition(node.test)}:")
        before = None if self.set is None else set(self.set)
        self.indented(node.body)
        after = self.set
        self.set = before
        if node.orelse:
            self.emit("else:")
            self.indented(node.orelse)
        self.set = joined(after, self.set)

    def indented(self, body: Sequence[ast.stmt]) -> None:
        """A block one step further in."""
        self.depth += 1
        self.block(body)
        self.depth -= 1

    def _While(self, node: ast.While) -> None:
        self.loops.while_(node)

    def _For(self, node: ast.For) -> None:
        self.loops.for_(node)

    def _Break(self, _: ast.Break) -> None:
        self.loops.break_()

    def _Continue(self, _: ast.Continue) -> None:
        self.emit("continue")
        self.set = None

    # Assignment

    def _Assign(self, node: ast.Assign) -> None:
        first = node.targets[0]
        if len(node.targets) == 1 and isinstance(first, ast.Tuple):
            self._unpack(first, node.value)
            return
        value = self.expressions.last(node.value) if len(node.targets) == 1 else self.expressions.lower(node.value)
        for target in node.targets:
            self.assign(target, value)

    def _AnnAssign(self, node: ast.AnnAssign) -> None:
        expected = kinds.NUMBERS.get(ast.unparse(node.annotation).strip("'\""))
        if node.value is None:
            return
        value = self.expressions.last(node.value)
        if expected is not None and expected is not value.kind:
            found = f"{ast.unparse(node.target)} is declared {expected}, found {value.kind}"
            raise Refused(node, found, self.conversion(expected))
        self.assign(node.target, value)

    def _AugAssign(self, node: ast.AugAssign) -> None:
        target = node.target
        if isinstance(target, ast.Subscript):
            array = self.expressions.lower(target.value)
            if isinstance(array.kind, kinds.ArrayOf):
                place = self.temporary()
                self.emit(f"{place} = {self._place(array.kind, target)}")
                old = self.hold(self.expressions.element(array, place))
                value = self.expressions.binary(node.op, old, self.expressions.lower(node.value), node)
                self._store_element(array, place, value, node)
                return
            raise Refused(target, f"{array.kind} has no elements to set", "index a declared array")
        loaded = copy.copy(target)
        loaded.ctx = ast.Load()
        old = self.expressions.lower(loaded)
        self.assign(target, self.expressions.binary(node.op, old, self.expressions.lower(node.value), node))

    def hold(self, value: Value) -> Value:
        """`value` worked out here, under a name of ours."""
        if value.kind is NOTHING:
            return value
        name = self.temporary()
        self.emit(f"{name} = {value.pointer}")
        return Value(name, value.kind, value.constant, 0, value.is_fresh)

    def _unpack(self, target: ast.Tuple, node: ast.expr) -> None:
        if isinstance(node, ast.Tuple):
            if len(node.elts) != len(target.elts):
                raise Refused(
                    target, f"{len(target.elts)} names for {len(node.elts)} values", "give each value its own name"
                )
            values = [self.hold(self.expressions.lower(one)) for one in node.elts]
        else:
            found = self.expressions.last(node)
            if not isinstance(found.kind, kinds.TupleOf):
                raise Refused(
                    target, f"{found.kind} cannot be taken apart", "call a helper that returns several values"
                )
            if len(found.kind.items) != len(target.elts):
                raise Refused(
                    target,
                    f"{len(target.elts)} names for {len(found.kind.items)} values",
                    "give each value its own name",
                )
            names = [self.temporary() for _ in found.kind.items]
            self.emit(f"{', '.join(names)} = {found.text}")
            values = [Value(name, kind) for name, kind in zip(names, found.kind.items, strict=True)]
        for one, value in zip(target.elts, values, strict=True):
            self.assign(one, value)

    def assign(self, target: ast.expr, value: Value) -> None:
        """target = value."""
        if isinstance(target, ast.Name):
            self._assign_name(target, value)
        elif isinstance(target, ast.Attribute):
            self._assign_field(target, value)
        elif isinstance(target, ast.Subscript):
            array = self.expressions.lower(target.value)
            if not isinstance(array.kind, kinds.ArrayOf):
                raise Refused(target, f"{array.kind} has no elements to set", "index a declared array")
            held = value if value.constant is not None else self.hold(value)
            place = self.temporary()
            self.emit(f"{place} = {self._place(array.kind, target)}")
            self._store_element(array, place, held, target)
        else:
            raise refuse_syntax(target)

    def _place(self, array: kinds.ArrayOf, target: ast.Subscript) -> str:
        return f"index(rt, {array.length}, {self.expressions.index(target)}, {self.line(target)})"

    def _store_element(self, array: Value, place: str, value: Value, node: ast.AST) -> None:
        assert isinstance(array.kind, kinds.ArrayOf)
        of = array.kind.of
        value = self._plain(value, of, node)
        if value.kind is not of:
            raise Refused(node, f"an array of {of} takes {of}, found {value.kind}", self.conversion(of))
        self.emit(f"store_{of.code}({array.pointer}, {place}, {value.text})")

    def _plain(self, value: Value, kind: Kind, node: ast.AST) -> Value:
        """A member of an IntEnum as its number, where an int is kept."""
        return (
            self.expressions.as_number(value, node) if kind is INT and isinstance(value.kind, kinds.EnumOf) else value
        )

    def _assign_name(self, target: ast.Name, value: Value) -> None:
        name, kind = target.id, value.kind
        if kind is NOTHING:
            raise Refused(target, "the call gives no value", "call it on a line of its own")
        if isinstance(kind, kinds.TupleOf):
            raise Refused(
                target, f"{name} would be a tuple", f"take it apart: `a, b = ...` with {len(kind.items)} names"
            )
        if not kind.code:
            raise Refused(target, f"{name} would hold {kind}", f"write {kind} where it is used")
        if isinstance(kind, kinds.ViewOf) and not value.is_fresh:
            raise Refused(target, f"{name} would be a second name of one {kind}", "use the name it has")
        known = self.names.setdefault(name, kind)
        if known is UNKNOWN:
            raise AlreadyRefused
        if known != kind:
            found = f"{name} is {known} since line {self.since.get(name, 0)}, found {kind}"
            raise Refused(target, found, self.conversion(known) + ", or use another name")
        self.since.setdefault(name, target.lineno)
        self.emit(f"v_{name} = {value.pointer}")
        self.mark_set(name)

    def mark_set(self, name: str) -> None:
        """From here on `name` has a value."""
        if self.set is not None:
            self.set.add(name)

    def _assign_field(self, target: ast.Attribute, value: Value) -> None:
        base = self.expressions.lower(target.value)
        if not isinstance(base.kind, kinds.StateOf):
            raise Refused(target, f"a field of {base.kind} cannot be set", "keep it in a state field of the class")
        record = base.kind.record
        name = f"{record.__name__}.{target.attr}"
        cell = self.unit.cell(record, target.attr)
        if cell is None:
            raise Refused(target, f"{name} is not declared", near(target.attr, self.unit.names_of(record)))
        if self.unit.is_param(record, target.attr):
            raise Refused(
                target, f"{name} is a parameter, constant while it runs", "declare a state field for what changes"
            )
        if cell.kind in ("state", "array"):
            part = "its fields" if cell.kind == "state" else "its elements"
            raise Refused(target, f"{name} is part of the state and cannot be replaced", f"set {part}")
        kind = kinds.NUMBERS[cell.kind]
        value = self._plain(value, kind, target)
        if value.kind is not kind:
            raise Refused(target, f"field {name} is {kind}, found {value.kind}", self.conversion(kind))
        self.emit(f"store_{kind.code}({base.text}, {base.offset + 8 * cell.offset}, {value.text})")


def _stored(node: ast.FunctionDef) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
