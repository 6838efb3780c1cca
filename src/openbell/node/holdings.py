"""What an engine's account holds, by symbol, as plain integers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openbell import _native as native

SYMBOL_AT = slice(16, 32)
"""Of the 128-byte Instrument record; see native/records.h."""
PX_DECIMALS_AT = 44
VENUE_AT, ASSET_AT = slice(2, 4), slice(36, 40)


def symbol_of(engine: native.Engine, instrument: int) -> str:
    """The symbol of an instrument id; `OBEL@1` where the feed of another venue has announced it before."""
    record = engine.instrument_record(instrument)
    symbol = record[SYMBOL_AT].rstrip(b"\0").decode()
    asset = int.from_bytes(record[ASSET_AT], "little")  # one more than the id of the first
    return symbol if asset in (0, instrument + 1) else f"{symbol}@{int.from_bytes(record[VENUE_AT], 'little')}"


def px_decimals_of(engine: native.Engine, instrument: int) -> int:
    """Prices of this instrument are integers in 10 to the minus so many."""
    return engine.instrument_record(instrument)[PX_DECIMALS_AT]


def holdings_of(engine: native.Engine, strategies: Iterable[int]) -> dict[str, dict[str, Any]]:
    """Per symbol, summed over strategy ids: position, exact cash in price units, profit in money (docs/money.md)."""
    ids = list(strategies)
    totals: dict[str, dict[str, Any]] = {}
    for instrument in range(engine.instruments):
        rows = [engine.position(i, instrument) for i in ids]
        qty, cash = sum(row["qty"] for row in rows), sum(row["cash"] for row in rows)
        earned = [engine.earned(i, instrument) for i in ids]
        totals[symbol_of(engine, instrument)] = {
            "position": qty,
            "cash": cash,
            "realized": sum(realized for realized, _, _ in earned),
            "pnl": sum(realized + unrealized - fees for realized, unrealized, fees in earned),
            "fills": sum(row["fills"] for row in rows),
        }
    return totals
