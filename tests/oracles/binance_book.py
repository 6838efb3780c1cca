"""Binance's book once more, slow and obvious: the published rules over a whole recording, with dicts and Decimals."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path


@dataclass
class Book:
    bids: dict[Decimal, Decimal] = field(default_factory=dict)
    asks: dict[Decimal, Decimal] = field(default_factory=dict)

    def apply(self, bids: list[list[str]], asks: list[list[str]]) -> None:
        for side, levels in ((self.bids, bids), (self.asks, asks)):
            for px, qty in levels:
                if Decimal(qty) == 0:
                    side.pop(Decimal(px), None)
                else:
                    side[Decimal(px)] = Decimal(qty)

    def touch(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        bid, ask = max(self.bids), min(self.asks)
        return bid, self.bids[bid], ask, self.asks[ask]

    def depth(self) -> tuple[int, int]:
        return len(self.bids), len(self.asks)


def messages(file: Path) -> Iterator[dict]:
    with gzip.open(file, "rt") as lines:
        for line in lines:
            message = json.loads(line.partition(" ")[2])
            yield message.get("data", message)


def books(file: Path) -> Iterator[tuple[int, Book]]:
    """(u, the book, which lives on) after every depth update that is not in the snapshot; AssertionError at a gap."""
    waiting, book, last = [], None, 0
    for m in messages(file):
        if "lastUpdateId" in m:
            book, last = Book(), m["lastUpdateId"]
            book.apply(m["bids"], m["asks"])
            ready, waiting = waiting, []
        elif m.get("e") == "depthUpdate":
            ready = [m]
            if book is None:
                waiting += ready
        else:
            continue
        for update in ready if book is not None else []:
            is_futures = "pu" in update
            if update["u"] < last or (update["u"] == last and not is_futures):
                continue
            assert update["U"] <= last + 1 or update.get("pu") == last, f"gap at {update['U']}"
            book.apply(update["b"], update["a"])
            last = update["u"]
            yield last, book
