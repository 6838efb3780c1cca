"""Momentum traders: they buy what has risen and sell what has fallen."""

import math
import random

from openbell.exchange.agents.draws import Sizes
from openbell.exchange.agents.market import BUY, SELL, Market
from openbell.exchange.agents.profile import SECOND_NS, Profile
from openbell.exchange.agents.settings import MomentumSettings


class Momentum:
    """Compares a fast and a slow exponential average of the mid."""

    def __init__(self, market: Market, rng: random.Random, settings: MomentumSettings, profile: Profile) -> None:
        self._market, self._rng, self._settings, self._profile = market, rng, settings, profile
        self._sizes = Sizes(rng, settings.lots_min, settings.lots_max, settings.lots_tail)
        self._fast = self._slow = math.nan
        self._seen_ns = 0

    def begin(self, now_ns: int) -> int:
        """Look for the first time."""
        return now_ns + self._wait_ns(now_ns)

    def act(self, now_ns: int) -> int:
        """Trade when the averages are `threshold_ticks` apart."""
        bid, bid_qty = self._market.touch(BUY)
        ask, ask_qty = self._market.touch(SELL)
        if bid_qty and ask_qty:
            trend = self._trend((bid + ask) / 2, now_ns)
            if trend > self._settings.threshold_ticks:
                self._market.take(BUY, ask, min(ask_qty, self._sizes.draw()), now_ns)
            elif trend < -self._settings.threshold_ticks:
                self._market.take(SELL, bid, min(bid_qty, self._sizes.draw()), now_ns)
        return now_ns + self._wait_ns(now_ns)

    def _trend(self, mid: float, now_ns: int) -> float:
        if math.isnan(self._fast):
            self._fast = self._slow = mid
        elapsed_s = (now_ns - self._seen_ns) / SECOND_NS
        self._seen_ns = now_ns
        self._fast += (mid - self._fast) * -math.expm1(-elapsed_s / self._settings.fast_s)
        self._slow += (mid - self._slow) * -math.expm1(-elapsed_s / self._settings.slow_s)
        return self._fast - self._slow

    def _wait_ns(self, now_ns: int) -> int:
        rate = self._settings.looks_per_min / 60 * self._profile.at(now_ns)
        return 1 + int(self._rng.expovariate(rate) * SECOND_NS)
