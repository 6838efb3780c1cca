"""A small Binance for tests: a seeded market by price whose snapshots and updates follow the published rules."""

import json
import random
from dataclasses import dataclass, field

from openbell.feed.market_records import Listing

SYMBOL = "BTCUSDT"
LISTING = Listing(0, SYMBOL, px_decimals=2, qty_decimals=3)


@dataclass
class Market:
    """Levels as integers; every change has a number, an update carries those since the one before."""

    rng: random.Random
    is_futures: bool = False
    bids: dict[int, int] = field(default_factory=dict)
    asks: dict[int, int] = field(default_factory=dict)
    number: int = 1000
    prev: int = 1000
    changed: dict[tuple[bool, int], int] = field(default_factory=dict)

    def change(self) -> None:
        """One order comes or goes, never so that the book would cross."""
        is_bid = self.rng.random() < 0.5
        mid = 10_000
        px = mid - self.rng.randint(1, 30) if is_bid else mid + self.rng.randint(1, 30)
        qty = self.rng.choice([0, self.rng.randint(1, 9_999)])
        side = self.bids if is_bid else self.asks
        if qty:
            side[px] = qty
        else:
            side.pop(px, None)
        self.changed[(is_bid, px)] = qty
        self.number += 1

    def update(self) -> bytes:
        """The depthUpdate of the changes since the last one; some numbers are of changes that were undone."""
        for _ in range(self.rng.randint(1, 5)):
            self.change()
        first, last = self.prev + 1, self.number
        levels = {True: [], False: []}
        for (is_bid, px), qty in self.changed.items():
            levels[is_bid].append([text(px, 2), text(qty, 3)])
        data = {"e": "depthUpdate", "E": 1_700_000_000_000 + last, "s": SYMBOL, "U": first, "u": last}
        if self.is_futures:
            data |= {"pu": self.prev, "T": data["E"]}
        data |= {"b": levels[True], "a": levels[False]}
        self.changed.clear()
        self.prev = last
        return json.dumps({"stream": "btcusdt@depth", "data": data}, separators=(",", ":")).encode()

    def snapshot(self) -> bytes:
        """The answer to GET depth, between two updates or in the middle of one."""
        for _ in range(self.rng.randint(0, 2)):
            self.change()
        return json.dumps({
            "lastUpdateId": self.number,
            "bids": [[text(px, 2), text(self.bids[px], 3)] for px in sorted(self.bids, reverse=True)],
            "asks": [[text(px, 2), text(self.asks[px], 3)] for px in sorted(self.asks)],
        }).encode()  # fmt: skip

    def sides(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """The book, best first."""
        return sorted(self.bids.items(), reverse=True), sorted(self.asks.items())


def text(value: int, decimals: int) -> str:
    """`value` as the venue prints it."""
    return f"{value // 10**decimals}.{value % 10**decimals:0{decimals}}"
