"""The venue's own account of an account, as plain values for JSON."""

from collections.abc import Sequence
from typing import Any

from openbell._native import VenueCore

STATES = ("", "NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "REJECTED", "REPLACED", "EXPIRED")
ORDER_KEYS = (
    "token", "prev_token", "symbol", "side", "state", "px", "qty", "cum_qty", "leaves_qty", "order_id",
)  # fmt: skip
OPEN_KEYS = ("order_id", "symbol", "side", "px", "qty", "cum_qty", "leaves_qty")
FILL_STATES = ("GOOD", "BUSTED", "CORRECTED")
FILL_KEYS = ("match_id", "token", "symbol", "side", "px", "qty", "liquidity", "fee", "state", "order_id")


def ledger(venue: VenueCore, account: int, symbols: Sequence[str]) -> dict[str, Any]:
    """Return every token (`qty` and `cum_qty` count its whole chain of replaces), every fill, and what is held."""
    return {
        "last_seq": venue.reports(account).next_seq - 1,
        "orders": [
            dict(zip(ORDER_KEYS, (token, prev, _symbol(symbols, n), side, STATES[state], *numbers), strict=True))
            for token, prev, n, side, state, *numbers in venue.orders(account)
        ],
        "fills": [
            dict(zip(FILL_KEYS, (match, token, symbols[n], *numbers, FILL_STATES[state], order_id), strict=True))
            for match, token, n, *numbers, state, order_id in venue.fills(account)
        ],
        "positions": holdings(venue, account, symbols),
    }


def open_orders(venue: VenueCore, account: int, symbols: Sequence[str]) -> list[dict[str, Any]]:
    """Return what rests, oldest first: as little as there is of it, however long the day was."""
    return [
        dict(zip(OPEN_KEYS, (order_id, symbols[n], side.name[0], *numbers), strict=True))
        for order_id, n, side, *numbers in venue.open_orders_of(account)
    ]


def holdings(venue: VenueCore, account: int, symbols: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return position and cash per symbol."""
    rows = venue.holdings(account)
    return {symbol: {"position": p, "cash": c} for symbol, (p, c) in zip(symbols, rows, strict=True)}


def _symbol(symbols: Sequence[str], number: int) -> str:
    """Return the symbol of an instrument; an order that was rejected may have named none that is listed."""
    return symbols[number] if number < len(symbols) else ""
