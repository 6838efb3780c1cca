"""Traders around a value: limit orders, market orders and cancels near a value that walks and always comes back.

Limit orders lie a geometric number of ticks behind the value and never cross, market orders push the touch back towards
it, cancels take any open order, and the number of open orders is steered to a target. After J. D. Farmer, P. Patelli,
I. Zovko (2005), "The predictive power of zero intelligence in financial markets", with the value added so that prices
stay sane for days: flow for tests and demonstrations, at any rate.
"""

import math
import random

from openbell.exchange.agents.market import BUY, SELL, Market
from openbell.exchange.agents.profile import SECOND_NS
from openbell.exchange.agents.resting import Placed, Resting
from openbell.exchange.agents.settings import AroundValueSettings
from openbell.types import Side

MARKET_SHARE = 0.1
"""Part of all events that are market orders."""
REVERSION = 0.002
"""Part of the distance to its beginning that the value loses per event."""
VOLATILITY_TICKS = 0.25
"""Standard deviation of the value's step per event."""
LOTS_MEAN = 3.0
TRIES_MAX = 8
"""Open orders that a cancel looks at before it gives up: some have been filled meanwhile."""


class AroundValue:
    """The whole flow of one instrument."""

    def __init__(self, market: Market, rng: random.Random, settings: AroundValueSettings, start_px: int) -> None:
        self._market, self._rng, self._settings = market, rng, settings
        self._start = self._value = float(start_px)
        self._resting = Resting(rng)

    def begin(self, now_ns: int) -> int:
        """Put the first orders on both sides."""
        for n in range(self._settings.orders_target):
            self._limit(BUY if n % 2 else SELL, now_ns)
        return now_ns + self._wait_ns()

    def act(self, now_ns: int) -> int:
        """Move the value, then trade, cancel or add."""
        self._value += REVERSION * (self._start - self._value) + self._rng.gauss(0.0, VOLATILITY_TICKS)
        what = self._rng.random()
        if what < MARKET_SHARE:
            self._take(now_ns)
        elif what < MARKET_SHARE + (1 - MARKET_SHARE) * self._cancel_share():
            self._cancel(now_ns)
        else:
            self._limit(BUY if self._rng.random() < 0.5 else SELL, now_ns)
        return now_ns + self._wait_ns()

    def _wait_ns(self) -> int:
        return 1 + int(self._rng.expovariate(self._settings.events_per_s) * SECOND_NS)

    def _cancel_share(self) -> float:
        """0.5 at the target number of open orders, 1 at twice of it."""
        return len(self._resting) / (2 * self._settings.orders_target)

    def _limit(self, side: Side, now_ns: int) -> None:
        behind = int(self._rng.expovariate(1 / self._settings.depth_ticks))
        if side == BUY:
            px = math.ceil(self._value) - 1 - behind
            ask, qty = self._market.touch(SELL)
            px = min(px, ask - 1) if qty else px
        else:
            px = math.floor(self._value) + 1 + behind
            bid, qty = self._market.touch(BUY)
            px = max(px, bid + 1) if qty else px
        if order := self._market.limit(side, px, self._lots(), now_ns):
            self._resting.add(Placed(order, side, px))

    def _take(self, now_ns: int) -> None:
        """Take from the side that is on the wrong side of the value, or else from any."""
        bid, bid_qty = self._market.touch(BUY)
        ask, ask_qty = self._market.touch(SELL)
        if not bid_qty or not ask_qty:
            return
        rich = (bid + ask) / 2 - self._value
        sell = self._rng.random() < min(0.95, max(0.05, 0.5 + 0.2 * rich))
        self._market.take(SELL if sell else BUY, None, self._lots(), now_ns)

    def _cancel(self, now_ns: int) -> None:
        for _ in range(min(TRIES_MAX, len(self._resting))):
            n, order = self._resting.pick()
            self._resting.forget(n)
            if self._market.cancel(order.order_id, now_ns):
                return

    def _lots(self) -> int:
        return 1 + int(self._rng.expovariate(1 / LOTS_MEAN))
