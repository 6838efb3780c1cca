"""The matching engine in the slowest, plainest way: lists of orders, sorted anew for every aggressor.

Events are tuples `(name, side, cause, priority, order, other, match_number, px, qty, leaves)` where orders are the
numbers 1, 2, 3... in the order of their references' first appearance.
"""

from dataclasses import dataclass, field

from openbell.types import Side, Tif

BUY, SELL = Side.BUY, Side.SELL


@dataclass
class OracleOrder:
    """A resting order; `arrival` is its place in time."""

    ref: int
    side: Side
    px: int
    leaves: int
    arrival: int


@dataclass
class OracleMatching:
    """One instrument; prices in ticks, `market` is a price that trades with everything and never rests."""

    market: int
    orders_max: int = 1 << 20
    matches: bool = True
    orders: list[OracleOrder] = field(default_factory=list)
    events: list[tuple[object, ...]] = field(default_factory=list)
    refs: int = 0
    arrivals: int = 0
    matched: int = 0

    def submit(self, side: Side, px: int, qty: int, tif: Tif, post_only: bool, min_qty: int) -> int:
        """The new order's number, 0 when the engine is full."""
        if len(self.orders) >= self.orders_max:
            return 0
        order = self._new(side, px, qty)
        self._emit("accepted", order, qty=qty)
        self._enter(order, tif, post_only, min_qty)
        return order.ref

    def reduce(self, ref: int, leaves: int) -> bool:
        order = self._find(ref)
        if order is None or not 0 <= leaves < order.leaves:
            return False
        taken, order.leaves = order.leaves - leaves, leaves
        if leaves == 0:
            self.orders.remove(order)
        self._emit("reduced", order, qty=taken, cause="user")
        return True

    def replace(self, ref: int, px: int, qty: int, tif: Tif, post_only: bool, min_qty: int) -> int:
        old = self._find(ref)
        if old is None:
            return 0
        may_rest = px != self.market and tif not in (Tif.IOC, Tif.FOK)
        lost = old.leaves - qty
        if may_rest and px == old.px and qty <= old.leaves:
            old.leaves = qty
            self._emit("replaced", old, other=old.ref, qty=lost, priority="kept")
            return old.ref
        self.orders.remove(old)
        new = self._new(old.side, px, qty)
        rests = may_rest and not self._crosses(new)
        self._emit("replaced", new, other=old.ref, qty=0, priority="lost" if rests else "reentered")
        if rests:
            self.orders.append(new)
        else:
            self._enter(new, tif, post_only, min_qty)
        return new.ref

    def touch(self, side: Side) -> tuple[int, int]:
        prices = [order.px for order in self.orders if order.side == side]
        if not prices:
            return (0, 0)
        best = max(prices) if side == BUY else min(prices)
        return best, sum(order.leaves for order in self.orders if order.side == side and order.px == best)

    def _new(self, side: Side, px: int, qty: int) -> OracleOrder:
        self.refs += 1
        self.arrivals += 1
        return OracleOrder(self.refs, side, px, qty, self.arrivals)

    def _find(self, ref: int) -> OracleOrder | None:
        return next((order for order in self.orders if order.ref == ref), None)

    def _opposite(self, order: OracleOrder) -> list[OracleOrder]:
        """What the order may trade with, best price first, then oldest."""
        if not self.matches:
            return []
        if order.side == BUY:
            asks = [o for o in self.orders if o.side == SELL and (order.px == self.market or o.px <= order.px)]
            return sorted(asks, key=lambda o: (o.px, o.arrival))
        bids = [o for o in self.orders if o.side == BUY and (order.px == self.market or o.px >= order.px)]
        return sorted(bids, key=lambda o: (-o.px, o.arrival))

    def _crosses(self, order: OracleOrder) -> bool:
        return bool(self._opposite(order))

    def _enter(self, order: OracleOrder, tif: Tif, post_only: bool, min_qty: int) -> None:
        if post_only and self._crosses(order):
            self._discard(order, "post_only")
            return
        wanted = order.leaves if tif == Tif.FOK else min_qty
        if sum(o.leaves for o in self._opposite(order)) >= wanted:
            for resting in self._opposite(order):
                if order.leaves:
                    self._execute(resting, order)
        if order.leaves == 0:
            return
        if order.px == self.market or tif in (Tif.IOC, Tif.FOK):
            self._discard(order, "ioc")
            return
        self.orders.append(order)
        self._emit("rested", order, qty=order.leaves)

    def _execute(self, resting: OracleOrder, aggressor: OracleOrder) -> None:
        qty = min(resting.leaves, aggressor.leaves)
        resting.leaves -= qty
        aggressor.leaves -= qty
        self.matched += 1
        if resting.leaves == 0:
            self.orders.remove(resting)
        self._emit("executed", resting, other=aggressor.ref, qty=qty, match_number=self.matched)

    def _discard(self, order: OracleOrder, cause: str) -> None:
        qty, order.leaves = order.leaves, 0
        self._emit("discarded", order, qty=qty, cause=cause)

    def _emit(
        self,
        name: str,
        order: OracleOrder,
        *,
        qty: int,
        other: int = 0,
        match_number: int = 0,
        cause: str = "",
        priority: str = "",
    ) -> None:
        self.events.append(
            (name, order.side, cause, priority, order.ref, other, match_number, order.px, qty, order.leaves)
        )
