"""The other half of the machine: state, records, arrays, loops, verbs."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils

from openbell.strategy.compiler.machine import BYTE, F64, I64, LLVM, OPERATIONS, POINTER, Block, Value, make, operation
from openbell.strategy.compiler.program import ERROR, FUEL, LINE, NOW, SEQ, Failure, Foreign


@operation("p", "pi")
def at(block: Block, pointer: Value, offset: Value) -> Value:
    """A record inside a record."""
    return block.at.gep(pointer, [offset])


@operation("i", "pi")
def load_i(block: Block, pointer: Value, offset: Value) -> Value:
    """An integer field."""
    return block.load(pointer, offset)


@operation("f", "pi")
def load_f(block: Block, pointer: Value, offset: Value) -> Value:
    """A float field."""
    return block.load(pointer, offset, F64)


@operation("b", "pi")
def load_b(block: Block, pointer: Value, offset: Value) -> Value:
    """A bool field: a word that is not 0."""
    return block.at.icmp_signed("!=", block.load(pointer, offset), I64(0))


def _narrow(bits: int) -> None:
    def write(block: Block, pointer: Value, offset: Value) -> Value:
        return block.at.zext(block.load(pointer, offset, ir.IntType(bits)), I64)

    OPERATIONS[f"load_u{bits}"] = make(f"load_u{bits}", "i", "pi", write)


for _bits in (8, 16, 32):
    _narrow(_bits)


@operation("i", "ppii")
def load_u64(block: Block, rt: Value, pointer: Value, offset: Value, line: Value) -> Value:
    """An unsigned word, which must fit a signed one."""
    value = block.load(pointer, offset)
    block.fail_if(block.at.icmp_signed("<", value, I64(0)), rt, Failure.CONVERSION, line)
    return value


@operation("n", "pii")
def store_i(block: Block, pointer: Value, offset: Value, value: Value) -> None:
    """Sets an integer field."""
    block.store(pointer, offset, value)


@operation("n", "pif")
def store_f(block: Block, pointer: Value, offset: Value, value: Value) -> None:
    """Sets a float field; NaN and -0 have one spelling each (law 14)."""
    at = block.at
    plain = at.fadd(value, F64(0.0))
    block.store(pointer, offset, at.select(at.fcmp_unordered("uno", value, value), F64(float("nan")), plain))


@operation("n", "pib")
def store_b(block: Block, pointer: Value, offset: Value, value: Value) -> None:
    """Sets a bool field."""
    block.store(pointer, offset, block.at.zext(value, I64))


@operation("i", "piii")
def index(block: Block, rt: Value, length: Value, value: Value, line: Value) -> Value:
    """The place in an array of `length`; from the end where it is negative."""
    at = block.at
    place = at.select(at.icmp_signed("<", value, I64(0)), at.add(value, length), value)
    block.fail_if(at.icmp_unsigned(">=", place, length), rt, Failure.INDEX, line)
    return at.shl(place, I64(3))


@operation("b", "pi")
def burn(block: Block, rt: Value, line: Value) -> Value:
    """One turn of a loop, paid from the fuel of this callback."""
    left = block.at.sub(block.load(rt, FUEL), I64(1))
    block.store(rt, FUEL, left)
    block.fail_if(block.at.icmp_signed("<", left, I64(0)), rt, Failure.FUEL, line)
    return cgutils.true_bit


@operation("n", "piii")
def fail(block: Block, rt: Value, failure: Value, detail: Value, line: Value) -> None:
    """Leaves: `raise` and a false `assert`."""
    block.fail_if(cgutils.true_bit, rt, failure, line, detail)


@operation("i", "p")
def now(block: Block, rt: Value) -> Value:
    """ctx.now_ns."""
    return block.load(rt, NOW)


@operation("i", "p")
def seq(block: Block, rt: Value) -> Value:
    """ctx.seq."""
    return block.load(rt, SEQ)


def foreign(function: Foreign) -> Any:
    """A C function as lowered code calls it: (rt, values ..., line).

    `p` as its result is a record: the caller has room for it, the C function fills it, lowered code gets the address.
    """

    def write(block: Block, rt: Value, *values: Value) -> Value:
        *given, line = values
        if function.result == "p":
            with block.at.goto_entry_block():
                room = block.at.alloca(ir.ArrayType(BYTE, function.room), name="view")
            room.align = 8
            given.append(block.at.bitcast(room, POINTER))
        if function.takes_runtime:
            given.insert(0, rt)
        returned = ir.VoidType() if function.result == "p" else LLVM[function.result]
        result = block.intrinsic(function.name, returned, *given)
        if function.takes_runtime:
            error = block.load(rt, ERROR)
            with block.at.if_then(block.at.icmp_signed("!=", error, I64(0)), likely=False):
                block.store(rt, LINE, line)
                block.leave()
        elif function.result == "f":
            _check_domain(block, rt, given, result, line)
        return given[-1] if function.result == "p" else result

    return make(function.name, function.result, "p" + function.arguments + "i", write)


def _check_domain(block: Block, rt: Value, given: list[Value], result: Value, line: Value) -> None:
    """Finite in, not finite out: the interpreted function raises there."""
    at = block.at

    def is_finite(value: Value) -> Value:
        return at.fcmp_ordered("<", block.intrinsic("llvm.fabs.f64", F64, value), F64(float("inf")))

    bad = at.not_(is_finite(result))
    for value in given:
        bad = at.and_(bad, is_finite(value))
    block.fail_if(bad, rt, Failure.DOMAIN, line)
