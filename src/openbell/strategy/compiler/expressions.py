"""Expressions of the subset -> text of lowered code, with the kind of each.

Numbers keep to Python's rules: a bool counts as 0 or 1, an int beside a float becomes one, comparison of the two is
exact. What differs is said in docs/strategies.md: an int beyond 64 bits is an error here and a longer int in Python.
"""

from __future__ import annotations

import ast
import enum
import re
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from openbell.strategy.compiler import folding, kinds, sequences
from openbell.strategy.compiler.kinds import BOOL, FLOAT, INT, Value
from openbell.strategy.compiler.refusals import OPERATORS, AlreadyRefused, Refused, near, refuse_syntax
from openbell.strategy.compiler.source import MISSING, meaning_of, method_of

if TYPE_CHECKING:
    from openbell.strategy.compiler.functions import FunctionLowering

EXACT = 1 << 53
POWER_MAX = 8

# Operator -> operation on ints, operation on floats or the sign itself.
_BINARY: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("add", "+"),
    ast.Sub: ("sub", "-"),
    ast.Mult: ("mul", "*"),
    ast.Div: ("divide", "fdivide"),
    ast.FloorDiv: ("floordiv", "ffloordiv"),
    ast.Mod: ("mod", "fmod"),
    ast.LShift: ("shl", ""),
    ast.RShift: ("shr", ""),
    ast.BitAnd: ("&", ""),
    ast.BitOr: ("|", ""),
    ast.BitXor: ("^", ""),
}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
# What `compare(int, float)` gives, as a test of int OP float.
_EXACTLY = {
    "==": "({} == 0)",
    "!=": "({} != 0)",
    "<": "({} == -1)",
    "<=": "({} <= 0)",
    ">": "({} == 1)",
    ">=": "(({} >> 1) == 0)",
}
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


_ATOM = re.compile(r"\w*|\d+\.\d*(e[+-]?\d+)?|\(-[\w.+-]+\)")


