"""While a simulated node runs, its strategies' own clocks and chance follow the seed, and the world outside is refused.

An undisciplined strategy never breaks the replay of the core, which takes its recorded words; but a seed must mean one
run. Three nets, one below the other: what the modules offer is replaced by what follows from the seed (`time.time`,
`os.urandom`); the interpreter's audit events stop files, sockets, processes and threads; and a look at every call of a
C function stops what was taken before (`from time import time`) or cannot be replaced (`datetime.now`, `os.stat`).

What stays a strategy's own: the addresses of objects (`id`, the order of a set of objects without a hash of their own),
the environment's variables, and the host's time zone. The hash of strings is that of PYTHONHASHSEED=0.
"""

from __future__ import annotations

import contextlib
import datetime
import gc
import os
import random
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from types import FrameType, ModuleType
from typing import Any, NamedTuple

import numpy as np

EVENTS = (
    *("socket.", "subprocess.", "os.", "shutil.", "tempfile.", "glob.", "ctypes.", "signal.", "fcntl.", "mmap."),
    *("open", "pathlib.", "sqlite3.", "syslog.", "urllib.", "time.sleep", "_thread.start_new_thread"),
)
"""Of the audit: what their names begin with."""
MODULES = (
    *("posix", "select", "_signal", "_uuid", "_posixsubprocess", "_socket"),
    *("fcntl", "mmap", "resource", "pwd", "grp"),
)
"""None of whose C functions may be called."""
HARMLESS = ("fspath",)
NOW_OF_DATES = ("now", "utcnow", "today")
IMPORTS = ("importlib._bootstrap", "importlib._bootstrap_external", "_frozen_importlib", "_frozen_importlib_external")
READERS = (*IMPORTS, "linecache", "tokenize", __name__)
"""Modules that read sources for the interpreter itself; and this one."""
CLOCKS = ("time", "monotonic", "perf_counter", "process_time", "thread_time", "clock_gettime")
TOLD = ("gmtime", "localtime", "ctime", "asctime", "strftime", "sleep")
HASH_SEED = "0"


