"""Zero intelligence: limit orders, market orders and cancels at rates that know nothing but the distance to the touch.

Per side, limit orders arrive `i` ticks from the opposite best at rate lambda(i), every resting order there is canceled
at rate theta(i), and market orders arrive at rate mu. Its books have exact answers (R. Cont, S. Stoikov, R. Talreja,
2010, "A stochastic model for order book dynamics"), so it checks the engine and everything that measures it.
"""

import math
import random

from openbell.exchange.agents.draws import Choice, Sizes, by_distance
from openbell.exchange.agents.market import BUY, SELL, Market
from openbell.exchange.agents.profile import Profile
from openbell.exchange.agents.resting import Opposite, Placed, Resting
from openbell.exchange.agents.settings import ZeroIntelligenceSettings
from openbell.types import Side

MINUTE_NS = 60_000_000_000


class ZeroIntelligence:
    """The whole flow of one instrument.

    Simulated exactly: cancels are proposed at the largest theta for every order believed open, and kept with the part
    that theta at its distance is of it.
    """

    def __init__(
        self, market: Market, rng: random.Random, settings: ZeroIntelligenceSettings, profile: Profile, start_px: int
    ) -> None:
        self._market, self._random, self._profile, self._start_px = market, rng.random, profile, start_px
        limits = by_distance(settings.limit_per_min, settings.limit_tail, settings.depth_ticks)
        self._distance = Choice(rng, limits)
        self._sizes = Sizes(rng, settings.lots_min, settings.lots_max, settings.lots_tail)
        self._opposite = Opposite(market, start_px)
        self._resting = Resting(rng)
        self._limits, self._markets = 2 * self._distance.total, 2 * settings.market_per_min
        self._cancel_max = max(settings.cancel_per_min)
        self._keep = [theta / self._cancel_max for theta in settings.cancel_per_min]
        self._expected = [
            rate / settings.cancel_per_min[min(n, len(settings.cancel_per_min) - 1)] for n, rate in enumerate(limits)
        ]

    def begin(self, now_ns: int) -> int:
        """Put about as many orders at every distance as there will be in the long run."""
        for n, expected in enumerate(self._expected):
            for _ in range(round(expected)):
                self._limit(BUY, self._start_px - n, now_ns)
                self._limit(SELL, self._start_px + 1 + n, now_ns)
        return now_ns + self._wait_ns(now_ns)

    def act(self, now_ns: int) -> int:
        """Limit order, market order or cancel, each as often as its rate says."""
        what = self._random() * self._rate
        if what < self._limits:
            side = BUY if what < self._limits / 2 else SELL
            distance = 1 + self._distance.draw()
            px = self._opposite.px(side) + (-distance if side == BUY else distance)
            self._limit(side, px, now_ns)
        elif what < self._limits + self._markets:
            side = BUY if what < self._limits + self._markets / 2 else SELL
            self._market.take(side, None, self._sizes.draw(), now_ns)
        else:
            self._cancel(now_ns)
        return now_ns + self._wait_ns(now_ns)

    def _wait_ns(self, now_ns: int) -> int:
        self._rate = self._limits + self._markets + self._cancel_max * len(self._resting)
        mean_ns = MINUTE_NS / (self._rate * self._profile.at(now_ns))
        return 1 + int(-math.log(1.0 - self._random()) * mean_ns)

    def _limit(self, side: Side, px: int, now_ns: int) -> None:
        if order := self._market.limit(side, px, self._sizes.draw(), now_ns):
            self._resting.add(Placed(order, side, px))

    def _cancel(self, now_ns: int) -> None:
        n, order = self._resting.pick()
        distance = abs(self._opposite.px(order.side) - order.px)
        if self._random() < self._keep[min(max(distance, 1), len(self._keep)) - 1]:
            self._market.cancel(order.order_id, now_ns)
            self._resting.forget(n)
