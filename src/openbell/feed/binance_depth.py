"""Binance's rules for a local book: which depth update follows which. Spot and USD-M futures differ.

    spot     drop u <= lastUpdateId; the first one left must have U <= lastUpdateId + 1 <= u; then U <= last u + 1
    futures  drop u <  lastUpdateId; the first one left must have U <= lastUpdateId     <= u; then pu == last u

A snapshot older than the first update that waits (lastUpdateId < its U) is of no use: fetch another one. An update that
is lost cannot be asked for again: the book starts over with a snapshot. An update at or before the last one changes
nothing, its quantities are absolute and were said already.

Source: "How to manage a local order book correctly", Binance Spot API and USD-M futures documentation.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

Levels = list[tuple[int, int]]
"""(px, qty) of one side; qty 0 removes the level."""


@dataclass(frozen=True, slots=True)
class DepthUpdate:
    """One depthUpdate event: update ids `first` to `last` (U, u), and `prev` (pu, futures only)."""

    first: int
    last: int
    prev: int | None
    ts_event: int
    bids: Levels
    asks: Levels


class Place(Enum):
    """Where an update stands in the sequence."""

    OLD = auto()
    NEXT = auto()
    GAP = auto()


class DepthSequence:
    """The sequence of one book since its snapshot, and the updates that wait for one."""

    def __init__(self, *, is_futures: bool, buffered_max: int) -> None:
        self.is_futures = is_futures
        self.last = 0
        self.waiting: deque[DepthUpdate] = deque(maxlen=buffered_max)
        self._has_joined = False

    def wait(self) -> None:
        """Forget the sequence: a snapshot begins the next one."""
        self.waiting.clear()
        self._has_joined = False

    def hold(self, update: DepthUpdate) -> bool:
        """Keep an update for the snapshot; False: the oldest one had to go."""
        is_full = len(self.waiting) == self.waiting.maxlen
        self.waiting.append(update)
        return not is_full

    def begin(self, snapshot_id: int) -> bool:
        """Start from a snapshot; False: it is older than what waits, and another one is needed."""
        if self.waiting and snapshot_id < self.waiting[0].first:
            return False
        self.last = snapshot_id
        self._has_joined = False
        return True

    def place(self, update: DepthUpdate) -> Place:
        """Where `update` stands."""
        if not self.is_futures:
            if update.last <= self.last:
                return Place.OLD
            return Place.NEXT if update.first <= self.last + 1 else Place.GAP
        if self._has_joined:
            if update.last <= self.last:
                return Place.OLD
            return Place.NEXT if update.prev == self.last else Place.GAP
        if update.last < self.last:
            return Place.OLD
        return Place.NEXT if update.first <= self.last else Place.GAP

    def advance(self, update: DepthUpdate) -> None:
        """`update` was applied."""
        self.last = update.last
        self._has_joined = True
