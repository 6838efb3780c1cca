"""The orders an agent believes to be open: any of them can be picked in constant time."""

import random
from typing import NamedTuple

from openbell.exchange.agents.market import BUY, SELL, Market
from openbell.types import Side


class Placed(NamedTuple):
    """An order as it was entered."""

    order_id: int
    side: Side
    px: int


class Resting:
    """Orders in no particular order. One that was filled meanwhile is found out when it is picked."""

    def __init__(self, rng: random.Random) -> None:
        self._random = rng.random
        self._orders: list[Placed] = []

    def __len__(self) -> int:
        return len(self._orders)

    def add(self, order: Placed) -> None:
        """Remember an order that rests."""
        self._orders.append(order)

    def pick(self) -> tuple[int, Placed]:
        """Return any order and where it stands."""
        n = int(self._random() * len(self._orders))
        return n, self._orders[n]

    def forget(self, n: int) -> None:
        """Drop the order that stands at `n`."""
        self._orders[n] = self._orders[-1]
        self._orders.pop()


class Opposite:
    """The best price of the other side; of an empty side, the last one seen."""

    def __init__(self, market: Market, start_px: int) -> None:
        self._touch = market.touch
        self._last = {BUY: start_px, SELL: start_px + 1}

    def px(self, side: Side) -> int:
        """Return the best price an order of `side` could trade with."""
        other = SELL if side == BUY else BUY
        px, qty = self._touch(other)
        if qty:
            self._last[other] = px
        return self._last[other]
