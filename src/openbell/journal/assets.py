"""What the instruments of a journal are called, and what their integers mean."""

from __future__ import annotations

from collections.abc import Iterable
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
    )


def assets_of(directories: Iterable[Path], hot_dir: Path | None = None) -> dict[int, Asset]:
    """The instruments that journals or tapes know, by number: as the last one says."""
    return {
        int(row["instrument"]): read_asset(row)
        for directory in directories
        for rows in open_journal(directory, hot_dir).arrays("Instrument")
        for row in rows
    }
