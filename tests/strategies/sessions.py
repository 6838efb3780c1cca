"""Made-up sessions of nine related instruments, order by order, from a seed: what references about several need.

    Y, X        a cointegrated pair: Y follows 0.8 X, and what it is off returns
    SPOT, FUTR  a spot and its future, a basis that returns
    VENA, VENB  one asset on two venues; the second hears of the value a moment later
    ATOB, BTOC, ATOC  three prices of three currencies

Each book is a ladder around a hidden value. A quote that the value has passed is traded against or taken back; sizes,
times and trades are drawn. A session is a function of its seed, byte for byte.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from openbell._native import JournalWriter
from openbell.types import RECORDS, TradingState, Type

FEED, IN = 16, 1
OPENING_NS = 1_700_000_000_000_000_000
STEP_NS = 2_000_000
IS_BUY, WHOLE, AT_ORDER_PX, PRINTABLE = 1, 2, 4, 8
LEVELS = 5

Y, X, SPOT, FUTR, VENA, VENB, ATOB, BTOC, ATOC = SYMBOLS = (
    "Y", "X", "SPOT", "FUTR", "VENA", "VENB", "ATOB", "BTOC", "ATOC",
)  # fmt: skip
TICKS = dict.fromkeys(SYMBOLS, 100) | {ATOB: 1}
"""In 1e-4."""


@dataclass
class Ladder:
    """One instrument's resting orders; prices in ticks."""

    number: int
    tick: int
    sides: tuple[dict[int, list[int]], dict[int, list[int]]] = field(default_factory=lambda: ({}, {}))
    """Of bids and asks: price -> [order id, quantity]."""


