"""Calls: verbs of ctx, openbell.math, the few builtins that have a meaning without objects, helpers."""

from __future__ import annotations

import ast
import types
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from openbell.strategy.compiler import host, kinds, sequences
from openbell.strategy.compiler.host import ABSENT, REQUIRED, Argument
from openbell.strategy.compiler.kinds import BOOL, CONTEXT, FLOAT, INT, Kind, Value
from openbell.strategy.compiler.refusals import BUILTINS, Refused, near
from openbell.strategy.compiler.source import MISSING, builtin_name, method_of
from openbell.strategy.rows import array, ring

if TYPE_CHECKING:
    from openbell.strategy.compiler.functions import FunctionLowering

SYMBOL_BYTES = 16
CONTEXT_NUMBERS = {"now_ns": "now(rt)", "seq": "seq(rt)"}


class Calls:
    """Lowers calls within one function."""

    def __init__(self, within: FunctionLowering) -> None:
        self.within = within
        self.unit = within.unit

    def lower(self, node: ast.Call) -> Value:
        """The call as text."""
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                raise Refused(argument, "* in a call is not compiled", "name each argument")
        for keyword in node.keywords:
            if keyword.arg is None:
                raise Refused(node, "** in a call is not compiled", "name each argument")
        target = self.within.expressions.static(node.func)
        if target is not MISSING:
            return self._static(node, target)
        if isinstance(node.func, ast.Name):
            if node.func.id in self.within.own:
                raise Refused(node, f"{node.func.id} is a variable", "call a method or a function of the module")
            raise Refused(node, f"{node.func.id} is not known here", self._near_function(node.func.id))
        if isinstance(node.func, ast.Attribute):
            return self._method(node, node.func)
        raise Refused(node, "a call of what a call returns is not compiled", "name the function")

    def _near_function(self, name: str) -> str:
        return near(name, self.within.source.function.__globals__).replace("it has", "there are")

    def _static(self, node: ast.Call, target: Any) -> Value:
        name = ast.unparse(node.func)
        math = self.unit.math_name(target)
        if math is not None:
            return self._math(node, target, math)
        builtin = builtin_name(target)
        if hasattr(self, f"builtin_{builtin}"):
            value: Value = getattr(self, f"builtin_{builtin}")(node)
            return value
        if builtin in BUILTINS:
            raise Refused(node, f"{name}() is not compiled", BUILTINS[builtin])
        if isinstance(target, types.FunctionType) and target not in (array, ring):
            return self._helper(node, target, None)
        module = str(getattr(target, "__module__", None) or type(target).__module__)
        if module == "math" or module.partition(".")[0] == "numpy":
            raise Refused(
                node, f"{name} is not compiled", "use openbell.math, which gives the same bits on every machine"
            )
        if isinstance(target, type) or target in (array, ring):
            raise Refused(node, f"{name}() makes an object", "declare it as a field of the class, or use its members")
        raise Refused(node, f"{name} is not compiled", "call a function written in Python, or openbell.math")

    def _math(self, node: ast.Call, target: Any, name: str) -> Value:
        function = self.unit.foreign(f"ob_{name}")
        if function is None:
            raise Refused(node, f"openbell.math.{name} is not compiled", "it has no C function in this host")
        if node.keywords or len(node.args) != len(function.arguments):
            count = len(function.arguments)
            raise Refused(node, f"openbell.math.{name} takes {count} numbers, in order", "write them without names")
        expressions = self.within.expressions
        given = [expressions.only_number(one, f"openbell.math.{name}") for one in node.args]
        values = [expressions.as_float(value).text for value in given]
        line = self.within.line(node)
        text, result = f"{function.name}({', '.join(['rt', *values, line])})", host.result_of(target)
        if result is INT and function.result == "f":  # floor, ceil, trunc
            text = f"truncate(rt, {text}, {line})"
        return Value(f"({text} != 0)" if result is BOOL else text, result)

    # Builtins

    def _one(self, node: ast.Call) -> ast.expr:
        if len(node.args) != 1 or node.keywords:
            raise Refused(
                node, f"{ast.unparse(node.func)}() with {len(node.args)} values is not compiled", "give it one"
            )
        return node.args[0]

    def builtin_abs(self, node: ast.Call) -> Value:
        value = self.within.expressions.number(self._one(node))
        if value.kind is FLOAT:
            return Value(f"magnitude({value.text})", FLOAT)
        return Value(f"absolute(rt, {value.text}, {self.within.line(node)})", INT)

    def builtin_int(self, node: ast.Call) -> Value:
        value = self.within.expressions.number(self._one(node))
        if value.kind is INT:
            return value
        return Value(f"truncate(rt, {value.text}, {self.within.line(node)})", INT)

    def builtin_round(self, node: ast.Call) -> Value:
        if len(node.args) == 2:
            raise Refused(node, "round() to digits is not compiled", "write round(x * 100) / 100")
        value = self.within.expressions.number(self._one(node))
        if value.kind is INT:
            return value
        return Value(f"nearest(rt, {value.text}, {self.within.line(node)})", INT)

    def builtin_float(self, node: ast.Call) -> Value:
        one = self._one(node)
        if isinstance(one, ast.Constant) and one.value in ("inf", "-inf", "nan"):
            return kinds.constant(float(one.value)) or Value("nan", FLOAT)
        expressions = self.within.expressions
        return expressions.as_float(expressions.number(one))

    def builtin_bool(self, node: ast.Call) -> Value:
        return Value(self.within.expressions.truth(self._one(node)), BOOL)

    def builtin_len(self, node: ast.Call) -> Value:
        value = self.within.expressions.lower(self._one(node))
        if isinstance(value.kind, kinds.ArrayOf):
            return kinds.constant(value.kind.length) or value
        if value.kind in (kinds.ORDERS, kinds.INSTRUMENTS):
            return self.count(value.kind, node)
        if sequences.has_elements(value.kind):
            return sequences.length(self.within, value, node)
        raise Refused(
            node,
            f"len() of {value.kind} is not compiled",
            "ask it of an array, a ring, ctx.orders() or ctx.instruments",
        )

    def builtin_min(self, node: ast.Call) -> Value:
        return self._extreme(node, "min")

    def builtin_max(self, node: ast.Call) -> Value:
        return self._extreme(node, "max")

    def _extreme(self, node: ast.Call, name: str) -> Value:
        if len(node.args) < 2 or node.keywords:
            raise Refused(node, f"{name}() of {len(node.args)} values is not compiled", "give it two or more numbers")
        values = [self.within.expressions.only_number(one, f"{name}()") for one in node.args]
        if any(value.kind is not values[0].kind for value in values):
            raise Refused(node, f"{name}() of int and float is not compiled", "make all of them float with float(x)")
        text = values[0].text
        for value in values[1:]:
            text = f"{name}_{value.kind.code}({text}, {value.text})"
        return Value(text, values[0].kind)

    def builtin_range(self, node: ast.Call) -> Value:
        raise Refused(node, "range() outside a for is not compiled", "write `for i in range(n):`")

    # Methods

    def _method(self, node: ast.Call, func: ast.Attribute) -> Value:
        base = self.within.expressions.lower(func.value)
        if base.kind is CONTEXT:
            return self._verb(node, func.attr)
        if isinstance(base.kind, kinds.StateOf):
            record = base.kind.record
            found = method_of(record, func.attr)
            if isinstance(found, staticmethod):
                return self._helper(node, cast(types.FunctionType, found.__func__), None)
            if isinstance(found, types.FunctionType):
                return self._helper(node, found, base)
            name = f"{record.__name__}.{func.attr}"
            if found is MISSING:
                known = [*self.unit.methods_of(record), *self.unit.names_of(record)]
                raise Refused(node, f"{name} is not declared", near(func.attr, known))
            raise Refused(node, f"{name} cannot be called in compiled code", "write it as an ordinary method")
        if base.kind == host.book():
            return self._book_verb(node, base, func.attr)
        raise Refused(node, f"{base.kind}.{func.attr}() is not compiled", "call a verb of ctx, a method or a function")

    def _helper(self, node: ast.Call, function: types.FunctionType, owner: Value | None) -> Value:
        arguments = self.unit.arguments_of(function, node)
        bound = [owner] if owner is not None else []
        rest = arguments[len(bound) :]
        given = [*bound, *self.bind(node, function.__name__, rest)]
        for argument, value in zip(rest, given[len(bound) :], strict=True):
            if argument.kind is not None and argument.kind != value.kind:
                found = f"{function.__name__}({argument.name}) expects {argument.kind}, found {value.kind}"
                raise Refused(node, found, self.within.conversion(argument.kind))
        return self.call(function, given, node)

    def call(self, function: types.FunctionType, given: Sequence[Value], node: ast.AST) -> Value:
        """The call of a helper with all its arguments."""
        name, result = self.unit.function(function, tuple(value.kind for value in given), node)
        texts = [value.pointer for value in given if value.kind is not CONTEXT]
        if self.unit.is_ours(function):
            texts.append(self.within.line(node))
        return Value(f"{name}({', '.join(['rt', *texts])})", result)

    def bind(self, node: ast.Call, name: str, arguments: Sequence[Argument]) -> list[Value]:
        """What each argument is given: by place, by name, or by default."""
        if len(node.args) > len(arguments):
            raise Refused(node, f"{name}() takes {len(arguments)} arguments, found {len(node.args)}", "leave some out")
        places = {argument.name: i for i, argument in enumerate(arguments)}
        given: dict[str, ast.expr] = {arguments[i].name: one for i, one in enumerate(node.args)}
        for keyword in node.keywords:
            assert keyword.arg is not None
            if keyword.arg not in places:
                raise Refused(node, f"{name}() has no argument {keyword.arg}", near(keyword.arg, places))
            if keyword.arg in given:
                raise Refused(node, f"{name}({keyword.arg}) is given twice", "leave one out")
            given[keyword.arg] = keyword.value
        worked_out = {key: self.within.expressions.lower(one) for key, one in given.items()}  # in the order written
        values = []
        for argument in arguments:
            if argument.name in given:
                values.append(worked_out[argument.name])
            elif argument.default is REQUIRED:
                raise Refused(node, f"{name}() needs {argument.name}", f"write {argument.name}=...")
            elif argument.default is ABSENT and argument.kind is not None:
                values.append(Value("0", argument.kind))
            else:
                default = kinds.constant(argument.default)
                if default is None or default.kind is kinds.TEXT:
                    found = f"the default of {name}({argument.name}) is not compiled"
                    raise Refused(node, found, "give it a number, or a member of an enum")
                values.append(default)
        return values

    # ctx

    def context_value(self, node: ast.Attribute) -> Value:
        """`ctx.name` without a call."""
        if node.attr in CONTEXT_NUMBERS:
            return Value(CONTEXT_NUMBERS[node.attr], INT)
        if node.attr == "instruments":
            return Value("", kinds.INSTRUMENTS)
        function = self.unit.verb(f"ctx.{node.attr}")
        if function is not None and host.verb("ctx", node.attr) is None:
            return Value(f"{function.name}(rt, {self.within.line(node)})", INT)
        if host.verb("ctx", node.attr) is not None:
            raise Refused(node, f"ctx.{node.attr} is a verb", "call it")
        raise Refused(node, f"ctx.{node.attr} does not exist", near(node.attr, self.unit.context_names()))

    def _need(self, name: str, node: ast.AST) -> str:
        function = self.unit.foreign(name)
        if function is None:
            raise Refused(node, f"{ast.unparse(node)} is not compiled", 'use another verb, or speed = "interpreted"')
        return function.name

    def instrument_at(self, index: str, node: ast.AST) -> Value:
        """ctx.instruments[index]."""
        line = self.within.line(node)
        return Value(f"{self._need('ob_instrument_at', node)}(rt, {index}, {line})", INT)

    def count(self, kind: Kind, node: ast.AST) -> Value:
        """len() of what ctx lists."""
        name = "ob_orders" if kind is kinds.ORDERS else "ob_instruments"
        return Value(f"{self._need(name, node)}(rt, {self.within.line(node)})", INT)

    def item(self, kind: Kind, place: str, node: ast.AST) -> Value:
        """One of what ctx lists."""
        if kind is kinds.ORDERS:
            text = f"{self._need('ob_order_at', node)}(rt, {place}, {self.within.line(node)})"
            return Value(text, host.order(), is_fresh=True)
        return Value(f"{self._need('ob_instrument_at', node)}(rt, {place}, {self.within.line(node)})", INT)

    def _verb(self, node: ast.Call, name: str) -> Value:
        verb = host.verb("ctx", name)
        if verb is None:
            raise Refused(node, f"ctx.{name}() does not exist", near(name, self.unit.context_names()))
        if name == "instrument":
            return self._symbol(node)
        values = self.bind(node, f"ctx.{name}", verb.arguments)
        if name == "orders":
            return Value("", kinds.ORDERS)
        pairs = zip(verb.arguments, values, strict=True)
        texts = [self._fitted(f"ctx.{name}", argument, value, node) for argument, value in pairs]
        if name == "book":
            text = f"{self._need('ob_book', node)}({', '.join(['rt', *texts, self.within.line(node)])})"
            return Value(text, host.book(), is_fresh=True)
        return self._foreign(f"ctx.{name}", texts, verb, node)

    def _book_verb(self, node: ast.Call, base: Value, name: str) -> Value:
        verb = host.verb("book", name)
        if verb is None:
            raise Refused(node, f"book.{name}() does not exist", near(name, host.book_names()))
        pairs = zip(verb.arguments, self.bind(node, f"book.{name}", verb.arguments), strict=True)
        texts = [self._fitted(f"book.{name}", argument, value, node) for argument, value in pairs]
        return self._foreign(f"book.{name}", [f"load_i({base.text}, 0)", *texts], verb, node)

    def _foreign(self, written: str, texts: list[str], verb: host.Verb, node: ast.Call) -> Value:
        function = self.unit.verb(written)
        if function is None:
            instead = "write book.level_px(side, level) and book.level_qty(side, level)" if "depth" in written else ""
            raise Refused(node, f"{written}() is not compiled", instead or 'use another verb, or speed = "interpreted"')
        return Value(f"{function.name}({', '.join(['rt', *texts, self.within.line(node)])})", verb.result)

    def _fitted(self, name: str, argument: Argument, value: Value, node: ast.Call) -> str:
        if argument.kind is None:
            raise Refused(
                node, f"{name}({argument.name}) is not compiled", 'use another verb, or speed = "interpreted"'
            )
        if argument.kind == value.kind:
            return value.text
        if argument.kind is FLOAT and value.kind is INT:
            return self.within.expressions.as_float(value).text
        if argument.kind is INT and value.kind is not FLOAT and value.kind.code == "i":
            return self.within.expressions.as_number(value, node).text
        found = f"{name}({argument.name}) expects {argument.kind}, found {value.kind}"
        raise Refused(node, found, self.within.conversion(argument.kind))

    def _symbol(self, node: ast.Call) -> Value:
        """`ctx.instrument("AAPL")`: the characters travel as two words."""
        given = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "symbol")]
        if len(given) != 1 or len(node.keywords) + len(node.args) != 1:
            raise Refused(node, "ctx.instrument() takes one symbol", 'write ctx.instrument("AAPL")')
        symbol = given[0].value if isinstance(given[0], ast.Constant) else self.within.expressions.static(given[0])
        if not isinstance(symbol, str):
            raise Refused(node, "ctx.instrument() expects a constant text", 'write ctx.instrument("AAPL")')
        letters = symbol.encode()
        if len(letters) > SYMBOL_BYTES:
            raise Refused(node, f"{symbol!r} has more than {SYMBOL_BYTES} characters", "symbols are shorter")
        halves = (letters.ljust(SYMBOL_BYTES, b"\0")[i : i + 8] for i in (0, 8))
        words = ", ".join(f"({int.from_bytes(half, 'little', signed=True)})" for half in halves)
        return Value(f"{self._need('ob_instrument', node)}(rt, {words}, {self.within.line(node)})", INT)
