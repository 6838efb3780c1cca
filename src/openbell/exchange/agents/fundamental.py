"""A hidden value that news moves, and news brings more news.

News is a Hawkes process with one kind and several kernels, so that volatility clusters over minutes and hours; each
piece moves the value by a Laplace-distributed number of ticks, and in between it reverts slowly to where it began. The
path depends on the seed alone, whoever looks and however often.
"""

import math
import random

from openbell.exchange.agents.hawkes import Hawkes
from openbell.exchange.agents.profile import SECOND_NS, Profile
from openbell.exchange.agents.settings import FundamentalSettings


class Fundamental:
    """The value of one instrument in ticks."""

    def __init__(self, rng: random.Random, settings: FundamentalSettings, profile: Profile, start_px: float) -> None:
        self._rng, self._profile = rng, profile
        self._news = Hawkes(rng, *settings.process())
        self._jump_ticks = settings.jump_ticks
        self._revert_per_ns = 1.0 / (settings.reversion_h * 3600 * SECOND_NS)
        self._start = self._value = start_px
        self._changed_ns = self._next_ns = -1

    def at(self, now_ns: int) -> float:
        """Return the value at `now_ns`, not earlier than asked before."""
        if self._next_ns < 0:
            self._changed_ns, self._next_ns = now_ns, now_ns + self._wait_ns(now_ns)
        while self._next_ns <= now_ns:
            jump = self._rng.expovariate(1.0 / self._jump_ticks)
            self._value = self._reverted(self._next_ns) + (jump if self._rng.random() < 0.5 else -jump)
            self._changed_ns = self._next_ns
            self._next_ns += self._wait_ns(self._next_ns)
        return self._reverted(now_ns)

    def _reverted(self, now_ns: int) -> float:
        left = math.exp(-self._revert_per_ns * (now_ns - self._changed_ns))
        return self._start + (self._value - self._start) * left

    def _wait_ns(self, now_ns: int) -> int:
        wait_s, _ = self._news.next(self._profile.at(now_ns))
        return 1 + int(wait_s * SECOND_NS)
