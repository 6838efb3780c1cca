"""A synthetic order-by-order market of one instrument, as `Market` records.

About 46 % adds, 38 % deletes, 11 % executions at the touch, 5 % reductions; 1 000 to 2 000 live orders; prices
an exponential distance from the touch (mean 8 ticks, 3 % a hundred further). The shape of the streams
order-book peers are measured with, from a seed.
"""

from bisect import insort

import numpy as np

from openbell.types import RECORDS, Type

TICK = 100  # px units: one cent in ITCH's 1e-4
LIVE_MIN, LIVE_MAX = 1_000, 2_000
IS_BUY, WHOLE, AT_ORDER_PX = 1, 2, 4


class _Market:
    """The live orders, the queues and the sorted prices of both sides (asks negated: the last is the best)."""

    def __init__(self) -> None:
        self.orders: dict[int, list[int]] = {}  # id -> [side, px, qty, index in `live`]
        self.live: list[int] = []
        self.queues: tuple[dict[int, dict[int, None]], ...] = ({}, {})
        self.prices: tuple[list[int], ...] = ([], [])

    def best(self, side: int) -> int:
        return (self.prices[side][-1] if side == 0 else -self.prices[1][-1]) if self.prices[side] else 9_999 + 2 * side

    def add(self, order_id: int, side: int, px: int, qty: int) -> None:
        self.orders[order_id] = [side, px, qty, len(self.live)]
        self.live.append(order_id)
        queue = self.queues[side].get(px)
        if queue is None:
            queue = self.queues[side][px] = {}
            insort(self.prices[side], px if side == 0 else -px)
        queue[order_id] = None

    def remove(self, order_id: int) -> None:
        side, px, _, index = self.orders.pop(order_id)
        last = self.live.pop()
        if last != order_id:
            self.live[index] = last
            self.orders[last][3] = index
        queue = self.queues[side][px]
        del queue[order_id]
        if not queue:
            del self.queues[side][px]
            self.prices[side].remove(px if side == 0 else -px)

    def front(self, side: int) -> int | None:
        return next(iter(self.queues[side][self.best(side)])) if self.prices[side] else None


def make(events: int, seed: int = 7, instrument: int = 0, live: tuple[int, int] = (LIVE_MIN, LIVE_MAX)) -> np.ndarray:
    """Return `events` Market records of one instrument; order references rise from 1, prices are in 1e-4."""
    rng = np.random.default_rng(seed)
    u, v, where = (rng.random(events).tolist() for _ in range(3))
    sides = rng.integers(0, 2, events).tolist()
    far = np.where(rng.random(events) < 0.03, rng.exponential(100.0, events), 0.0).astype(np.int64)
    distances = (rng.exponential(8.0, events).astype(np.int64) + far).tolist()
    quantities = (1 + rng.exponential(20.0, events).astype(np.int64)).tolist()
    market = _Market()
    rows = [_event(market, live, i, u[i], v[i], where[i], sides[i], distances[i], quantities[i]) for i in range(events)]
    kind, flags, order_id, px, qty = np.array(rows, np.int64).T
    out = np.zeros(events, RECORDS["Market"])
    out["type"], out["flags"], out["order_id"], out["px"], out["qty"] = kind, flags, order_id, px * TICK, qty
    out["instrument"] = instrument
    out["ts_event"] = 1_700_000_000_000_000_000 + np.cumsum(1_000 + rng.exponential(100_000, events).astype(np.int64))
    return out


def _event(market, live_range, i, u, v, where, side, distance, qty):  # type: ignore[no-untyped-def]
    live = len(market.live)
    share = 0.75 if live < live_range[0] else 0.35 if live > live_range[1] else 0.485
    if u < share or live < 50:
        px = max(market.best(1) - 1 - distance if side == 0 else market.best(0) + 1 + distance, 10)
        market.add(i + 1, side, px, qty)
        return Type.BOOK_ADD, IS_BUY * (side == 0), i + 1, px, qty
    order_id = market.front(side) if v < 0.2 else None
    is_execution = order_id is not None
    if order_id is None:
        order_id = market.live[int(where * live)]
    order = market.orders[order_id]
    if is_execution:
        kind, flags = Type.BOOK_EXECUTE, AT_ORDER_PX
        qty = order[2] if where < 0.7 else max(1, order[2] // 2)
    elif v < 0.3 and order[2] > 1:
        kind, flags, qty = Type.BOOK_CANCEL, 0, order[2] // 2
    else:
        kind, flags, qty = Type.BOOK_CANCEL, WHOLE, order[2]
    flags |= IS_BUY * (order[0] == 0)
    px = order[1]
    order[2] -= qty
    if order[2] == 0:
        market.remove(order_id)
    return kind, flags, order_id, px, qty
