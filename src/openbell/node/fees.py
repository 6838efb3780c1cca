"""What our fills cost, as configuration: `[[fees]]`, terms by the venue's liquidity flags; docs/money.md."""

from collections.abc import Iterable
from decimal import Decimal

from pydantic import Field

from openbell import events
from openbell.config import Problem, Settings
from openbell.exchange.rules_types import PxText, RateText, px_units, rate_units


class FeeSettings(Settings):
    """`[[fees]]`: terms of the flags it names; without any, of all that no table names. Negative is a rebate."""

    flags: str = Field(default="", max_length=64, pattern=r"^[!-~]*$", description="as the venue's reports say them")
    per_lot: RateText = Field(default=Decimal(0), description="of the currency, for a lot")
    per_value: RateText = Field(default=Decimal(0), description="for a unit of price x quantity: 1 bp is 0.0001")
    value_below_px: PxText = Field(default=Decimal(0), description="cheaper fills pay per_value alone, others per_lot")
    charge_min: PxText = Field(default=Decimal(0), description="of a fill that is charged")
    charge_max: PxText = Field(default=Decimal(0), description="of a fill, and of a rebate; 0: no maximum")

    def record(self) -> bytes:
        """The `FeeRate` of this table."""
        return events.fee_rate(
            self.flags,
            per_lot=rate_units(self.per_lot),
            per_value=rate_units(self.per_value),
            value_below_px=px_units(self.value_below_px),
            charge_min=px_units(self.charge_min),
            charge_max=px_units(self.charge_max),
        )


def check_fees(fees: tuple[FeeSettings, ...]) -> Iterable[Problem]:
    """Yield flags that two tables name, and bounds the wrong way round."""
    seen: dict[str, int] = {}
    for index, table in enumerate(fees):
        for flag in table.flags or ("",):
            if seen.setdefault(flag, index) != index:
                what = f'the flag "{flag}"' if flag else "a table without flags"
                yield Problem(("fees", index, "flags"), f"expected {what} once, [{seen[flag]}] has it too")
        if 0 < table.charge_max < table.charge_min:
            yield Problem(("fees", index, "charge_max"), f'expected at least charge_min, "{table.charge_min}"')
