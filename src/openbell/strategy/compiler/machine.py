"""What lowered code is made of: checked operations as LLVM, each with its own way out.

An operation that fails writes its line and its kind into the runtime (native/strategy/compiled/abi.h) and returns
from the function it stands in with Numba's plain error code; the caller does the same, up to the hook. The good
path stores nothing. No Python object, no exception and no allocation is left in the machine code.

Codes of types: i int64, f float64, b boolean, p pointer, n nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from openbell.strategy.compiler.machine_division import long_quotient
from openbell.strategy.compiler.program import DETAIL, ERROR, LINE, Failure

TYPES = {"i": types.int64, "f": types.float64, "b": types.boolean, "p": types.voidptr, "n": types.none}
I64, F64, BYTE, POINTER = ir.IntType(64), ir.DoubleType(), ir.IntType(8), ir.IntType(8).as_pointer()
LLVM = {"i": I64, "f": F64, "p": POINTER, "n": ir.VoidType()}
EXACT = 1 << 53  # integers up to here are exact as floats

Value = Any  # an LLVM value
OPERATIONS: dict[str, Any] = {}


@dataclass(frozen=True)
class Block:
    """The place where an operation is written: Numba's context and llvmlite's builder."""

    context: Any
    at: Any

    def slot(self, pointer: Value, offset: int | Value, kind: Any) -> Value:
        """The address `offset` bytes after `pointer`."""
        offset = I64(offset) if isinstance(offset, int) else offset
        return self.at.bitcast(self.at.gep(pointer, [offset]), kind.as_pointer())

    def load(self, pointer: Value, offset: int | Value, kind: Any = I64) -> Value:
        """What lies there."""
        return self.at.load(self.slot(pointer, offset, kind))

    def store(self, pointer: Value, offset: int | Value, value: Value) -> None:
        """Puts `value` there."""
        self.at.store(value, self.slot(pointer, offset, value.type))

    def leave(self) -> None:
        """Returns from the function with an error that the runtime already describes."""
        self.context.call_conv._return_errcode_raw(self.at, ir.IntType(32)(-1))

    def fail_if(
        self, bad: Value, rt: Value, failure: Failure | Value, line: Value, detail: Value | None = None
    ) -> None:
        """Leaves with `failure` at `line` when `bad`."""
        with self.at.if_then(bad, likely=False):
            self.store(rt, LINE, line)
            self.store(rt, ERROR, I64(failure) if isinstance(failure, int) else failure)
            if detail is not None:
                self.store(rt, DETAIL, detail)
            self.leave()

    def intrinsic(self, name: str, result: Any, *values: Value) -> Value:
        """Calls the LLVM intrinsic, or C function, of that name."""
        function = cgutils.get_or_insert_function(
            self.at.module, ir.FunctionType(result, [v.type for v in values]), name
        )
        return self.at.call(function, values)


def make(name: str, result: str, arguments: str, write: Callable[..., Any]) -> Any:
    """A function for lowered code: `write(block, *values)` writes its LLVM."""
    return make_typed(name, TYPES[result](*(TYPES[code] for code in arguments)), write)


def make_typed(name: str, signature: Any, write: Callable[..., Any]) -> Any:
    """`make` with Numba's signature in place of codes."""

    def codegen(context: Any, builder: Any, _: Any, values: Any) -> Any:
        made = write(Block(context, builder), *values)
        return context.get_dummy_value() if signature.return_type is types.none else made

    def definition(*_: Any) -> Any:
        return signature, codegen

    names = ["typing_context", *(f"a{i}" for i in range(len(signature.args)))]
    definition.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names]
    )
    definition.__name__ = name
    return intrinsic(definition)


