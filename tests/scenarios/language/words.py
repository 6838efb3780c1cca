"""Prices, quantities and the words of the enums, both ways."""

from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from oracles.exchange import MARKET_PX

PX_SCALE = 10_000
E = TypeVar("E", bound=StrEnum)


def word(value: StrEnum) -> str:
    return value.value.replace("_", "-")


def member(kind: type[E], text: str) -> E:
    return kind(text.replace("-", "_"))


def px_of(text: str) -> int:
    """`10.005` -> 100050; `any`: no limit."""
    if text == "any":
        return MARKET_PX
    scaled = Decimal(text) * PX_SCALE
    if scaled != int(scaled):
        raise ValueError(f"expected a price of at most 4 decimals, found {text!r}")
    return int(scaled)


def px_text(px: int) -> str:
    """100050 -> `10.005`; at least two decimals."""
    if px == MARKET_PX:
        return "any"
    sign, px = ("-", -px) if px < 0 else ("", px)
    whole, rest = divmod(px, PX_SCALE)
    return f"{sign}{whole}.{str(rest).zfill(4)[:2]}{str(rest).zfill(4)[2:].rstrip('0')}"
