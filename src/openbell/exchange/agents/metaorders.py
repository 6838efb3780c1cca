"""Executors of metaorders: large orders with heavy-tailed sizes, worked in slices of one sign.

Their slicing is what gives trade signs long memory: P(size > x) ~ x^-a makes the autocorrelation of signs fall like
lag^-(a - 1). Source: F. Lillo, S. Mike, J. D. Farmer (2005), "Theory for long memory in supply and demand".
"""

import random
from collections import deque
from typing import NamedTuple

from openbell.exchange.agents.draws import Sizes
from openbell.exchange.agents.market import BUY, SELL, Market
from openbell.exchange.agents.profile import SECOND_NS, Profile
from openbell.exchange.agents.settings import MetaorderSettings
from openbell.types import Side

REMEMBERED_MAX = 100_000


class Metaorder(NamedTuple):
    """One that was done: its sign, lots, and the times before its first and after its last slice."""

    sign: int
    lots: int
    start_ns: int
    end_ns: int


class MetaorderExecutor:
    """Works one metaorder after the other, with pauses between."""

    def __init__(self, market: Market, rng: random.Random, settings: MetaorderSettings, profile: Profile) -> None:
        self._market, self._rng, self._settings, self._profile = market, rng, settings, profile
        self._sizes = Sizes(rng, settings.lots_min, settings.lots_max, settings.lots_tail)
        self._slices = Sizes(rng, settings.slice_lots_min, settings.slice_lots_max, settings.slice_lots_tail)
        self._side: Side = BUY
        self._lots = self._left = self._start_ns = 0
        self.done: deque[Metaorder] = deque(maxlen=REMEMBERED_MAX)

    def begin(self, now_ns: int) -> int:
        """Pause first."""
        return now_ns + self._after_ns(self._settings.pause_s, now_ns)

    def act(self, now_ns: int) -> int:
        """Take the next slice from the opposite best; a new metaorder begins with its first."""
        if not self._left:
            self._side = BUY if self._rng.random() < 0.5 else SELL
            self._lots = self._left = self._sizes.draw()
            self._start_ns = now_ns
        px, qty = self._market.touch(SELL if self._side == BUY else BUY)
        if qty and (lots := min(self._left, qty, self._slices.draw())):
            self._market.take(self._side, px, lots, now_ns)
            self._left -= lots
        if self._left:
            return now_ns + self._after_ns(self._settings.slice_s, now_ns)
        self.done.append(Metaorder(1 if self._side == BUY else -1, self._lots, self._start_ns, now_ns))
        return now_ns + self._after_ns(self._settings.pause_s, now_ns)

    def _after_ns(self, mean_s: float, now_ns: int) -> int:
        return 1 + int(self._rng.expovariate(self._profile.at(now_ns) / mean_s) * SECOND_NS)
