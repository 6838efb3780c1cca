"""While a simulated node runs, its strategies' own clocks and chance follow the seed, and the world outside is refused.

An undisciplined strategy never breaks the replay of the core, which takes its recorded words; but a seed must mean one
run. What cannot be made to follow from the seed (`datetime.now`, the order of a set of strings) stays the strategy's.
"""

from __future__ import annotations

import contextlib
import gc
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

REFUSED = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "_thread.start_new_thread")
IMPORTED = (".py", ".pyc", ".so")
CLOCKS = ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns")


class RefusedError(RuntimeError):
    """A strategy reached for the world outside."""


_running_in = 0
"""The thread that runs a simulated node. Another one's files are not a strategy's."""
_is_installed = False


def is_on() -> bool:
    """Whether what runs now is a simulated node."""
    return _running_in != 0


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _running_in != threading.get_ident():
        return
    opens = event == "open" and not str(arguments[0]).endswith(IMPORTED)
    if opens or event.startswith(REFUSED):
        raise RefusedError(f"{event} of {arguments[:1]}: a simulated strategy has its ctx, and nothing of the host")


@contextlib.contextmanager
def disciplined(now_ns: int, chance: random.Random) -> Iterator[None]:
    """Around whatever a simulated node does."""
    global _running_in, _is_installed
    if not _is_installed:
        sys.addaudithook(_watch)  # for the life of the process
        _is_installed = True
    with surrounded(now_ns, chance.randbytes):
        _running_in = threading.get_ident()
        try:
            yield
        finally:
            _running_in = 0


@contextlib.contextmanager
def surrounded(now_ns: int, chance: Callable[[int], bytes]) -> Iterator[None]:
    """A host whose clocks stand, and whose chance is this one."""
    before = {name: getattr(time, name) for name in CLOCKS}
    urandom = os.urandom
    for name in CLOCKS:
        setattr(time, name, (lambda: now_ns) if name.endswith("_ns") else (lambda: now_ns * 1e-9))
    os.urandom = chance
    try:
        yield
    finally:
        os.urandom = urandom
        for name, function in before.items():
            setattr(time, name, function)


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
