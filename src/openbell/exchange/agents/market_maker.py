"""Market makers: a quote on both sides, moved against the inventory they hold.

The reservation price is the mid less a skew per lot held, as in Avellaneda and Stoikov (2008), "High-frequency trading
in a limit order book", with a constant half spread.
"""

import math
import random
from dataclasses import dataclass

from openbell.exchange.agents.market import BUY, NO_ORDER, SELL, Market
from openbell.exchange.agents.profile import SECOND_NS
from openbell.exchange.agents.settings import MarketMakerSettings
from openbell.types import Side


@dataclass
class _Quote:
    side: Side
    order_id: int = NO_ORDER
    px: int = 0
    left: int = 0


class MarketMaker:
    """Quotes after random times, about every `look_s` seconds."""

    def __init__(self, market: Market, rng: random.Random, settings: MarketMakerSettings) -> None:
        self._market, self._rng, self._settings = market, rng, settings
        self._bid, self._ask = _Quote(BUY), _Quote(SELL)
        self.inventory = 0

    def begin(self, now_ns: int) -> int:
        """Come a little later than the others, to a book that has two sides."""
        return now_ns + self._wait_ns()

    def act(self, now_ns: int) -> int:
        """Count what was filled and quote around the reservation price."""
        self._count(self._bid, 1)
        self._count(self._ask, -1)
        bid, bid_qty = self._market.touch(BUY)
        ask, ask_qty = self._market.touch(SELL)
        if bid_qty and ask_qty:
            fair = (bid + ask) / 2 - self._settings.skew_ticks_per_lot * self.inventory
            half, room = self._settings.half_spread_ticks, self._settings.inventory_max_lots
            self._quote(self._bid, min(math.floor(fair - half), ask - 1), room - self.inventory, now_ns)
            self._quote(self._ask, max(math.ceil(fair + half), bid + 1), room + self.inventory, now_ns)
        return now_ns + self._wait_ns()

    def _count(self, quote: _Quote, sign: int) -> None:
        left = self._market.leaves(quote.order_id) if quote.left else 0
        self.inventory += sign * (quote.left - left)
        quote.left = left

    def _quote(self, quote: _Quote, px: int, room: int, now_ns: int) -> None:
        """Rest the wanted quantity at `px`; an order that is there keeps its place until half of it is gone."""
        qty = min(self._settings.lots, room)
        if quote.left and quote.px == px and quote.left >= qty / 2:
            return
        if quote.left:
            self._market.cancel(quote.order_id, now_ns)
        quote.left = 0
        if qty > 0 and (order := self._market.limit(quote.side, px, qty, now_ns)):
            quote.order_id, quote.px, quote.left = order, px, qty

    def _wait_ns(self) -> int:
        return 1 + int(self._rng.expovariate(1.0 / self._settings.look_s) * SECOND_NS)
