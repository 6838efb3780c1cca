"""Fees with fractions: what the table says, rounded as a person would."""

from dataclasses import dataclass
from fractions import Fraction
from math import floor


@dataclass(frozen=True)
class OracleFees:
    """tiers: (volume_min, per_share, per_value), rates in 1e-6; amounts in 1e-4."""

    tiers: list[tuple[int, list[int], list[int]]]
    value_below_px: int = 0
    charge_min: int = 0
    charge_max: int = 0

    def tier(self, volume: int) -> int:
        return len([row for row in self.tiers[1:] if volume >= row[0]])

    def fee(self, tier: int, liquidity: int, px: int, qty: int) -> int:
        _, per_share, per_value = self.tiers[tier]
        by_value = px < self.value_below_px
        rate = (per_value if by_value else per_share)[liquidity]
        value = Fraction(px, 10_000) if by_value else 1
        exact = value * qty * Fraction(rate, 1_000_000) * 10_000
        amount = half_away(exact)
        if rate > 0:
            amount = max(amount, self.charge_min)
        if self.charge_max:
            amount = max(-self.charge_max, min(self.charge_max, amount))
        return amount


def half_away(exact: Fraction) -> int:
    whole = floor(abs(exact) + Fraction(1, 2))
    return whole if exact > 0 else -whole
