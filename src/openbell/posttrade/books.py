"""Books: what one side says about an account. Ours, the venue's, a drop copy's, the clearing house's.

A section is None where that side says nothing of it. Prices and quantities are integers in the units of the
instrument, money in 10^-18 of its currency. Orders are known by our order id, executions by order id and match
number; a side that does not know our ids (a clearing statement) knows the match number alone (`cl_ord_id` 0).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from openbell.types import Side


class OpenOrder(NamedTuple):
    """An order that is open, as a side holds it."""

    symbol: str
    side: Side
    px: int
    leaves_qty: int


class Fill(NamedTuple):
    """An execution. `fee` None: that side does not say; `copies` above 1: it says the same more than once."""

    symbol: str
    side: Side
    px: int
    qty: int
    fee: int | None = None
    is_busted: bool = False
    copies: int = 1


FillKey = tuple[int, int]
"""(our order id, the venue's match number)."""


@dataclass
class Books:
    """What `name` says; `as_of` is its own sequence number where it has one, for matching points in time."""

    name: str
    orders: dict[int, OpenOrder] | None = None
    ended: frozenset[int] = frozenset()
    """Orders that this side knows to have ended."""
    fills: dict[FillKey, Fill] | None = None
    positions: dict[str, int] | None = None
    moved: dict[str, int] = field(default_factory=dict)
    """What moved positions besides executions."""
    cash: dict[str, int] | None = None
    unknown_symbols: frozenset[str] = frozenset()
    """Symbols it speaks of that the other side has never heard of."""
    as_of: int = 0


def by_match(rows: Iterable[tuple[int, Fill]]) -> dict[FillKey, Fill]:
    """(match number, execution) pairs under keys without our order ids, equal ones counted.

    A match number that stands for both sides of a trade between two of our own orders keeps the sides apart.
    """
    of_match: dict[int, list[Fill]] = {}
    for match, fill in rows:
        of_match.setdefault(match, []).append(fill)
    fills: dict[FillKey, Fill] = {}
    for match, said in of_match.items():
        is_both = {fill.side for fill in said} == {Side.BUY, Side.SELL}
        for fill in said:
            key = (int(fill.side) if is_both else 0, match)
            fills[key] = fill._replace(copies=fills[key].copies + 1) if key in fills else fill
    return fills


def positions_of(fills: dict[FillKey, Fill]) -> dict[str, int]:
    """The sum of signed executions by symbol; busted ones count nothing."""
    positions: dict[str, int] = {}
    for fill in fills.values():
        signed = 0 if fill.is_busted else fill.qty if fill.side == Side.BUY else -fill.qty
        positions[fill.symbol] = positions.get(fill.symbol, 0) + signed
    return positions
