"""The time budget of interpreted callbacks: one that runs over it is ended and its strategy halted.

An endless loop, a sleep, a read from a socket: a watching thread signals the trading thread, and Python raises
`CallbackTimeoutError` where the callback stands. What it said in that frame is taken back, its quotes are pulled, the
others go on. A call into native code that never looks at signals cannot be ended: then the kill and the warden can.
Compiled callbacks are bounded by the rounds of their loops instead.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from openbell import _native as native

SIGNAL = signal.SIGVTALRM


class CallbackTimeoutError(BaseException):
    """Raised inside a callback over its budget; no `Exception`, so that a strategy does not catch it by mistake."""


@contextmanager
def watched(strategies: native.StrategyHost, budget_ns: int) -> Iterator[native.CallbackWatch]:
    """End callbacks of `strategies` that take longer than `budget_ns`, as long as the body runs; main thread only."""
    watch = native.CallbackWatch(budget_ns, SIGNAL)

    def end_callback(_signal: int, _frame: FrameType | None) -> None:
        if watch.is_condemned:  # it may have returned by itself in the meantime
            raise CallbackTimeoutError(f"over the budget of {budget_ns / 1e6:g} ms")

    before = signal.signal(SIGNAL, end_callback)
    strategies.set_watch(watch)
    try:
        yield watch
    finally:
        strategies.set_watch(None)
        signal.signal(SIGNAL, before)


def ending(callback_of: Callable[[FrameType | None], FrameType | None]) -> Callable[[int, FrameType | None], None]:
    """A handler of a signal that comes again and again: ends the callback that it met the last time already."""
    stood: FrameType | None = None

    def look(_signal: int, frame: FrameType | None) -> None:
        nonlocal stood
        before, stood = stood, callback_of(frame)
        if stood is not None and stood is before:
            raise KeyboardInterrupt("Ctrl-C")

    return look