class Session:
    """Draws the events."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.ladders = [Ladder(n, TICKS[symbol]) for n, symbol in enumerate(SYMBOLS)]
        self.now = OPENING_NS
        self.next_id = 1
        self.common = np.zeros(5)  # log prices: X, SPOT, VENA, A in B, B in C
        self.drift = 0.0  # of X, for a while
        self.off = np.zeros(4)  # what returns: Y, the basis, the second venue, the triangle
        self.heard = 0.0  # of VENA's value, by the second venue

    def values(self) -> dict[str, float]:
        """The hidden value of every instrument in 1e-4 of the currency, a step later."""
        rng = self.rng
        if rng.random() < 0.002:
            self.drift = 3e-5 * rng.normal()
        self.common += 2e-5 * rng.normal(size=5)
        self.common[0] += self.drift
        self.off += -0.01 * self.off + 1e-4 * rng.normal(size=4)
        self.heard += 0.1 * (self.common[2] - self.heard)
        x, spot, venue, ab, bc = np.exp(self.common)
        return {
            Y: 45e4 * x * np.exp(self.off[0]),
            X: 50e4 * x,
            SPOT: 80e4 * spot,
            FUTR: 80e4 * spot * np.exp(self.off[1]),
            VENA: 60e4 * venue,
            VENB: 60e4 * np.exp(self.heard + self.off[2]),
            ATOB: 2e4 * ab,
            BTOC: 25e4 * bc,
            ATOC: 50e4 * ab * bc * np.exp(self.off[3]),
        }

    def events(self, steps: int) -> Iterator[np.ndarray]:
        """One Market record after another."""
        for _ in range(steps):
            values = self.values()
            for number in self.rng.choice(len(SYMBOLS), size=3, replace=False):
                ladder = self.ladders[number]
                yield from self.refresh(ladder, values[SYMBOLS[number]] / ladder.tick)
            self.now += STEP_NS

    def refresh(self, ladder: Ladder, value: float) -> Iterator[np.ndarray]:
        """Bring a ladder to its value; now and then somebody trades."""
        half = 0.6 + 0.8 * self.rng.random()
        if ladder.tick == 1:
            half *= 3.0
        touch = int(np.floor(value - half)), int(np.ceil(value + half))
        for side in (0, 1):
            yield from self.take_back(ladder, side, touch[side])
        for side in (0, 1):
            yield from self.fill_up(ladder, side, touch[side])
        if self.rng.random() < 0.15:
            yield from self.trade(ladder, int(self.rng.integers(2)))

    def take_back(self, ladder: Ladder, side: int, best: int) -> Iterator[np.ndarray]:
        """What lies beyond the best price that is meant now, or far away."""
        sign = 1 if side == 0 else -1
        for px in sorted(ladder.sides[side], reverse=side == 0):
            behind = sign * (best - px)
            if behind < 0 or behind > 2 * LEVELS:
                order_id, qty = ladder.sides[side].pop(px)
                if behind < 0 and self.rng.random() < 0.3:
                    yield self.record(Type.BOOK_EXECUTE, ladder, side, order_id, px, qty, AT_ORDER_PX | PRINTABLE)
                else:
                    yield self.record(Type.BOOK_CANCEL, ladder, side, order_id, px, qty, WHOLE)

    def fill_up(self, ladder: Ladder, side: int, best: int) -> Iterator[np.ndarray]:
        """One or two of the levels that are missing."""
        sign = 1 if side == 0 else -1
        missing = [px for px in (best - sign * i for i in range(LEVELS)) if px not in ladder.sides[side]]
        for px in missing[:2]:
            qty = 100 * int(1 + self.rng.exponential(3.0))
            ladder.sides[side][px] = [self.next_id, qty]
            yield self.record(Type.BOOK_ADD, ladder, side, self.next_id, px, qty, 0)
            self.next_id += 1

    def trade(self, ladder: Ladder, side: int) -> Iterator[np.ndarray]:
        """Somebody takes a part of the touch."""
        resting = ladder.sides[side]
        if len(resting) < 2:
            return
        px = max(resting) if side == 0 else min(resting)
        order_id, left = resting[px]
        qty = min(left, 100 * int(1 + self.rng.exponential(1.0)))
        resting[px][1] -= qty
        if resting[px][1] == 0:
            del resting[px]
        yield self.record(Type.BOOK_EXECUTE, ladder, side, order_id, px, qty, AT_ORDER_PX | PRINTABLE)

    def record(self, kind: Type, ladder: Ladder, side: int, order_id: int, px: int, qty: int, flags: int) -> np.ndarray:
        """One Market record."""
        out = np.zeros(1, RECORDS["Market"])
        out["type"], out["instrument"], out["order_id"], out["ts_event"] = kind, ladder.number, order_id, self.now
        out["px"], out["qty"], out["flags"] = px * ladder.tick, qty, flags | (IS_BUY if side == 0 else 0)
        return out


def write_session(directory: Path, seed: int, steps: int = 4_000) -> Path:
    """A session of `seed` as a tape: `STEP_NS` a step, about seven records in each."""
    opening = [one for number, symbol in enumerate(SYMBOLS) for one in opening_of(number, symbol, TICKS[symbol])]
    return write(directory, [*opening, *Session(seed).events(steps)])


def opening_of(number: int, symbol: str, tick: int) -> tuple[np.ndarray, np.ndarray]:
    """An instrument, and that it trades."""
    known = np.zeros(1, RECORDS["Instrument"])
    known["type"], known["instrument"], known["ts_event"] = Type.INSTRUMENT, number, OPENING_NS - 1_000
    known["symbol"], known["currency"], known["px_decimals"] = symbol.encode(), b"USD", 4
    known["tick"], known["lot"], known["multiplier"] = tick, 1, 1
    status = np.zeros(1, RECORDS["Market"])
    status["type"], status["instrument"], status["ts_event"] = Type.STATUS, number, OPENING_NS - 1_000
    status["ref"] = TradingState.TRADING
    return known, status


def write(directory: Path, records: list[np.ndarray]) -> Path:
    """Records as a tape, each a frame of its own."""
    journal = JournalWriter(str(directory), segment_bytes=64 << 20)
    for number, record in enumerate(records, start=1):
        ts = int(record["ts_event"][0])
        journal.append(IN, FEED, record.itemsize, record.view(np.uint8), source_seq=number, ts_recv=ts, ts_seq=ts)
    journal.close()
    return directory
