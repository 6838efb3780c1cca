"""Market data for other processes, at their own pace: the depth of the books of a node, conflated.

    for change in DepthFollower(card).changes():      # call it as often as you like
        print(change.symbol, change.bids[0], change.asks[0], change.updates)

The node's journal is the ring that everybody reads: bounded, without a lock, and the decoder waits for nobody. Who is
slow gets for each instrument the newest depth and is told how many updates it stands for. What has left shared memory
meanwhile is read from the archived journal, so that a slow reader is late, and never wrong.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from openbell._native import Side
from openbell.node.card import NodeCard
from openbell.node.holdings import px_decimals_of
from openbell.node.names import Names
from openbell.ops.follow import follow

FRAMES_PER_POLL = 20_000


@dataclass(frozen=True)
class DepthChange:
    """The depth of an instrument after frame `seq`; prices are integers in 10^-px_decimals, best first."""

    instrument: int
    symbol: str
    seq: int
    px_decimals: int
    is_valid: bool
    """False: messages are missing or contradict each other, and the depth must not be used."""
    trading: str
    bids: tuple[tuple[int, int, int], ...]
    """(price, quantity, number of orders)."""
    asks: tuple[tuple[int, int, int], ...]
    updates: int
    """Records since the last change told; more than one: conflated."""


class DepthFollower:
    """The books of one node, seen from another process."""

    def __init__(self, card: NodeCard, *, levels: int = 5) -> None:
        self.levels = levels
        self._follower = follow(card)
        self._names = Names(card.feeds)
        self._told: list[tuple[int, bool, str]] = []

    @property
    def seq(self) -> int:
        """The last frame that is in the books."""
        return self._follower.engine.seq

    @property
    def updates(self) -> list[int]:
        """Market records in the books so far, by instrument."""
        return self._follower.updates

    def changes(self, *, catch_up_s: float = 1.0) -> Iterator[DepthChange]:
        """Catch up with the node, for at most so long, and yield the newest depth of each instrument that changed."""
        give_up = time.monotonic() + catch_up_s
        while self._follower.poll(FRAMES_PER_POLL) and time.monotonic() < give_up:
            pass
        engine, updates = self._follower.engine, self.updates
        for instrument in range(engine.instruments):
            if instrument == len(self._told):
                self._told.append((0, False, ""))
            before = self._told[instrument]
            now = (updates[instrument], engine.is_book_valid(instrument), engine.trading(instrument).name)
            if now != before:
                self._told[instrument] = now
                yield self._change(instrument, now[0] - before[0])

    def _change(self, instrument: int, updates: int) -> DepthChange:
        engine = self._follower.engine
        return DepthChange(
            instrument=instrument,
            symbol=self._names.of(engine)[instrument],
            seq=engine.seq,
            px_decimals=px_decimals_of(engine, instrument),
            is_valid=engine.is_book_valid(instrument),
            trading=engine.trading(instrument).name,
            bids=tuple(engine.depth(instrument, Side.BUY, self.levels)),
            asks=tuple(engine.depth(instrument, Side.SELL, self.levels)),
            updates=updates,
        )
