"""What the instruments of a journal are called, and what their integers mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openbell.journal.frames import open_journal


@dataclass(frozen=True, slots=True)
class Asset:
    """What an instrument's integers mean."""

    symbol: str
    currency: str
    px_decimals: int
    qty_decimals: int
    multiplier: int
    venue: int = 0
    """Number of the feed that has it."""

    @property
    def decimals(self) -> int:
        """Of price x quantity."""
        return self.px_decimals + self.qty_decimals


def read_asset(record: Any) -> Asset:
    """What an `Instrument` record says of its integers."""
    return Asset(
        symbol=bytes(record["symbol"]).rstrip(b"\0").decode(),
        currency=bytes(record["currency"]).rstrip(b"\0").decode(),
        px_decimals=int(record["px_decimals"]),
        qty_decimals=int(record["qty_decimals"]),
        multiplier=int(record["multiplier"]) or 1,
        venue=int(record["venue"]),
    )


def assets_of(directories: Iterable[Path], hot_dir: Path | None = None) -> dict[int, Asset]:
    """The instruments that journals or tapes know, by number: as the last one says."""
    return {
        int(row["instrument"]): read_asset(row)
        for directory in directories
        for rows in open_journal(directory, hot_dir).arrays("Instrument")
        for row in rows
    }


def names_of(assets: Mapping[int, Asset], feeds: Sequence[str] = ()) -> dict[int, str]:
    """What people call each instrument: its symbol, or `OBEL@home` where more than one feed of the node has that.

    `feeds` are their names by number; one that has none here is called by its number.
    """
    venues: dict[str, set[int]] = defaultdict(set)
    for asset in assets.values():
        venues[asset.symbol].add(asset.venue)

    def name(asset: Asset) -> str:
        feed = feeds[asset.venue] if asset.venue < len(feeds) else asset.venue
        return f"{asset.symbol}@{feed}" if len(venues[asset.symbol]) > 1 else asset.symbol

    return {number: name(asset) for number, asset in assets.items()}


def is_called(name: str, asked: str) -> bool:
    """Whether `asked` means the instrument of that name: a symbol alone means that of every venue."""
    return asked in (name, name.partition("@")[0])
