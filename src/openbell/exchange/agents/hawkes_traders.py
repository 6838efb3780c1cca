"""Traders whose orders cause orders: market orders, limit orders and cancels of both sides as one Hawkes process."""

import random

from openbell.exchange.agents.draws import Choice, Sizes, by_distance
from openbell.exchange.agents.hawkes import Hawkes
from openbell.exchange.agents.market import BUY, SELL, Market
from openbell.exchange.agents.profile import SECOND_NS, Profile
from openbell.exchange.agents.resting import Opposite, Placed, Resting
from openbell.exchange.agents.settings import HawkesSettings
from openbell.types import Side

MARKET, LIMIT, CANCEL = 0, 1, 2
KINDS = 3
"""Kinds 0 to 2 are of the buy side, 3 to 5 of the sell side."""
TRIES_MAX = 8
"""Orders that a cancel looks at before it gives up: some have been filled, others are wanted."""


class HawkesTraders:
    """The crowd of one instrument.

    A cancel takes an order of its side with the weight of its distance. It comes to nothing with the part that the
    side's orders are fewer than `orders_target`, so their number stays about there.
    """

    def __init__(
        self, market: Market, rng: random.Random, settings: HawkesSettings, profile: Profile, start_px: int
    ) -> None:
        self._market, self._rng, self._profile, self._start_px = market, rng, profile, start_px
        self._arrivals = Hawkes(rng, *settings.process())
        self._distance = Choice(rng, by_distance(settings.limit_weight, settings.limit_tail, settings.depth_ticks))
        self._take_sizes = Sizes(rng, settings.lots_min, settings.take_lots_max, settings.take_lots_tail)
        self._limit_sizes = Sizes(rng, settings.lots_min, settings.lots_max, settings.lots_tail)
        self._opposite = Opposite(market, start_px)
        self._resting = {BUY: Resting(rng), SELL: Resting(rng)}
        self._target, self._sweep = settings.orders_target, settings.sweep_ticks
        self._cancel_weight = settings.cancel_weight
        self._kind = 0

    def begin(self, now_ns: int) -> int:
        """Fill the book to its target."""
        for side, start, step in ((BUY, self._start_px + 1, -1), (SELL, self._start_px, 1)):
            for _ in range(self._target):
                self._limit(side, start + step * (1 + self._distance.draw()), now_ns)
        return now_ns + self._wait_ns(now_ns)

    def act(self, now_ns: int) -> int:
        """Do what has arrived."""
        side, what = (BUY if self._kind < KINDS else SELL), self._kind % KINDS
        if what == LIMIT:
            distance = 1 + self._distance.draw()
            self._limit(side, self._opposite.px(side) + (-distance if side == BUY else distance), now_ns)
        elif what == CANCEL:
            self._cancel(side, now_ns)
        else:
            worst = self._opposite.px(side) + (self._sweep if side == BUY else -self._sweep)
            self._market.take(side, worst, self._take_sizes.draw(), now_ns)
        return now_ns + self._wait_ns(now_ns)

    def _wait_ns(self, now_ns: int) -> int:
        wait_s, self._kind = self._arrivals.next(self._profile.at(now_ns))
        return 1 + int(wait_s * SECOND_NS)

    def _limit(self, side: Side, px: int, now_ns: int) -> None:
        if order := self._market.limit(side, px, self._limit_sizes.draw(), now_ns):
            self._resting[side].add(Placed(order, side, px))

    def _cancel(self, side: Side, now_ns: int) -> None:
        resting, weights, draw = self._resting[side], self._cancel_weight, self._rng.random
        if draw() * self._target >= len(resting):
            return
        best = self._opposite.px(side)
        for _ in range(TRIES_MAX):
            if not len(resting):
                return
            n, order = resting.pick()
            distance = max(1, abs(best - order.px))
            if draw() < weights[min(distance, len(weights)) - 1]:
                resting.forget(n)
                if self._market.cancel(order.order_id, now_ns):
                    return
