"""A strategy class -> function pointers: lowered, compiled in a child process or taken from the cache, loaded by LLVM.

A start from the cache imports llvmlite and not Numba.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from openbell.errors import StrategyError
from openbell.strategy import Strategy
from openbell.strategy.compiler import cache, host
from openbell.strategy.compiler.program import Program, symbol_of
from openbell.strategy.compiler.unit import lower

COMPILE_SECONDS_MAX = 120


@dataclass(frozen=True)
class Compiled:
    """Machine code of one strategy, alive as long as this object; what `StrategyHost.add_compiled` takes."""

    hooks: dict[str, int]  # callback -> address
    raised: list[str]  # texts by number
    files: list[str]  # names of the sources by number
    object_hash: str  # "this exact machine code traded"
    was_cached: bool
    engine: Any


_loaded: dict[str, Compiled] = {}  # one piece of machine code serves every instance, as long as the process lives


def compile_strategy(strategy: type[Strategy]) -> Compiled:
    """The machine code of `strategy`.

    Raises:
        NotCompiledError: it is not in the compiled subset; the message says every line.
        StrategyError: Numba or llvmlite is not installed, or fails.
    """
    program = lower(strategy)
    _require("llvmlite")
    key = cache.key_of(program)
    if key in _loaded:
        return _loaded[key]
    body = cache.read(key)
    was_cached = body is not None
    if body is None:
        _require("numba")
        body = build_in_child(program, strategy.__name__)
        cache.write(key, body)
    engine, hooks = load(body, program)
    files = [Path(file).name for file in program.files]
    _loaded[key] = Compiled(hooks, list(program.raises), files, cache.digest(body).hex(), was_cached, engine)
    return _loaded[key]


def _require(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise StrategyError(
            f"compiled strategies: expected the package {package}, found none; install it with "
            'pip install "openbell[compiled]", or run with speed = "interpreted"'
        )


def build_in_child(program: Program, name: str) -> bytes:
    """Object code from a process of its own: Numba never lives in the one that trades."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_")}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "openbell.strategy.compiler"],
            input=json.dumps(asdict(program)),
            capture_output=True,
            text=True,
            env=clean | {"PYTHONPATH": os.pathsep.join(part for part in sys.path if part)},
            timeout=COMPILE_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise StrategyError(
            f"strategy {name}: expected its compilation to end within {COMPILE_SECONDS_MAX} s, found it running; "
            'make it smaller or run it with speed = "interpreted"'
        ) from None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = {"error": (done.stderr.strip().splitlines() or ["it said nothing"])[-1]}
    if "error" in answer:
        raise StrategyError(
            f"strategy {name}: it is in the compiled subset, but the compiler failed: {answer['error']}; "
            'this is a fault of openbell: please report it, and run with speed = "interpreted"'
        )
    return base64.b64decode(answer["object"])


def load(
    body: bytes, program: Program, functions: Sequence[host.HostFunction] | None = None
) -> tuple[Any, dict[str, int]]:
    """Puts object code into this process: what keeps it alive, and the address of every hook."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    addresses = {function.name: function.address for function in functions or host.functions()}
    for used in program.foreign:
        llvm.add_symbol(used.name, addresses[used.name])
    target = llvm.Target.from_default_triple().create_target_machine(jit=True, codemodel="jitdefault")
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target)
    engine.add_object_file(llvm.ObjectFileRef.from_data(body))
    engine.finalize_object()
    hooks = {hook: engine.get_function_address(symbol_of(hook)) for hook in program.hooks}
    return engine, hooks
