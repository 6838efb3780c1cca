"""A market of two plain lists: slow, obvious, and enough for any agent."""

from typing import NamedTuple

from openbell.types import Side

BUY, SELL = Side.BUY, Side.SELL


class Print(NamedTuple):
    """A trade, with the side that took."""

    side: Side
    px: int
    qty: int


class SlowMarket:
    """Price, then time; everything that was asked and everything that traded is kept."""

    def __init__(self) -> None:
        self.orders: dict[int, list] = {}  # reference -> [side, px, qty], in the order of arrival
        self.asked: list[tuple] = []
        self.prints: list[Print] = []
        self.entered = 0

    def limit(self, side, px, qty, _now_ns):
        self.asked.append(("limit", side, px, qty))
        if px <= 0:
            return 0
        left = self._trade(side, px, qty)
        self.entered += 1
        if not left:
            return 0
        self.orders[self.entered] = [side, px, left]
        return self.entered

    def take(self, side, px, qty, _now_ns):
        self.asked.append(("take", side, px, qty))
        self._trade(side, px, qty)

    def cancel(self, order_id, _now_ns):
        self.asked.append(("cancel", order_id))
        return self.orders.pop(order_id, None) is not None

    def leaves(self, order_id):
        return self.orders[order_id][2] if order_id in self.orders else 0

    def touch(self, side):
        prices = [px for s, px, _ in self.orders.values() if s == side]
        if not prices:
            return 0, 0
        best = max(prices) if side == BUY else min(prices)
        return best, sum(qty for s, px, qty in self.orders.values() if (s, px) == (side, best))

    def _trade(self, side, limit, qty):
        other = SELL if side == BUY else BUY
        while qty:
            best, there = self.touch(other)
            is_beyond = limit is not None and (best > limit if side == BUY else best < limit)
            if not there or is_beyond:
                break
            reference = next(r for r, (s, px, _) in self.orders.items() if (s, px) == (other, best))
            done = min(qty, self.orders[reference][2])
            self.prints.append(Print(side, best, done))
            self.orders[reference][2] -= done
            qty -= done
            if not self.orders[reference][2]:
                del self.orders[reference]
        return qty
