"""The venue's books, as its own ledger states them: what `openbell exchange ledger` prints, read as `Books`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from openbell._native import ouch_token_decode
from openbell.exchange.control import ask
from openbell.journal.assets import Asset
from openbell.posttrade.books import Books, Fill, FillKey, OpenOrder
from openbell.posttrade.ledger import money_of
from openbell.types import Side

OPEN_STATES = ("NEW", "PARTIALLY_FILLED")
VENUE_DECIMALS = 4
"""Of the venue's prices, cash and fees."""


def ask_venue(control: str, account: str) -> dict[str, Any]:
    """The venue's answer about one account; `control` is its "host:port" or the path of its Unix socket."""
    return asyncio.run(ask(control, {"verb": "ledger", "account": account}))


def venue_books(answer: Mapping[str, Any], assets: Mapping[str, Asset]) -> Books:
    """The answer as books; `assets` by symbol, for the currencies. Tokens that are none of ours are order 0."""
    orders, ended = {}, set()
    for row in answer["orders"]:
        order_id = _order_id(row["token"])
        if row["state"] in OPEN_STATES:
            orders[order_id] = OpenOrder(row["symbol"], _side(row["side"]), row["px"], row["leaves_qty"])
        elif row["state"] != "REPLACED":
            ended.add(order_id)
    fills: dict[FillKey, Fill] = {}
    for row in answer["fills"]:
        key = (_order_id(row["token"]), row["match_id"])
        fills[key] = fills[key]._replace(copies=fills[key].copies + 1) if key in fills else _fill(row)
    cash: dict[str, int] = {}
    for symbol, held in answer["positions"].items():
        if symbol in assets:
            currency = assets[symbol].currency
            cash[currency] = cash.get(currency, 0) + money_of(held["cash"], VENUE_DECIMALS)
    return Books(
        name="venue",
        orders=orders,
        ended=frozenset(ended - orders.keys()),
        fills=fills,
        positions={symbol: held["position"] for symbol, held in answer["positions"].items() if symbol in assets},
        cash=cash,
        unknown_symbols=frozenset(
            symbol for symbol, held in answer["positions"].items() if symbol not in assets and held["position"]
        ),
        as_of=answer["last_seq"],
    )


def _fill(row: Mapping[str, Any]) -> Fill:
    return Fill(
        row["symbol"],
        _side(row["side"]),
        row["px"],
        row["qty"],
        fee=money_of(row["fee"], VENUE_DECIMALS),
        is_busted=row["state"] == "BUSTED",
    )


def _order_id(token: str) -> int:
    ours = ouch_token_decode(token)
    return ours[0] if ours else 0


def _side(letter: str) -> Side:
    return Side.BUY if letter == "B" else Side.SELL