class RefusedError(RuntimeError):
    """A strategy reached for the world outside."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: a simulated strategy has its ctx, and nothing of the host")


_running_in = 0
"""The thread that runs a simulated node. Another one's files are not a strategy's."""
_is_installed = False


def is_on() -> bool:
    """Whether what runs now is a simulated node."""
    return _running_in != 0


def fix_hashes() -> None:
    """Begin this program again with the hashes of strings that every run has, unless it has them."""
    if os.environ.get("PYTHONHASHSEED") != HASH_SEED:
        words = [sys.executable, *sys.orig_argv[1:]]
        os.execve(sys.executable, words, os.environ | {"PYTHONHASHSEED": HASH_SEED})


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _running_in != threading.get_ident() or not event.startswith(EVENTS):
        return
    caller = sys._getframe(1)
    if caller.f_globals.get("__name__") not in READERS and not _is_of_compiler(caller):
        raise RefusedError(f"{event} of {arguments[:1]}")


def _look(frame: FrameType, event: str, called: Any) -> None:
    """At every call of a C function, before it is made. Who was refused is not looked at again until the next turn."""
    if event != "c_call" or frame.f_globals.get("__name__") in READERS:
        return
    module, name, owner = called.__module__, called.__name__, called.__self__
    of_the_host = (module in MODULES and name not in HARMLESS) or name == "start_new_thread"
    clock = module == "time" and (name.removesuffix("_ns") in CLOCKS or name in TOLD)
    date = name in NOW_OF_DATES and isinstance(owner, type) and issubclass(owner, datetime.date)
    if (of_the_host or clock or date) and not _is_of_collector(frame):
        raise RefusedError(f"{module or owner.__name__}.{name}")


def _is_of_compiler(frame: FrameType | None) -> bool:
    """Whether objects of the compiler are freed, which happens whenever the last one lets go of them."""
    while frame is not None and not frame.f_globals.get("__name__", "").startswith("llvmlite."):
        frame = frame.f_back
    return frame is not None


def _is_of_collector(frame: FrameType) -> bool:
    """Whether somebody else measures garbage collections (Hypothesis does), which come whenever they like."""
    return any(getattr(callback, "__code__", None) is frame.f_code for callback in gc.callbacks)


@contextlib.contextmanager
def disciplined(now_ns: int, chance: random.Random) -> Iterator[None]:
    """Around whatever a simulated node does."""
    global _running_in, _is_installed
    if not _is_installed:
        sys.addaudithook(_watch)  # for the life of the process
        _is_installed = True
    before = sys.getprofile()
    with surrounded(now_ns, chance.randbytes):
        _running_in = threading.get_ident()
        sys.setprofile(_look)
        try:
            yield
        finally:
            sys.setprofile(before)
            _running_in = 0


@contextlib.contextmanager
def surrounded(now_ns: int, chance: Callable[[int], bytes]) -> Iterator[None]:
    """A host whose clocks stand, and whose chance is this one."""
    global _host
    before, _host = _host, Host(now_ns, chance)
    if before is None:
        for module, functions in INSTEAD.items():
            vars(module).update(functions)
    try:
        yield
    finally:
        _host = before
        if before is None:
            for module, functions in REAL.items():
                vars(module).update(functions)


class Host(NamedTuple):
    """What a strategy may know of its host."""

    now_ns: int
    chance: Callable[[int], bytes]


_host: Host | None = None
_seed: Callable[..., None] = random.Random.seed
_global: random.Random = vars(random)["seed"].__self__


def _now_s(*_: object) -> float:
    assert _host
    return _host.now_ns * 1e-9


def _now_ns(*_: object) -> int:
    assert _host
    return _host.now_ns


def _bytes(size: int, *_: object) -> bytes:
    assert _host
    return _host.chance(size)


def _seed_from_host(self: random.Random, a: Any = None, version: int = 2) -> None:
    _seed(self, int.from_bytes(_host.chance(8), "little") if a is None and _host else a, version)


def _refused(what: str) -> Callable[..., None]:
    def refuse(*_: Any, **__: Any) -> None:
        raise RefusedError(what)

    return refuse


def _calendar() -> dict[str, Callable[..., Any]]:
    """Of a host in UTC."""
    gmtime, asctime, strftime = time.gmtime, time.asctime, time.strftime

    def moment(seconds: float | None = None) -> time.struct_time:
        return gmtime(_now_s() if seconds is None else seconds)

    return {
        "gmtime": moment,
        "localtime": moment,
        "ctime": lambda seconds=None: asctime(moment(seconds)),
        "asctime": lambda when=None: asctime(when or moment()),
        "strftime": lambda form, when=None: strftime(form, when or moment()),
    }


INSTEAD: dict[ModuleType, dict[str, Callable[..., Any]]] = {
    time: dict.fromkeys(CLOCKS, _now_s)
    | {f"{name}_ns": _now_ns for name in CLOCKS}
    | {**_calendar(), "sleep": _refused("time.sleep")},
    os: {"urandom": _bytes, "getrandom": _bytes},
    random: {"_urandom": _bytes, "seed": lambda a=None, version=2: _seed_from_host(_global, a, version)},
    uuid: {"uuid1": _refused("uuid.uuid1")},
}
"""Of modules, which are changed and changed back at every turn; a class is not, for that costs more."""
REAL = {module: {name: vars(module)[name] for name in functions} for module, functions in INSTEAD.items()}
random.Random.seed = _seed_from_host  # type: ignore[method-assign]


def seed_all(seed: str) -> None:
    """The global generators, of the standard library and of NumPy."""
    random.seed(seed)
    np.random.seed(random.getrandbits(32))


@contextlib.contextmanager
def elsewhere() -> Iterator[None]:
    """Another host: another time, another chance, garbage collected at other moments. A seed must not notice."""
    thresholds = gc.get_threshold()
    gc.set_threshold(50, 2, 2)
    try:
        with surrounded(0, bytes):
            yield
    finally:
        gc.set_threshold(*thresholds)