class Expressions:
    """Lowers expressions within one function.

    Everything is worked out in the order in which Python does it: each operation is a line of its own, and what comes
    after `and`, `or`, `if` stands in a branch.
    """

    def __init__(self, within: FunctionLowering) -> None:
        self.within = within

    def lower(self, node: ast.expr) -> Value:
        """The kind of `node`, and a name or constant that holds it: it has been worked out by the lines before.

        Raises:
            Refused: it, or a part of it, is not in the subset.
        """
        value = self.last(node)
        return value if _ATOM.fullmatch(value.text) else self.within.hold(value)

    def last(self, node: ast.expr) -> Value:
        """`lower` for what is used at once, before anything else happens: the last operation is still a text."""
        method = getattr(self, f"_{type(node).__name__}", None)
        if method is None:
            raise refuse_syntax(node)
        value: Value = method(node)
        if value.kind is kinds.UNKNOWN:
            raise AlreadyRefused
        return value

    def line(self, node: ast.AST) -> str:
        """The place of `node` as errors carry it."""
        return self.within.line(node)

    def _Call(self, node: ast.Call) -> Value:
        return self.within.calls.lower(node)

    # Numbers

    def number(self, node: ast.expr) -> Value:
        """`node` as an int or a float."""
        return self.as_number(self.lower(node), node)

    def as_number(self, value: Value, node: ast.AST) -> Value:
        """`value` as an int or a float: bools count as 0 or 1, members of an IntEnum as their numbers."""
        if value.kind in (INT, FLOAT):
            return value
        if value.kind is BOOL:
            if value.constant is not None:
                return Value(str(int(value.constant)), INT, int(value.constant))
            return Value(f"as_int({value.text})", INT)
        if isinstance(value.kind, kinds.EnumOf) and issubclass(value.kind.members, enum.IntEnum):
            return Value(value.text, INT, value.constant)
        raise Refused(node, f"expected a number, found {value.kind}", "write an int, float or bool")

    def only_number(self, node: ast.expr, taker: str) -> Value:
        """`node` for a function that takes nothing but int and float, or gives back what it was given."""
        value = self.lower(node)
        if value.kind in (INT, FLOAT):
            return value
        self.as_number(value, node)
        raise Refused(node, f"{taker} of {value.kind} is not compiled", "write int(x)")

    def as_float(self, value: Value) -> Value:
        """A number as a float."""
        if value.kind is FLOAT:
            return value
        if value.constant is not None:
            return kinds.constant(float(value.constant)) or value
        return Value(f"as_float({value.text})", FLOAT)

    def truth(self, node: ast.expr) -> str:
        """`node` as a condition."""
        if isinstance(node, ast.BoolOp):
            return self._in_turn(node, lambda one: Value(self.truth(one), BOOL)).text
        return self.as_truth(self.lower(node), node)

    def as_truth(self, value: Value, node: ast.AST) -> str:
        """`value` as a condition."""
        if value.kind is BOOL:
            return value.text
        if isinstance(value.kind, kinds.EnumOf) and not value.kind.is_false_at_zero:
            instead = f"compare it, as in `x == {value.kind}.{next(iter(value.kind.members)).name}`"
            raise Refused(node, f"{value.kind} as a condition is not compiled", f"{instead}, or make it an IntEnum")
        if value.kind is INT or isinstance(value.kind, kinds.EnumOf):
            return f"({value.text} != 0)"
        if value.kind is FLOAT:
            return f"({value.text} != 0.0)"
        raise Refused(node, f"expected a condition, found {value.kind}", "compare it with something")

    def _in_turn(self, node: ast.BoolOp, work_out: Callable[[ast.expr], Value]) -> Value:
        """`and`, `or`: each value is worked out only where the ones before do not decide."""
        within, kind = self.within, None
        held = within.temporary()
        for i, one in enumerate(node.values):
            value = work_out(one)
            if kind is not None and value.kind != kind:
                both = " and ".join(sorted({str(kind), str(value.kind)}))
                raise Refused(node, f"`and`, `or` between {both} is not compiled", "compare each side, as in `x != 0`")
            kind = value.kind
            if kind.code not in ("i", "f", "b"):
                raise Refused(node, f"`and`, `or` of {kind} is not compiled", "compare each side, as in `x != 0`")
            within.emit(f"{held} = {value.text}")
            within.depth -= 1 if i else 0
            if i + 1 < len(node.values):
                test = self.as_truth(Value(held, kind), node)
                within.emit(f"if {test}:" if isinstance(node.op, ast.And) else f"if not {test}:")
                within.depth += 1
        assert kind is not None
        return Value(held, kind)

    # Atoms

    def _Constant(self, node: ast.Constant) -> Value:
        found = kinds.constant(node.value)
        if found is None or found.kind is kinds.TEXT:
            raise self._no_constant(node, node.value, repr(node.value))
        return found

    def _no_constant(self, node: ast.AST, value: object, name: str) -> Refused:
        if isinstance(value, int):
            return Refused(node, f"{name} does not fit 64 bits", "use a smaller number, or a float")
        if isinstance(value, str):
            return Refused(node, f"a str ({name}) is not compiled", "write an int, or a member of an IntEnum")
        if value is None:
            return Refused(node, "None is not compiled", "use 0, -1 or a bool field for what is absent")
        if isinstance(value, (list, tuple, dict, set, frozenset)):
            found = f"a {type(value).__name__} ({name}) is not compiled"
            return Refused(node, found, "write several constants, or declare an array in the class")
        return Refused(node, f"{name} ({type(value).__name__}) is not compiled", "use an int, float, bool or IntEnum")

    def _Name(self, node: ast.Name) -> Value:
        kind = self.within.names.get(node.id)
        if kind is None and node.id not in self.within.own:
            return self._global(node, meaning_of(self.within.source.function, node.id), node.id)
        if kind is None or not self.within.is_set(node.id):
            raise Refused(node, f"{node.id} may not be set here", "give it a value before the branch or loop")
        return Value(f"v_{node.id}", kind)

    def _global(self, node: ast.AST, found: Any, name: str) -> Value:
        if found is MISSING:
            known = [*self.within.names, *self.within.source.function.__globals__]
            raise Refused(node, f"{name} is not known here", near(name, known).replace("it has", "there are"))
        value = kinds.constant(found)
        if value is None or value.kind is kinds.TEXT:
            if callable(found):
                raise Refused(node, f"{name} stands for a function or class", "call it, or name a constant")
            raise self._no_constant(node, found, name)
        return value

    def static(self, node: ast.expr) -> Any:
        """The object that a dotted name of the module stands for, MISSING where it is not one."""
        if isinstance(node, ast.Name):
            return MISSING if node.id in self.within.own else meaning_of(self.within.source.function, node.id)
        if isinstance(node, ast.Attribute):
            base = self.static(node.value)
            if isinstance(base, (types.ModuleType, type)):
                return getattr(base, node.attr, MISSING)
        return MISSING

    def _Attribute(self, node: ast.Attribute) -> Value:
        name = ast.unparse(node)
        base = self.static(node.value)
        if base is not MISSING:
            if not isinstance(base, (types.ModuleType, type)):
                raise Refused(node, f"{name} is not compiled", "name a constant of a module, class or enum")
            if not hasattr(base, node.attr):
                raise Refused(node, f"{name} does not exist", near(node.attr, dir(base)))
            return self._global(node, getattr(base, node.attr), name)
        value = self.lower(node.value)
        if value.kind is kinds.CONTEXT:
            return self.within.calls.context_value(node)
        if isinstance(value.kind, kinds.StateOf):
            return self.field(value, node)
        if isinstance(value.kind, kinds.ViewOf):
            return self._view_field(value, value.kind, node)
        raise Refused(node, f"{value.kind} has no attributes", "name a field of self, ctx or the callback's argument")

    # Fields

    def field(self, base: Value, node: ast.Attribute) -> Value:
        """A field, or a constant, of the strategy or of a nested State."""
        assert isinstance(base.kind, kinds.StateOf)
        record = base.kind.record
        cell = self.within.unit.cell(record, node.attr)
        if cell is None:
            return self._class_constant(record, node)
        offset = base.offset + 8 * cell.offset
        if cell.kind == "state":
            return Value(base.text, kinds.state_of(cell.of), None, offset)
        if cell.kind == "array":
            return Value(base.text, kinds.array_of(kinds.NUMBERS[cell.of.__name__], cell.words), None, offset)
        kind = kinds.NUMBERS[cell.kind]
        return Value(f"load_{kind.code}({base.text}, {offset})", kind)

    def _class_constant(self, record: type, node: ast.Attribute) -> Value:
        found = method_of(record, node.attr)
        name = f"{record.__name__}.{node.attr}"
        if found is MISSING:
            raise Refused(node, f"{name} is not declared", near(node.attr, self.within.unit.names_of(record)))
        if isinstance(found, property):
            raise Refused(node, f"{name} is a property", "write a method and call it")
        if callable(found) or isinstance(found, (staticmethod, classmethod)):
            raise Refused(node, f"{name} is a method", "call it")
        return self._global(node, found, name)

    def _view_field(self, base: Value, view: kinds.ViewOf, node: ast.Attribute) -> Value:
        access = view.fields.get(node.attr)
        if access is None:
            raise Refused(node, f"{view} has no field {node.attr}", near(node.attr, view.fields))
        if access.derived:
            return Value(access.derived.format(p=base.text), access.kind)
        if access.load == "load_u64":
            return Value(f"load_u64(rt, {base.text}, {access.offset}, {self.line(node)})", access.kind)
        loaded = f"{access.load}({base.text}, {access.offset})"
        return Value(f"({loaded} != 0)" if access.kind is BOOL else loaded, access.kind)

    def _Subscript(self, node: ast.Subscript) -> Value:
        base = self.lower(node.value)
        if base.kind is kinds.INSTRUMENTS:
            return self.within.calls.instrument_at(self.index(node), node)
        if not isinstance(base.kind, kinds.ArrayOf):
            return sequences.item(self.within, base, self.index(node), node)
        place = f"index(rt, {base.kind.length}, {self.index(node)}, {self.line(node)})"
        return self.element(base, place)

    def element(self, array: Value, place: str) -> Value:
        """The element of `array` that lies `place` bytes after its start."""
        assert isinstance(array.kind, kinds.ArrayOf)
        return Value(f"load_{array.kind.of.code}({array.pointer}, {place})", array.kind.of)

    def index(self, node: ast.Subscript) -> str:
        """The text of an index."""
        value = self.number(node.slice) if not isinstance(node.slice, ast.Slice) else self.lower(node.slice)
        if value.kind is not INT:
            raise Refused(node, "an index of float is not compiled", "write int(x)")
        return value.text

    # Operators

    def _BinOp(self, node: ast.BinOp) -> Value:
        exact = folding.exact(node)
        if exact is not None:
            return folding.known(exact, node)
        return self.binary(node.op, self.lower(node.left), self.lower(node.right), node)

    def binary(self, sign: ast.operator, left: Value, right: Value, node: ast.AST) -> Value:
        """left SIGN right."""
        if isinstance(sign, ast.MatMult):
            raise Refused(node, "@ is not compiled", OPERATORS[ast.MatMult][1])
        if isinstance(sign, (ast.BitAnd, ast.BitOr, ast.BitXor)) and left.kind is BOOL and right.kind is BOOL:
            return Value(f"({left.text} {_BINARY[type(sign)][0]} {right.text})", BOOL)
        left, right = self.as_number(left, node), self.as_number(right, node)
        if isinstance(sign, ast.Pow):
            return self._power(left, right, node)
        on_ints, on_floats = _BINARY[type(sign)]
        if left.constant is not None and right.constant is not None:
            return folding.known(folding.fold(sign, left.constant, right.constant, node), node)
        line = self.line(node)
        if left.kind is INT and right.kind is INT:
            if not on_ints.isalpha():
                return Value(f"({left.text} {on_ints} {right.text})", INT)
            kind = FLOAT if on_ints == "divide" else INT
            return Value(f"{on_ints}(rt, {left.text}, {right.text}, {line})", kind)
        if not on_floats:
            raise Refused(node, "bits of a float are not compiled", "use ints on both sides")
        left, right = self.as_float(left), self.as_float(right)
        if on_floats.isalpha():
            return Value(f"{on_floats}(rt, {left.text}, {right.text}, {line})", FLOAT)
        return Value(f"({left.text} {on_floats} {right.text})", FLOAT)

    def _power(self, base: Value, exponent: Value, node: ast.AST) -> Value:
        if base.kind is FLOAT or exponent.kind is FLOAT:
            raise Refused(node, "** of a float is not compiled", "write x * x, or openbell.math.pow(x, y)")
        if exponent.constant is None or not 0 <= exponent.constant <= (64 if base.constant is not None else POWER_MAX):
            raise Refused(node, "** with this exponent is not compiled", f"write a constant from 0 to {POWER_MAX}")
        if base.constant is not None:
            return folding.known(folding.fold(ast.Pow(), base.constant, exponent.constant, node), node)
        if exponent.constant == 0:
            raise Refused(node, "** 0 is always 1", "write 1")
        text = base.text
        for _ in range(exponent.constant - 1):
            text = f"mul(rt, {text}, {base.text}, {self.line(node)})"
        return Value(text, INT)

    def _UnaryOp(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Not):
            return Value(f"(not {self.truth(node.operand)})", BOOL)
        exact = folding.exact(node)
        if exact is not None:
            return folding.known(exact, node)
        value = self.number(node.operand)
        if isinstance(node.op, ast.UAdd):
            return value
        if isinstance(node.op, ast.Invert):
            if value.kind is FLOAT:
                raise Refused(node, "bits of a float are not compiled", "use an int")
            return Value(f"(~{value.text})", INT, None if value.constant is None else ~value.constant)
        if value.constant is not None:
            return folding.known(-value.constant, node)
        if value.kind is FLOAT:
            return Value(f"(-{value.text})", FLOAT)
        return Value(f"sub(rt, 0, {value.text}, {self.line(node)})", INT)

    def _BoolOp(self, node: ast.BoolOp) -> Value:
        return self._in_turn(node, self.lower)

    def _IfExp(self, node: ast.IfExp) -> Value:
        within, held = self.within, self.within.temporary()
        within.emit(f"if {self.truth(node.test)}:")
        value = self._arm(held, node.body)
        within.emit("else:")
        other = self._arm(held, node.orelse)
        if value.kind != other.kind:
            found = f"a choice between {value.kind} and {other.kind} is not compiled"
            raise Refused(node, found, "make both the same type")
        if value.kind.code not in ("i", "f", "b"):
            raise Refused(node, f"a choice between two of {value.kind} is not compiled", "choose between numbers")
        return Value(held, value.kind)

    def _arm(self, held: str, node: ast.expr) -> Value:
        self.within.depth += 1
        value = self.last(node)
        self.within.emit(f"{held} = {value.text or 0}")
        self.within.depth -= 1
        return value

    # Comparison

    def _Compare(self, node: ast.Compare) -> Value:
        for sign in node.ops:
            if type(sign) in OPERATORS:
                found, instead = OPERATORS[type(sign)]
                raise Refused(node, f"`{found}` is not compiled", instead)
        within, left = self.within, self.lower(node.left)
        if len(node.ops) == 1:
            return Value(self._test(_COMPARE[type(node.ops[0])], left, self.lower(node.comparators[0]), node), BOOL)
        held = within.temporary()
        for i, (sign, term) in enumerate(zip(node.ops, node.comparators, strict=True)):
            right = self.lower(term)
            within.emit(f"{held} = {self._test(_COMPARE[type(sign)], left, right, node)}")
            left = right
            within.depth -= 1 if i else 0
            if i + 1 < len(node.ops):
                within.emit(f"if {held}:")
                within.depth += 1
        return Value(held, BOOL)

    def _test(self, sign: str, left: Value, right: Value, node: ast.AST) -> str:
        if left.kind is BOOL and right.kind is BOOL and sign in ("==", "!="):
            return f"({left.text} {sign} {right.text})"
        if isinstance(left.kind, kinds.EnumOf) and left.kind == right.kind and sign in ("==", "!="):
            return f"({left.text} {sign} {right.text})"
        left, right = self.as_number(left, node), self.as_number(right, node)
        if left.kind is FLOAT and right.kind is INT:
            left, right, sign = right, left, _MIRRORED[sign]
        if left.kind is INT and right.kind is FLOAT:
            if left.constant is None or abs(left.constant) > EXACT:
                return _EXACTLY[sign].format(f"compare({left.text}, {right.text})")
            left = self.as_float(left)
        return f"({left.text} {sign} {right.text})"
