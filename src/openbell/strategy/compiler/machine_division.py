"""int / int where a float does not hold both: the nearest float, rounded once, as CPython's long division has it.

Long division in base 2**n gives bits of the quotient until there are two more than a float keeps. Whatever is left
then can only decide a tie, so it becomes the last bit, and the conversion to a float does the one rounding.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

I64, F64, NO = ir.IntType(64), ir.DoubleType(), ir.IntType(1)(0)
_NAME = "long_quotient"
_ENOUGH = 1 << 54  # from here on the last bit lies below the one that rounds
_EXPONENT_OF_ONE, _FRACTION_BITS = 1023, 52


def long_quotient(module: ir.Module) -> ir.Function:
    """The LLVM function f64 (i64, i64) of this module; the second is not 0."""
    if _NAME in module.globals:
        return module.globals[_NAME]
    function = ir.Function(module, ir.FunctionType(F64, [I64, I64]), _NAME)
    function.linkage = "internal"
    function.attributes.add("noinline")  # ordinary divisions stay small
    _write(function, *function.args)
    return function


def _write(function: ir.Function, left: Any, right: Any) -> None:
    entry, test, step, done = (function.append_basic_block(name) for name in ("entry", "test", "step", "done"))
    at = ir.IRBuilder(entry)
    above, below = _size(at, left), _size(at, right)
    first, first_rest = at.udiv(above, below), at.urem(above, below)
    at.branch(test)

    at.position_at_end(test)
    quotient, rest, places = (at.phi(I64) for _ in range(3))  # left / right = (quotient + rest / right) * 2**-places
    is_open = at.and_(at.icmp_unsigned("!=", rest, I64(0)), at.icmp_unsigned("<", quotient, I64(_ENOUGH)))
    at.cbranch(is_open, step, done)

    at.position_at_end(step)
    zeros, room = at.ctlz(rest, NO), at.ctlz(quotient, NO)
    more = at.select(at.icmp_unsigned("<", zeros, room), zeros, room)
    wide = at.shl(rest, more)
    longer = at.or_(at.shl(quotient, more), at.udiv(wide, below))
    next_rest, next_places = at.urem(wide, below), at.add(places, more)
    at.branch(test)

    for phi, before, following in (
        (quotient, first, longer),
        (rest, first_rest, next_rest),
        (places, I64(0), next_places),
    ):
        phi.add_incoming(before, entry)
        phi.add_incoming(following, step)

    at.position_at_end(done)
    last = at.zext(at.icmp_unsigned("!=", rest, I64(0)), I64)
    scale = at.bitcast(at.shl(at.sub(I64(_EXPONENT_OF_ONE), places), I64(_FRACTION_BITS)), F64)
    size = at.fmul(at.uitofp(at.or_(quotient, last), F64), scale)
    is_negative = at.icmp_signed("<", at.xor(left, right), I64(0))
    at.ret(at.select(is_negative, at.fneg(size), size))


def _size(at: ir.IRBuilder, value: Any) -> Any:
    """abs(value), unsigned: that of the lowest is 2**63."""
    return at.select(at.icmp_signed("<", value, I64(0)), at.neg(value), value)
