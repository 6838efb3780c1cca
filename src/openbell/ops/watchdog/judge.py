"""When a node must be stopped from outside: signs go in, a reason or nothing comes out. Time is an argument."""

from __future__ import annotations

from dataclasses import dataclass

TURN_S_MAX = 0.2
"""A turn of the watchdog that took longer counts for no more: it was itself stopped, and knows nothing of the node."""


@dataclass(frozen=True)
class Signs:
    """A node at one moment, from outside of it."""

    is_alive: bool  # a process holds the journal open
    pid: int
    beat: int  # moves every 10 ms while the trading thread turns
    is_kill_unanswered: bool  # a hard kill is in the cell, and the trading thread has not said that it took it
    opened_after_kill: int  # orders that the drop copy shows as accepted long after a hard kill


@dataclass(frozen=True)
class Patience:
    """How long each sign may last, in seconds."""

    silence_s: float = 0.7
    kill_s: float = 0.25
    start_s: float = 5.0  # from opening its journal to its first beat


class Judge:
    """Asked every few milliseconds; says each reason once, and again only after the node has been well."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._beat = 0
        self._pid = 0
        self._silent_s = self._unanswered_s = 0.0
        self._last_s: float | None = None
        self._has_spoken = False
        self.has_beaten = False

    def judge(self, signs: Signs, now_s: float) -> str | None:
        """Why the node must be stopped now, or None."""
        turn_s = min(now_s - self._last_s, TURN_S_MAX) if self._last_s is not None else 0.0
        self._last_s = now_s
        if not signs.is_alive or signs.pid != self._pid:
            self._begin(signs)
            return None
        if signs.beat not in (0, self._beat):  # a process that starts makes its counters anew, from zero
            self.has_beaten, self._silent_s, self._beat = True, 0.0, signs.beat
        else:
            self._silent_s += turn_s
        # Before its first beat it hears nobody and sends nothing: to end it then is to end every successor.
        is_unanswered = signs.is_kill_unanswered and self.has_beaten
        self._unanswered_s = self._unanswered_s + turn_s if is_unanswered else 0.0
        reason = self._reason(signs)
        if reason is None:
            self._has_spoken = False
        elif not self._has_spoken:
            self._has_spoken = True
            return reason
        return None

    def _begin(self, signs: Signs) -> None:
        """Another process, or none: a start takes a little longer."""
        self._pid, self._beat = signs.pid, signs.beat
        self._silent_s = self._unanswered_s = 0.0
        self.has_beaten = self._has_spoken = False

    def _reason(self, signs: Signs) -> str | None:
        if self._silent_s >= (self._patience.silence_s if self.has_beaten else self._patience.start_s):
            return f"its heart has stood still for {self._silent_s * 1000:.0f} ms"
        if self._unanswered_s >= self._patience.kill_s:
            return f"it has not answered a kill for {self._unanswered_s * 1000:.0f} ms"
        if signs.opened_after_kill:
            return f"{signs.opened_after_kill} orders were accepted at the venue after a kill"
        return None
