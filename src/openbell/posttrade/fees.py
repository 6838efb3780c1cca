"""What a fill costs by the `FeeRate` records of a journal: the slow, obvious twin of native/fee_terms.h."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

RATE_DECIMALS = 6
FEE_DECIMALS = 4
"""Fees are in 1e-4 of the instrument's currency."""


class FeeTerms(NamedTuple):
    """Rates in 1e-6 (a lot, a unit of value), bounds of one fill in 1e-4; docs/money.md."""

    per_lot: int = 0
    per_value: int = 0
    value_below_px: int = 0
    charge_min: int = 0
    charge_max: int = 0

    def fee(self, px: int, qty: int, multiplier: int, decimals: int) -> int:
        """Of one fill in 1e-4 of its currency, half away from zero; `decimals` are those of price x quantity."""
        is_by_value = self.value_below_px == 0 or px < self.value_below_px
        is_by_lot = self.value_below_px == 0 or not is_by_value
        shift = 10**decimals
        by_lot = qty * self.per_lot * shift if is_by_lot else 0
        by_value = px * qty * multiplier * self.per_value if is_by_value else 0
        total = by_lot + by_value
        amount = _half_away(total, 10 ** (RATE_DECIMALS - FEE_DECIMALS) * shift)
        if total > 0:
            amount = max(amount, self.charge_min)
        if self.charge_max:
            amount = max(-self.charge_max, min(self.charge_max, amount))
        return amount


@dataclass
class FeeBook:
    """The terms in force, by the venue's liquidity flag."""

    by_flag: dict[str, FeeTerms] = field(default_factory=dict)
    others: FeeTerms | None = None

    @property
    def is_known(self) -> bool:
        """Whether anything was ever said of fees."""
        return self.others is not None or bool(self.by_flag)

    def take(self, record: Any) -> None:
        """A FeeRate record: terms of the flags in its text; without any, of those that no record names."""
        per_lot, per_value, charge_min, charge_max = (int(value) for value in record["values"])
        terms = FeeTerms(per_lot, per_value, int(record["code"]), charge_min, charge_max)
        flags = bytes(record["text"]).rstrip(b"\0").decode("latin-1")
        if flags:
            self.by_flag |= dict.fromkeys(flags, terms)
        else:
            self.others = terms

    def terms(self, flag: str) -> FeeTerms:
        """What a fill with this flag pays now."""
        return self.by_flag.get(flag, self.others or FeeTerms())


def _half_away(dividend: int, divisor: int) -> int:
    rounded = (abs(dividend) * 2 + divisor) // (2 * divisor)
    return rounded if dividend >= 0 else -rounded
