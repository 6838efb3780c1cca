"""The virtual venue once more: every level is one list in which the tape's orders and ours stand together.

What native/backtest knows by stamps is here plainly visible: in front of ours is what stands before it in the list.
"""

from dataclasses import dataclass, field

import numpy as np

from openbell._native import POST_ONLY
from openbell.types import BUY, SELL, Reason, Side, Tif, TradingState, Type

IS_BUY, WHOLE, AT_ORDER_PX = 1, 2, 4
Report = tuple  # (type name, cl_ord_id, version, ...) see the reports below


@dataclass(eq=False)
class Shown:
    """An order of the tape."""

    order_id: int
    side: Side
    px: int
    qty: int
    taken: int = 0  # by us

    @property
    def left(self) -> int:
        return max(0, self.qty - self.taken)


@dataclass(eq=False)
class Own:
    """An order of ours."""

    cl_ord_id: int
    version: int
    side: Side
    px: int
    leaves: int
    executed: int = 0


def opposite(side: Side) -> Side:
    return SELL if side == BUY else BUY


def better(side: Side, a: int, b: int) -> bool:
    return a > b if side == BUY else a < b


@dataclass
class VirtualVenue:
    """One instrument, never invalid."""

    levels: dict[Side, dict[int, list[Shown | Own]]] = field(default_factory=lambda: {BUY: {}, SELL: {}})
    shown: dict[int, Shown] = field(default_factory=dict)
    own: dict[int, Own] = field(default_factory=dict)
    state: TradingState = TradingState.UNKNOWN
    reports: list[Report] = field(default_factory=list)

    # ---- what stands where

    def line(self, side: Side) -> list[Shown | Own]:
        """Everybody of one side in price-time priority."""
        prices = sorted(self.levels[side], reverse=side == BUY)
        return [order for px in prices for order in self.levels[side][px]]

    def ours(self, side: Side) -> list[Own]:
        return [o for o in self.line(side) if isinstance(o, Own)]

    def queue_ahead(self, cl_ord_id: int) -> int:
        own = self.own.get(cl_ord_id)
        if own is None:
            return -1
        level = self.levels[own.side][own.px]
        return sum(o.qty if isinstance(o, Shown) else o.leaves for o in level[: level.index(own)])

    def join(self, order: Shown | Own) -> None:
        self.levels[order.side].setdefault(order.px, []).append(order)

    def leave(self, order: Shown | Own) -> None:
        self.levels[order.side][order.px].remove(order)

    # ---- the tape

    def on_market(self, r: np.void) -> None:
        kind, order_id = Type(int(r["type"])), int(r["order_id"])
        px, qty, flags = int(r["px"]), int(r["qty"]), int(r["flags"])
        if kind == Type.BOOK_ADD:
            self.arrive(Shown(order_id, BUY if flags & IS_BUY else SELL, px, qty))
        elif kind == Type.BOOK_MODIFY:
            old = self.shown.pop(order_id)
            self.leave(old)
            self.arrive(Shown(int(r["ref"]), old.side, px, qty))
        elif kind == Type.BOOK_CANCEL:
            self.shrink(self.shown[order_id], self.shown[order_id].qty if flags & WHOLE else qty)
        elif kind == Type.BOOK_EXECUTE:
            resting = self.shown[order_id]
            line = self.line(resting.side)
            in_front = [o for o in line[: line.index(resting)] if isinstance(o, Own)]
            self.shrink(resting, qty)
            self.fill_all(in_front, qty)
        elif kind == Type.TRADE:
            for side in (BUY, SELL):
                self.fill_all([o for o in self.ours(side) if self.goes_before_hidden(o, px)], qty)
        elif kind == Type.STATUS:
            self.state = TradingState(int(r["ref"]))

    def goes_before_hidden(self, own: Own, px: int) -> bool:
        level = self.levels[own.side][own.px]
        is_behind = any(isinstance(o, Shown) for o in level[: level.index(own)])
        return better(own.side, own.px, px) or (own.px == px and not is_behind)

    def arrive(self, order: Shown) -> None:
        self.shown[order.order_id] = order
        self.join(order)
        met = [o for o in self.ours(opposite(order.side)) if not better(opposite(order.side), order.px, o.px)]
        order.taken += self.fill_all(met, order.qty)

    def shrink(self, order: Shown, qty: int) -> None:
        order.qty -= qty
        if order.qty == 0:
            self.leave(order)
            del self.shown[order.order_id]

    def fill_all(self, orders: list[Own], qty: int) -> int:
        if not self.is_open():
            return 0
        filled = 0
        for own in orders:
            now = min(own.leaves, qty - filled)
            if now > 0:
                filled += now
                self.fill(own, own.px, now, "A")
                if own.leaves == 0:
                    self.close(own)
        return filled

    def is_open(self) -> bool:
        return self.state in (TradingState.UNKNOWN, TradingState.TRADING)

    # ---- commands

    def on_command(self, c: np.void) -> None:
        kind, cl_ord_id, version = Type(int(c["type"])), int(c["cl_ord_id"]), int(c["version"])
        flags = int(c["flags"])
        live = self.own.get(cl_ord_id)
        if kind == Type.NEW_ORDER:
            if live is None:
                self.new(
                    cl_ord_id, version, Side(int(c["side"])), int(c["px"]), int(c["qty"]), Tif(int(c["tif"])), flags
                )
        elif kind == Type.REPLACE_ORDER:
            if live is not None and live.version == (int(c["prev_version"]) or version - 1):
                self.replace(live, version, int(c["px"]), int(c["qty"]), Tif(int(c["tif"])), flags)
        elif kind == Type.CANCEL_ORDER and live is not None and live.version == version:
            self.cancel(live, Reason.USER_CANCEL)

    def new(self, cl_ord_id: int, version: int, side: Side, px: int, qty: int, tif: Tif, flags: int) -> None:
        if qty <= 0:
            self.reports.append(("Rejected", cl_ord_id, version, Reason.VENUE_REJECT))
        elif not self.is_open():
            self.reports.append(("Rejected", cl_ord_id, version, Reason.NOT_TRADING))
        else:
            own = self.own[cl_ord_id] = Own(cl_ord_id, version, side, px, qty)
            self.reports.append(("Accepted", cl_ord_id, version, px, qty))
            self.enter(own, tif, flags)

    def replace(self, own: Own, version: int, px: int, qty: int, tif: Tif, flags: int) -> None:
        if not self.is_open():
            self.reports.append(("Rejected", own.cl_ord_id, version, Reason.NOT_TRADING))
        elif qty <= 0:
            self.cancel(own, Reason.VENUE_REJECT)
        elif qty <= own.executed:
            self.cancel(own, Reason.USER_CANCEL)
        else:
            leaves = qty - own.executed
            keeps_place = px == own.px and leaves <= own.leaves and tif in (Tif.DAY, Tif.GTC)
            if not keeps_place:
                self.leave(own)
            own.version, own.px, own.leaves = version, px, leaves
            self.reports.append(("Replaced", own.cl_ord_id, version, px, leaves))
            if not keeps_place:
                self.enter(own, tif, flags)

    def cancel(self, own: Own, reason: Reason) -> None:
        self.reports.append(("Canceled", own.cl_ord_id, own.version, own.leaves, reason))
        self.close(own)

    def close(self, own: Own) -> None:
        del self.own[own.cl_ord_id]
        if own in self.levels[own.side].get(own.px, []):
            self.leave(own)

    def enter(self, own: Own, tif: Tif, flags: int) -> None:
        """Take what is displayed within the limit and before the first of our own; join, or lose the rest."""
        within = [o for o in self.line(opposite(own.side)) if not better(own.side, o.px, own.px)]
        walls = [i for i, o in enumerate(within) if isinstance(o, Own)]
        reach = [o for o in within[: walls[0] if walls else None] if isinstance(o, Shown)]
        if flags & POST_ONLY and any(o.left > 0 for o in reach):
            return self.cancel(own, Reason.VENUE_REJECT)
        if tif == Tif.FOK and sum(o.left for o in reach) < own.leaves:
            return self.cancel(own, Reason.IOC_REMAINDER)
        for px in dict.fromkeys(o.px for o in reach):
            wanted = own.leaves
            for resting in (o for o in reach if o.px == px):
                now = min(resting.left, wanted)
                resting.taken += now
                wanted -= now
            if wanted < own.leaves:
                self.fill(own, px, own.leaves - wanted, "R")
        if own.leaves == 0:
            return self.close(own)
        if walls:
            return self.cancel(own, Reason.SELF_MATCH)
        if tif in (Tif.IOC, Tif.FOK):
            return self.cancel(own, Reason.IOC_REMAINDER)
        return self.join(own)

    def fill(self, own: Own, px: int, qty: int, liquidity: str) -> None:
        own.leaves -= qty
        own.executed += qty
        self.reports.append(("Filled", own.cl_ord_id, own.version, px, qty, own.leaves, liquidity))
