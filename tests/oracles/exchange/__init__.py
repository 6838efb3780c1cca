"""The matching engine in the slowest, plainest way: lists, sorted anew whenever somebody asks for an order of things.

Written from docs/rulebook.md alone. Start with `exchange.py`, what a caller may do; then `arrival.py`, one order's way.
"""

from oracles.exchange.events import Event
from oracles.exchange.exchange import OracleExchange
from oracles.exchange.terms import (
    MARKET_PX,
    WHOLE,
    Auction,
    Cause,
    Peg,
    Phase,
    PostOnly,
    Priority,
    Refusal,
    Rules,
    SelfTrade,
    Side,
    Terms,
    Tif,
    Type,
)

__all__ = [
    "MARKET_PX",
    "WHOLE",
    "Auction",
    "Cause",
    "Event",
    "OracleExchange",
    "Peg",
    "Phase",
    "PostOnly",
    "Priority",
    "Refusal",
    "Rules",
    "SelfTrade",
    "Side",
    "Terms",
    "Tif",
    "Type",
]
