"""Money, slow and obvious: exact fractions, rounded at the end."""

from fractions import Fraction
from math import ceil, floor

MONEY_MAX, MONEY_MIN = 2**63 - 1, -(2**63)


def scale(px_decimals: int, qty_decimals: int, multiplier: int, rate: int) -> Fraction | None:
    """Money, in 1e-4 of the base currency, of one price unit x one quantity unit; None where there is none."""
    if rate <= 0 or multiplier <= 0 or px_decimals + qty_decimals > 28:
        return None
    worth = Fraction(multiplier * rate * 10**4, 10 ** (px_decimals + qty_decimals + 8))
    return None if worth.numerator > MONEY_MAX else worth


def up(worth: Fraction | None, units: int) -> int:
    """What `units` may cost us."""
    return MONEY_MAX if worth is None else clamp(ceil(worth * units))


def down(worth: Fraction | None, units: int) -> int:
    """What `units` give us."""
    return MONEY_MIN if worth is None else clamp(floor(worth * units))


def clamp(v: int) -> int:
    """Saturate to int64."""
    return max(MONEY_MIN, min(MONEY_MAX, v))
