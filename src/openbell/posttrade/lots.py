"""Realized profit by lots: first in first out, or at average cost. Exact integers, in price x quantity units.

    cash == realized - cost          always, under both methods
    realized + unrealized(mark) == cash + position x mark

so the methods differ only in when a profit counts as realized, never in the total. FIFO closes the oldest lots first;
average cost takes the closed share of the whole cost, truncated toward zero, and leaves the remainder with what is
still open (native/oms/position.h computes the same).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from openbell.posttrade.blotter import Trade


class Lot(NamedTuple):
    """What is still open of one trade; `qty` is signed."""

    qty: int
    px: int
    ts_event: int


class Closed(NamedTuple):
    """One closing: so much of a lot, taken at `open_px`, given back at `close_px`. `qty` is signed as the lot."""

    qty: int
    open_px: int
    close_px: int
    opened_at: int
    closed_at: int

    @property
    def realized(self) -> int:
        """Its profit."""
        return self.qty * (self.close_px - self.open_px)


class Profit(Protocol):
    """What both methods answer."""

    position: int
    cash: int
    realized: int

    @property
    def cost(self) -> int:
        """Of what is open, signed: negative when short."""
        ...

    def take(self, trade: Trade) -> None:
        """Take one trade that stands."""
        ...


@dataclass
class FifoLots:
    """First in, first out."""

    position: int = 0
    cash: int = 0
    realized: int = 0
    lots: deque[Lot] = field(default_factory=deque)
    closed: list[Closed] = field(default_factory=list)

    @property
    def cost(self) -> int:
        """Of the open lots, signed."""
        return sum(lot.qty * lot.px for lot in self.lots)

    def take(self, trade: Trade) -> None:
        """Close the oldest lots of the other side; what is left over opens a lot."""
        signed_qty, px = trade.signed_qty, trade.px
        self.position += signed_qty
        self.cash -= signed_qty * px
        while signed_qty and self.lots and (self.lots[0].qty > 0) != (signed_qty > 0):
            lot = self.lots[0]
            qty = lot.qty if abs(lot.qty) <= abs(signed_qty) else -signed_qty
            self.closed.append(Closed(qty, lot.px, px, lot.ts_event, trade.ts_event))
            self.realized += self.closed[-1].realized
            signed_qty += qty
            if qty == lot.qty:
                self.lots.popleft()
            else:
                self.lots[0] = lot._replace(qty=lot.qty - qty)
        if signed_qty:
            self.lots.append(Lot(signed_qty, px, trade.ts_event))


@dataclass
class AverageCost:
    """At the average cost of what is open."""

    position: int = 0
    cash: int = 0
    realized: int = 0
    cost: int = 0

    def take(self, trade: Trade) -> None:
        """Close at the average first; what is left over opens."""
        signed_qty, px = trade.signed_qty, trade.px
        self.cash -= signed_qty * px
        if self.position and (self.position > 0) != (signed_qty > 0):
            lots = min(abs(signed_qty), abs(self.position))
            cost_out = _toward_zero(self.cost * lots, abs(self.position))
            closed = lots if signed_qty > 0 else -lots
            self.cost -= cost_out
            self.realized += -px * closed - cost_out
            self.position += closed
            signed_qty -= closed
        self.cost += px * signed_qty
        self.position += signed_qty


def played(profit: Profit, trades: Iterable[Trade]) -> Profit:
    """Take `trades` in order, as if those that were busted had never been; return `profit`.

    A bust or correction changes history, and what it leaves depends on the order of trades, so lots are always
    played from the beginning.
    """
    for trade in trades:
        if trade.signed_qty:
            profit.take(trade)
    return profit


def unrealized(profit: Profit, mark_px: int) -> int:
    """What closing everything at `mark_px` would add."""
    return profit.position * mark_px - profit.cost


def _toward_zero(dividend: int, divisor: int) -> int:
    quotient = abs(dividend) // divisor
    return quotient if dividend >= 0 else -quotient
