"""Lowered program -> object code, by Numba; runs in a process of its own (`python -m openbell.strategy.compiler`).

Numba compiles each function from its Python source; this file links them, gives every hook its C signature and emits
one object that needs nothing but the C functions of the host. Three calls are Numba's own inner ones (`compile_extra`,
`create_library`, `_final_module`): pyproject.toml pins the version and tests/strategy/compiler covers them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import compiler, compiler_lock
from numba.core.codegen import JITCodeLibrary
from numba.core.registry import cpu_target

from openbell.strategy.compiler import machine_memory
from openbell.strategy.compiler.machine import OPERATIONS, POINTER, TYPES, Block, Value, make_typed
from openbell.strategy.compiler.program import Program, symbol_of


class ObjectLibrary(JITCodeLibrary):  # type: ignore[misc]
    """Functions that are linked into an object and never run in the process that compiles."""

    def _finalize_specific(self) -> None:
        pass  # Numba resolves the C functions here, which only the host has


def build(program: Program) -> bytes:
    """One ELF object with every hook of `program` as `i32 hook(Runtime*, void* state, const void* argument)`."""
    with compiler_lock.global_compiler_lock:
        functions = _compile(program)
        codegen = cpu_target.target_context.codegen()
        library = ObjectLibrary(codegen, "openbell_strategy")
        for hook, name in program.hooks.items():
            _export(library, symbol_of(hook), functions[name])
        library.finalize()
        return bytes(codegen._tm.emit_object(library._final_module))


def _compile(program: Program) -> dict[str, Any]:
    """Every function of the text, in its order: what is called stands before who calls."""
    done: dict[str, Any] = {}

    def function(result: str, arguments: str) -> Callable[[Any], Any]:
        returned = TYPES[result] if len(result) == 1 else types.Tuple([TYPES[code] for code in result])
        signature = returned(*(TYPES[code] for code in arguments))

        def register(python: Any) -> Any:
            compiled = compiler.compile_extra(
                cpu_target.typing_context,
                cpu_target.target_context,
                python,
                signature.args,
                signature.return_type,
                _flags(python.__name__ in program.hooks.values()),
                {},
                ObjectLibrary(cpu_target.target_context.codegen(), python.__name__),
            )
            done[python.__name__] = compiled

            def call(block: Block, *values: Value) -> Value:
                block.context.active_code_library.add_linking_library(compiled.library)
                return block.context.call_internal(block.at, compiled.fndesc, signature, values)

            return make_typed(python.__name__, signature, call)

        return register

    scope: dict[str, Any] = {**OPERATIONS, "function": function, "inf": float("inf"), "nan": float("nan")}
    for foreign in program.foreign:
        scope[foreign.name] = machine_memory.foreign(foreign)
    exec(compile(program.text, "<lowered strategy>", "exec"), scope)
    return done


def _flags(is_hook: bool) -> compiler.Flags:
    flags = compiler.Flags()
    flags.forceinline = is_hook  # into its C function
    flags.no_compile = True  # linked into the one object, never run here
    flags.no_cpython_wrapper = True
    flags.no_cfunc_wrapper = True
    flags.no_rewrites = True
    flags.error_model = "python"
    return flags


def _export(library: Any, symbol: str, compiled: Any) -> None:
    """A C function around a compiled one: 0, or 1 where it left with an error."""
    convention, described = cpu_target.target_context.call_conv, compiled.fndesc
    library.add_linking_library(compiled.library)
    module = library.create_ir_module(symbol)
    type_ = convention.get_function_type(described.restype, described.argtypes)
    callee = ir.Function(module, type_, described.llvm_func_name)
    hook = ir.Function(module, ir.FunctionType(ir.IntType(32), [POINTER] * 3), symbol)
    for argument in hook.args:  # runtime, state and argument never overlap
        argument.add_attribute("noalias")
    at = ir.IRBuilder(hook.append_basic_block("entry"))
    given = hook.args[: len(described.argtypes)]
    status, _ = convention.call_function(at, callee, described.restype, described.argtypes, given)
    at.ret(at.zext(status.is_error, ir.IntType(32)))
    library.add_ir_module(module)
