"""What an engine's account holds, by instrument, as plain integers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from openbell import _native as native

PX_DECIMALS_AT = 44
"""Of the 128-byte Instrument record; see native/records.h."""


def px_decimals_of(engine: native.Engine, instrument: int) -> int:
    """Prices of this instrument are integers in 10 to the minus so many."""
    return engine.instrument_record(instrument)[PX_DECIMALS_AT]


def holdings_of(
    engine: native.Engine, strategies: Iterable[int], names: Mapping[int, str]
) -> dict[str, dict[str, Any]]:
    """By instrument, summed over strategy ids: position, exact cash in price units, profit in money (docs/money.md).

    `names` are those of all instruments.
    """
    ids = list(strategies)
    totals: dict[str, dict[str, Any]] = {}
    for instrument in range(engine.instruments):
        rows = [engine.position(i, instrument) for i in ids]
        qty, cash = sum(row["qty"] for row in rows), sum(row["cash"] for row in rows)
        earned = [engine.earned(i, instrument) for i in ids]
        totals[names[instrument]] = {
            "position": qty,
            "cash": cash,
            "realized": sum(realized for realized, _, _ in earned),
            "pnl": sum(realized + unrealized - fees for realized, unrealized, fees in earned),
            "fills": sum(row["fills"] for row in rows),
        }
    return totals
