"""What constants come to, worked out by Python while a strategy is compiled."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from openbell.strategy.compiler import kinds
from openbell.strategy.compiler.kinds import Value
from openbell.strategy.compiler.refusals import Refused

BITS_MAX = 1024
_TOO_LONG = ("the constant does not fit 64 bits", "use a smaller number, or a float")

PYTHON: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}


def exact(node: ast.expr) -> Any:
    """What literals alone come to, however long on the way; None where more is in it."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = exact(node.operand)
        return None if value is None else -value
    if isinstance(node, ast.BinOp) and type(node.op) in PYTHON:
        left, right = exact(node.left), exact(node.right)
        if left is None or right is None or (isinstance(node.op, ast.Pow) and float in (type(left), type(right))):
            return None
        return fold(node.op, left, right, node)
    return None


def fold(sign: ast.operator, left: Any, right: Any, node: ast.AST) -> Any:
    """left SIGN right of two constants."""
    if isinstance(sign, (ast.LShift, ast.Pow)) and not -BITS_MAX <= right <= BITS_MAX:
        raise Refused(node, *_TOO_LONG)
    try:
        return PYTHON[type(sign)](left, right)
    except (ArithmeticError, ValueError, TypeError) as error:
        raise Refused(node, f"this is always an error ({error})", "write another constant") from None


def known(number: Any, node: ast.AST) -> Value:
    """A number that is known now."""
    found = kinds.constant(number)
    if found is None:
        raise Refused(node, *_TOO_LONG)
    return found
