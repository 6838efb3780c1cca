"""A random order-by-order market of few prices that often crosses itself and whoever quotes in it."""

import numpy as np

from openbell.types import BUY, RECORDS, SELL, Type

IS_BUY, WHOLE, AT_ORDER_PX = 1, 2, 4
MARKET = RECORDS["Market"]


def market(kind, order_id=0, side=BUY, px=0, qty=0, ref=0, flags=0):
    """One `Market` record."""
    r = np.zeros((), MARKET)
    r["type"], r["order_id"], r["px"], r["qty"], r["ref"] = kind, order_id, px, qty, ref
    r["flags"] = flags | (IS_BUY if side == BUY else 0)
    return r


class CrossingFlow:
    """Records that contradict nothing, one after the other."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.live = {}
        self.next_id = 0

    def px(self, side):
        """Near 100, on its own side of it or a little beyond."""
        return 100 + (-1 if side == BUY else 1) * int(self.rng.integers(-1, 6))

    def tape(self):
        """The next record."""
        rng = self.rng
        side = BUY if rng.random() < 0.5 else SELL
        u = rng.random()
        if u < 0.45 or len(self.live) < 5:
            self.next_id += 1
            qty = int(rng.integers(1, 20))
            self.live[self.next_id] = qty
            return market(Type.BOOK_ADD, self.next_id, side, self.px(side), qty)
        if u < 0.5:
            return market(Type.TRADE, px=self.px(side), qty=int(rng.integers(1, 10)))
        if u < 0.51:
            return market(Type.STATUS, ref=int(rng.choice([1, 4, 4, 4])))
        order_id = int(rng.choice(list(self.live)))
        if u < 0.58:
            del self.live[order_id]
            ref = order_id if rng.random() < 0.2 else self.next_id + 1
            self.next_id += 1
            self.live[ref] = int(rng.integers(1, 20))
            return market(Type.BOOK_MODIFY, order_id, px=self.px(side), qty=self.live[ref], ref=ref)
        qty = int(rng.integers(1, self.live[order_id] + 1))
        is_execute = u < 0.8
        whole = not is_execute and rng.random() < 0.6
        self.live[order_id] -= self.live[order_id] if whole else qty
        if self.live[order_id] == 0:
            del self.live[order_id]
        flags = WHOLE if whole else AT_ORDER_PX if rng.random() < 0.9 else 0
        return market(Type.BOOK_EXECUTE if is_execute else Type.BOOK_CANCEL, order_id, px=77, qty=qty, flags=flags)
