"""When a process ends: it is asked to, or its supervisor has died, and then the child is asked to end in order."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
PARENT = "OPENBELL_PARENT"
"""In a child's environment, who began it: of one that died before the child could ask, nothing is told any more."""
PR_SET_PDEATHSIG = 1
"""Linux prctl(2): the signal that this process gets when its parent ends."""


def stop_asked() -> Callable[[], bool]:
    """Catch the signals that ask this process to stop; what is returned says whether one has come."""
    came: list[int] = []
    for number in STOP_SIGNALS:
        signal.signal(number, lambda number, _: came.append(number))
    return lambda: bool(came)


def environment_of_child() -> dict[str, str]:
    """Of a process that ends with this one."""
    return os.environ | {PARENT: str(os.getpid())}


def end_with_parent() -> None:
    """Ask for SIGTERM at the parent's death, so that no node trades on without anyone watching over it."""
    parent = int(os.environ.get(PARENT) or os.getppid())
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it died just before
        os.kill(os.getpid(), signal.SIGTERM)
