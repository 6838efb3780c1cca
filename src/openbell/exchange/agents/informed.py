"""Informed traders: they know the hidden value roughly and take what is offered beyond it.

They also learn: a price that stays away from their view draws it along, and what they learned fades. So impact has a
part that lasts and parts that decay at several speeds.
"""

import math
import random

from openbell.exchange.agents.draws import Sizes
from openbell.exchange.agents.fundamental import Fundamental
from openbell.exchange.agents.market import BUY, SELL, Market
from openbell.exchange.agents.profile import SECOND_NS, Profile
from openbell.exchange.agents.settings import InformedSettings


class Informed:
    """Looks at random times, the more often the further the mid is from its view."""

    def __init__(
        self, market: Market, rng: random.Random, settings: InformedSettings, profile: Profile, value: Fundamental
    ) -> None:
        self._market, self._rng, self._settings, self._profile = market, rng, settings, profile
        self._value = value
        self._sizes = Sizes(rng, settings.lots_min, settings.lots_max, settings.lots_tail)
        self._learned = 0.0
        self._seen_ns = 0

    def begin(self, now_ns: int) -> int:
        """Look for the first time."""
        self._seen_ns = now_ns
        return now_ns + self._wait_ns(now_ns, 0.0)

    def act(self, now_ns: int) -> int:
        """Trade if a price is worse than the view by the edge."""
        bid, bid_qty = self._market.touch(BUY)
        ask, ask_qty = self._market.touch(SELL)
        if not bid_qty or not ask_qty:
            return now_ns + self._wait_ns(now_ns, 0.0)
        view = self._view((bid + ask) / 2, now_ns)
        seen = view + self._rng.gauss(0.0, self._settings.error_ticks)
        if seen > ask + self._settings.edge_ticks:
            self._market.take(BUY, ask, min(ask_qty, self._sizes.draw()), now_ns)
        elif seen < bid - self._settings.edge_ticks:
            self._market.take(SELL, bid, min(bid_qty, self._sizes.draw()), now_ns)
        return now_ns + self._wait_ns(now_ns, abs(view - (bid + ask) / 2))

    def _view(self, mid: float, now_ns: int) -> float:
        value = self._value.at(now_ns)
        elapsed_s = (now_ns - self._seen_ns) / SECOND_NS
        self._seen_ns = now_ns
        self._learned += (mid - value - self._learned) * -math.expm1(-elapsed_s / self._settings.learn_s)
        self._learned *= math.exp(-elapsed_s / self._settings.forget_s)
        return value + self._learned

    def _wait_ns(self, now_ns: int, off: float) -> int:
        rate = (
            self._settings.looks_per_min / 60 * self._profile.at(now_ns) * (1.0 + self._settings.haste_per_tick * off)
        )
        return 1 + int(self._rng.expovariate(rate) * SECOND_NS)
