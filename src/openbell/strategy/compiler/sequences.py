"""States that have elements: a Row of records lies in one piece; any other answers by `__len__` and `__getitem__`."""

from __future__ import annotations

import ast
import types
from typing import TYPE_CHECKING

from openbell.strategy.compiler import kinds
from openbell.strategy.compiler.kinds import INT, Value
from openbell.strategy.compiler.refusals import Refused
from openbell.strategy.compiler.source import method_of
from openbell.strategy.rows import element_of

if TYPE_CHECKING:
    from openbell.strategy.compiler.functions import FunctionLowering


def has_elements(kind: kinds.Kind) -> bool:
    """Whether a value of this kind is a State that len() and [...] can be asked of."""
    return isinstance(kind, kinds.StateOf) and isinstance(method_of(kind.record, "__getitem__"), types.FunctionType)


def length(within: FunctionLowering, owner: Value, node: ast.AST) -> Value:
    """len(owner)."""
    assert isinstance(owner.kind, kinds.StateOf)
    row = element_of(owner.kind.record)
    if row is None:
        return _method(within, owner, "__len__", [], node)
    return Value(str(row[1]), INT, row[1])


def item(within: FunctionLowering, owner: Value, index: str, node: ast.AST) -> Value:
    """owner[index]."""
    if not has_elements(owner.kind):
        raise Refused(node, f"{owner.kind} has no elements", "index a declared array, a ring or ctx.instruments")
    assert isinstance(owner.kind, kinds.StateOf)
    row = element_of(owner.kind.record)
    if row is None:
        return _method(within, owner, "__getitem__", [Value(index, INT)], node)
    record, count = row
    words = record.layout().words  # type: ignore[attr-defined]
    place = f"index(rt, {count}, {index}, {within.line(node)}) * {words}"
    return within.hold(Value(f"at({owner.pointer}, {place})", kinds.state_of(record)))


def _method(within: FunctionLowering, owner: Value, name: str, given: list[Value], node: ast.AST) -> Value:
    assert isinstance(owner.kind, kinds.StateOf)
    function = method_of(owner.kind.record, name)
    assert isinstance(function, types.FunctionType)
    return within.calls.call(function, [owner, *given], node)
