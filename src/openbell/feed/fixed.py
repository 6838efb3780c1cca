"""Decimal text to int64, exactly: what a venue prints and an instrument's fixed decimal cannot hold is refused."""

from __future__ import annotations

from math import gcd

from openbell.errors import DecodeError

INT64_MAX = (1 << 63) - 1
DECIMALS_MAX = 18
"""More digits than this behind the point leave no room for one before it."""
TEXT_MAX = 40
_POWERS: list[int] = [10**n for n in range(DECIMALS_MAX + 1)]


def fixed(text: str, decimals: int) -> int:
    """`text` in units of 10^-decimals.

    Raises:
        DecodeError: it is no plain decimal number, has digits that would be lost, or leaves int64.
    """
    digits = text[1:] if text.startswith("-") else text
    whole, _, fraction = digits.partition(".")
    if not (digits.isascii() and (whole + fraction).isdigit() and whole and len(text) <= TEXT_MAX):
        raise DecodeError(f"expected a decimal number such as 61737.63, found {text[:TEXT_MAX]!r}")
    if len(fraction) > decimals:
        if fraction[decimals:].strip("0"):
            raise DecodeError(
                f"expected at most {decimals} decimals, found {text!r}, which would lose digits; "
                "import or list the instrument with more decimals"
            )
        fraction = fraction[:decimals]
    value = int(whole + fraction) * _POWERS[decimals - len(fraction)]
    if value > INT64_MAX:
        raise DecodeError(f"expected a number that fits 64 bits at {decimals} decimals, found {text!r}")
    return -value if digits is not text else value


class Scale:
    """Learns from samples how many decimals a number needs, and the step that all of them are multiples of."""

    def __init__(self) -> None:
        self.decimals = 0
        self._step = 0  # gcd so far, in units of 10^-decimals

    def see(self, text: str) -> None:
        """Take one number as the venue prints it.

        Raises:
            DecodeError: it is no plain decimal number.
        """
        decimals = len(text.partition(".")[2].rstrip("0"))  # zeros behind the last digit say nothing
        if decimals > DECIMALS_MAX:
            raise DecodeError(f"expected at most {DECIMALS_MAX} decimals, found {text[:TEXT_MAX]!r}")
        if decimals > self.decimals:
            self._step *= 10 ** (decimals - self.decimals)
            self.decimals = decimals
        self._step = gcd(self._step, fixed(text, self.decimals))

    def merge(self, other: Scale) -> None:
        """Take everything that `other` has seen."""
        decimals = max(self.decimals, other.decimals)
        mine = self._step * _POWERS[decimals - self.decimals]
        self._step = gcd(mine, other._step * _POWERS[decimals - other.decimals])
        self.decimals = decimals

    @property
    def step(self) -> int:
        """In units of 10^-decimals; 1 when nothing but zero was seen."""
        return self._step or 1
