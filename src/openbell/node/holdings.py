"""What an engine's account holds, by symbol, as plain integers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openbell import _native as native

SYMBOL_AT = slice(16, 32)
"""Of the 128-byte Instrument record; see native/records.h."""
PX_DECIMALS_AT = 44


def symbol_of(engine: native.Engine, instrument: int) -> str:
    """The symbol of an instrument id."""
    return engine.instrument_record(instrument)[SYMBOL_AT].rstrip(b"\0").decode()


def px_decimals_of(engine: native.Engine, instrument: int) -> int:
    """Prices of this instrument are integers in 10 to the minus so many."""
    return engine.instrument_record(instrument)[PX_DECIMALS_AT]


def holdings_of(engine: native.Engine, strategies: Iterable[int]) -> dict[str, dict[str, Any]]:
    """Per symbol, summed over strategy ids: position, exact cash, and cash plus position at the mid."""
    ids = list(strategies)
    totals: dict[str, dict[str, Any]] = {}
    for instrument in range(engine.instruments):
        bid, _, ask, _ = engine.touch(instrument)
        rows = [engine.position(i, instrument) for i in ids]
        qty, cash = sum(row["qty"] for row in rows), sum(row["cash"] for row in rows)
        mid2 = bid + ask if bid and ask else 2 * (bid or ask)
        totals[symbol_of(engine, instrument)] = {
            "position": qty,
            "cash": cash,
            "realized": sum(row["realized"] for row in rows),
            "pnl": cash + qty * mid2 // 2,
            "fills": sum(row["fills"] for row in rows),
        }
    return totals
