"""Object code on disk, so that a second start compiles nothing.

The key is a hash of the lowered program itself, and of what turns it into machine code: so a changed helper in another
file, a constant, a layout, a version or another processor is another key, and nothing has to be remembered.
`OPENBELL_CACHE` names the folder; without it `$XDG_CACHE_HOME/openbell` or `~/.cache/openbell`.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from openbell.strategy.compiler.program import Program

FILES_MAX = 256  # of the cache; the oldest go
_MAGIC = b"openbell object 1\n"
_MAKERS = ("machine.py", "machine_division.py", "machine_memory.py", "build.py", "program.py")


def folder() -> Path:
    """Where object code is kept."""
    named = os.environ.get("OPENBELL_CACHE")
    if named:
        return Path(named) / "compiled"
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "openbell" / "compiled"


def key_of(program: Program) -> str:
    """The name of a program's object code."""
    said = json.dumps([program.text, program.hooks, [repr(one) for one in program.foreign], _makers()])
    return hashlib.blake2b(said.encode(), digest_size=20).hexdigest()


@cache
def _makers() -> list[str]:
    """Everything but the program that decides its machine code."""
    import llvmlite.binding as llvm

    here = Path(__file__).parent
    sources = [hashlib.blake2b((here / name).read_bytes(), digest_size=20).hexdigest() for name in _MAKERS]
    try:
        packages = [version("numba"), version("llvmlite")]
    except PackageNotFoundError:
        packages = []
    return [*sources, *packages, sys.version, llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()]


def read(key: str) -> bytes | None:
    """The object code kept under `key`; None where there is none or it is damaged."""
    try:
        data = (folder() / key).read_bytes()
    except OSError:
        return None
    body = data[len(_MAGIC) + 16 :]
    is_whole = data.startswith(_MAGIC) and data[len(_MAGIC) : len(_MAGIC) + 16] == digest(body)
    return body if is_whole and body else None


def write(key: str, body: bytes) -> None:
    """Keeps object code; a cache that cannot be written costs the next start its time, no more."""
    try:
        folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder(), prefix=".", delete=False) as file:
            file.write(_MAGIC + digest(body) + body)
        Path(file.name).replace(folder() / key)
        _forget_the_oldest()
    except OSError:
        return


def _forget_the_oldest() -> None:
    files = sorted((path for path in folder().iterdir()), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[FILES_MAX:]:
        path.unlink(missing_ok=True)


def digest(body: bytes) -> bytes:
    """16 bytes that say which machine code this is."""
    return hashlib.blake2b(body, digest_size=16).digest()