def operation(result: str, arguments: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers a function for lowered code under its own name."""

    def register(write: Callable[..., Any]) -> Callable[..., Any]:
        name = write.__name__.rstrip("_")
        OPERATIONS[name] = make(name, result, arguments, write)
        return write

    return register


def _checked(name: str, llvm: str) -> None:
    def write(block: Block, rt: Value, left: Value, right: Value, line: Value) -> Value:
        pair = block.intrinsic(
            f"llvm.{llvm}.with.overflow.i64", ir.LiteralStructType([I64, ir.IntType(1)]), left, right
        )
        block.fail_if(block.at.extract_value(pair, 1), rt, Failure.OVERFLOW, line)
        return block.at.extract_value(pair, 0)

    OPERATIONS[name] = make(name, "i", "piii", write)


_checked("add", "sadd")
_checked("sub", "ssub")
_checked("mul", "smul")


@operation("i", "pii")
def absolute(block: Block, rt: Value, value: Value, line: Value) -> Value:
    """abs(value); the most negative integer has none."""
    block.fail_if(block.at.icmp_signed("==", value, I64(-(1 << 63))), rt, Failure.OVERFLOW, line)
    negative = block.at.icmp_signed("<", value, I64(0))
    return block.at.select(negative, block.at.neg(value), value)


@operation("i", "piii")
def floordiv(block: Block, rt: Value, left: Value, right: Value, line: Value) -> Value:
    """left // right, rounded towards minus infinity."""
    at = block.at
    block.fail_if(at.icmp_signed("==", right, I64(0)), rt, Failure.DIVISION_BY_ZERO, line)
    lowest = at.and_(at.icmp_signed("==", left, I64(-(1 << 63))), at.icmp_signed("==", right, I64(-1)))
    block.fail_if(lowest, rt, Failure.OVERFLOW, line)
    quotient, is_below = at.sdiv(left, right), _is_below(at, at.srem(left, right), right)
    return at.sub(quotient, at.zext(is_below, I64))


@operation("i", "piii")
def mod(block: Block, rt: Value, left: Value, right: Value, line: Value) -> Value:
    """left % right, with the sign of `right`."""
    at = block.at
    block.fail_if(at.icmp_signed("==", right, I64(0)), rt, Failure.DIVISION_BY_ZERO, line)
    # By -1 as by 1: nothing is left, and the processor would fail at the quotient of the lowest.
    right = at.select(at.icmp_signed("==", right, I64(-1)), I64(1), right)
    remainder = at.srem(left, right)
    return at.select(_is_below(at, remainder, right), at.add(remainder, right), remainder)


def _is_below(at: Any, remainder: Value, right: Value) -> Value:
    """Whether the quotient that the processor rounded towards zero lies above the one that Python means."""
    opposite = at.icmp_signed("<", at.xor(remainder, right), I64(0))
    return at.and_(opposite, at.icmp_signed("!=", remainder, I64(0)))


@operation("f", "piii")
def divide(block: Block, rt: Value, left: Value, right: Value, line: Value) -> Value:
    """left / right of integers: the float nearest to the exact quotient, ties to even."""
    at = block.at
    block.fail_if(at.icmp_signed("==", right, I64(0)), rt, Failure.DIVISION_BY_ZERO, line)
    is_exact = [at.icmp_unsigned("<=", at.add(value, I64(EXACT)), I64(2 * EXACT)) for value in (left, right)]
    with at.if_else(at.and_(*is_exact), likely=True) as (short, long):
        with short:
            quotient = at.fdiv(at.sitofp(left, F64), at.sitofp(right, F64))
            at_short = at.block
        with long:
            quotient_of_long = at.call(long_quotient(at.module), [left, right])
            at_long = at.block
    result = at.phi(F64)
    result.add_incoming(quotient, at_short)
    result.add_incoming(quotient_of_long, at_long)
    return result


@operation("i", "piii")
def shl(block: Block, rt: Value, value: Value, count: Value, line: Value) -> Value:
    """value << count."""
    at = block.at
    block.fail_if(at.icmp_signed("<", count, I64(0)), rt, Failure.NEGATIVE_SHIFT, line)
    safe = at.select(at.icmp_signed(">", count, I64(63)), I64(63), count)
    moved = at.shl(value, safe)
    lost = at.icmp_signed("!=", at.ashr(moved, safe), value)
    far = at.and_(at.icmp_signed(">", count, I64(63)), at.icmp_signed("!=", value, I64(0)))
    block.fail_if(at.or_(lost, far), rt, Failure.OVERFLOW, line)
    return moved


@operation("i", "piii")
def shr(block: Block, rt: Value, value: Value, count: Value, line: Value) -> Value:
    """value >> count."""
    at = block.at
    block.fail_if(at.icmp_signed("<", count, I64(0)), rt, Failure.NEGATIVE_SHIFT, line)
    return at.ashr(value, at.select(at.icmp_signed(">", count, I64(63)), I64(63), count))


@operation("i", "iii")
def step(block: Block, value: Value, by: Value, _stop: Value) -> Value:
    """The next number of a range; it stays at the last integer instead of wrapping round."""
    return block.intrinsic("llvm.sadd.sat.i64", I64, value, by)


@operation("f", "i")
def as_float(block: Block, value: Value) -> Value:
    """float(value), to the nearest, ties to even: what CPython does."""
    return block.at.sitofp(value, F64)


@operation("i", "b")
def as_int(block: Block, value: Value) -> Value:
    """int(value) of a bool."""
    return block.at.zext(value, I64)


@operation("i", "pfi")
def truncate(block: Block, rt: Value, value: Value, line: Value) -> Value:
    """int(value) of a float: towards zero; NaN and what 64 bits cannot hold are errors."""
    at = block.at
    low, high = F64(-(2.0**63)), F64(2.0**63)
    inside = at.and_(at.fcmp_ordered(">=", value, low), at.fcmp_ordered("<", value, high))
    block.fail_if(at.not_(inside), rt, Failure.CONVERSION, line)
    return at.fptosi(value, I64)


@operation("i", "pfi")
def nearest(block: Block, rt: Value, value: Value, line: Value) -> Value:
    """round(value): half to even."""
    return truncate(block, rt, block.intrinsic("llvm.rint.f64", F64, value), line)


@operation("i", "if")
def compare(block: Block, left: Value, right: Value) -> Value:
    """-1, 0 or 1 as the integer is less, equal or greater than the float, exactly; 2 when that is not a number."""
    at = block.at
    rounded = at.sitofp(left, F64)
    # Where the rounded integer equals the float, the float is a whole number and decides as one; 2**63 is above all.
    high = at.fcmp_ordered(">=", right, F64(2.0**63))
    safe = at.select(at.or_(high, at.fcmp_unordered("<", right, F64(-(2.0**63)))), F64(0.0), right)
    whole = at.fptosi(safe, I64)
    tie = at.sub(at.zext(at.icmp_signed(">", left, whole), I64), at.zext(at.icmp_signed("<", left, whole), I64))
    tie = at.select(high, I64(-1), tie)
    order = at.select(
        at.fcmp_ordered("<", rounded, right), I64(-1), at.select(at.fcmp_ordered(">", rounded, right), I64(1), tie)
    )
    return at.select(at.fcmp_unordered("uno", right, right), I64(2), order)


@operation("f", "f")
def magnitude(block: Block, value: Value) -> Value:
    """abs(value) of a float."""
    return block.intrinsic("llvm.fabs.f64", F64, value)


@operation("f", "pffi")
def fdivide(block: Block, rt: Value, left: Value, right: Value, line: Value) -> Value:
    """left / right of floats."""
    block.fail_if(block.at.fcmp_ordered("==", right, F64(0.0)), rt, Failure.DIVISION_BY_ZERO, line)
    return block.at.fdiv(left, right)


def _fdivmod(block: Block, rt: Value, left: Value, right: Value, line: Value) -> tuple[Value, Value]:
    """CPython's float_divmod, step by step; fmod is exact everywhere."""
    at = block.at
    block.fail_if(at.fcmp_ordered("==", right, F64(0.0)), rt, Failure.DIVISION_BY_ZERO, line)
    rest = block.intrinsic("fmod", F64, left, right)
    quotient = at.fdiv(at.fsub(left, rest), right)
    is_zero = at.fcmp_ordered("==", rest, F64(0.0))
    opposite = at.xor(at.fcmp_ordered("<", right, F64(0.0)), at.fcmp_ordered("<", rest, F64(0.0)))
    down = at.and_(at.not_(is_zero), opposite)
    quotient = at.select(down, at.fsub(quotient, F64(1.0)), quotient)
    rest = at.select(down, at.fadd(rest, right), rest)
    rest = at.select(is_zero, block.intrinsic("llvm.copysign.f64", F64, F64(0.0), right), rest)
    floor = block.intrinsic("llvm.floor.f64", F64, quotient)
    floor = at.select(at.fcmp_ordered(">", at.fsub(quotient, floor), F64(0.5)), at.fadd(floor, F64(1.0)), floor)
    zero = block.intrinsic("llvm.copysign.f64", F64, F64(0.0), at.fdiv(left, right))
    return at.select(at.fcmp_ordered("==", quotient, F64(0.0)), zero, floor), rest


@operation("f", "pffi")
def ffloordiv(block: Block, *values: Value) -> Value:
    """left // right of floats."""
    return _fdivmod(block, *values)[0]


@operation("f", "pffi")
def fmod(block: Block, *values: Value) -> Value:
    """left % right of floats."""
    return _fdivmod(block, *values)[1]


def _lesser(name: str, code: str, operator: str) -> None:
    def write(block: Block, left: Value, right: Value) -> Value:
        compare_ = block.at.icmp_signed if code == "i" else block.at.fcmp_ordered
        return block.at.select(compare_(operator, right, left), right, left)  # as min and max do: the first wins

    OPERATIONS[f"{name}_{code}"] = make(f"{name}_{code}", code, code * 2, write)


for _code in "if":
    _lesser("min", _code, "<")
    _lesser("max", _code, ">")
