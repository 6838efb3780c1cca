"""Whose turn it is: agents act one at a time, each at the time it asked for.

No clock and no chance in here. The same agents stepped over the same times do the same, however coarse the steps.
"""

import heapq
from collections.abc import Sequence
from typing import Protocol

from openbell.errors import InvariantError


class Agent(Protocol):
    """Somebody who trades. It owns its random source and reads no clock."""

    def begin(self, now_ns: int) -> int:
        """Set out; return when to act first."""
        ...

    def act(self, now_ns: int) -> int:
        """Do what is due; return when to act next, later than `now_ns`."""
        ...


class Scheduler:
    """Agents in the order of their times; of two at one time the earlier in the list acts first."""

    def __init__(self, agents: Sequence[Agent], start_ns: int) -> None:
        self._acts = [agent.act for agent in agents]
        self._due = [(agent.begin(start_ns), n) for n, agent in enumerate(agents)]
        heapq.heapify(self._due)

    @property
    def next_ns(self) -> int:
        """When the next agent acts."""
        return self._due[0][0]

    def advance(self, now_ns: int, acts_max: int) -> int:
        """Let everybody act who is due at `now_ns`, at most `acts_max` times; return how often."""
        due, acts, replace = self._due, self._acts, heapq.heapreplace
        done = 0
        while due[0][0] <= now_ns and done < acts_max:
            at_ns, n = due[0]
            next_ns = acts[n](at_ns)
            if next_ns <= at_ns:
                raise InvariantError(f"agent {n}: expected a next time after {at_ns} ns, found {next_ns}")
            replace(due, (next_ns, n))
            done += 1
        return done
