"""Fees as configuration: `[fees]`, tables by date with a tier for each volume."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from pydantic import Field

from openbell._native import FeeRules, Liquidity
from openbell.config import Problem, Settings
from openbell.exchange.rules_types import PxText, RateText, in_effect, px_units, rate_units, under


class FeeRatesSettings(Settings):
    """What a share, or a unit of value, costs by liquidity; negative is a rebate."""

    maker: RateText = Decimal(0)
    hidden_maker: RateText = Decimal(0)
    mid_maker: RateText = Decimal(0)
    taker: RateText = Decimal(0)
    mid_taker: RateText = Decimal(0)
    opening: RateText = Decimal(0)
    closing: RateText = Decimal(0)
    reopening: RateText = Decimal(0)

    def row(self) -> list[int]:
        """Return the rates in 1e-6, in the order of `Liquidity`."""
        return [rate_units(getattr(self, liquidity.name.lower())) for liquidity in Liquidity]


class FeeTierSettings(Settings):
    """For accounts that traded at least so much in the days before."""

    volume_min: int = Field(default=0, ge=0, le=2**62, description="in shares")
    per_share: FeeRatesSettings = FeeRatesSettings()
    per_value: FeeRatesSettings = FeeRatesSettings()


class FeeTableSettings(Settings):
    """Fees from a day on."""

    effective: date
    tiers: tuple[FeeTierSettings, ...] = Field(min_length=1, max_length=64)
    value_below_px: PxText = Field(default=Decimal(0), description="cheaper shares are charged per_value; 0: none")
    charge_min: PxText = Field(default=Decimal(0), description="of a fill that is charged")
    charge_max: PxText = Field(default=Decimal(0), description="of a fill, and of a rebate; 0: no maximum")

    def cross_check(self) -> Iterable[Problem]:
        """Yield tiers that leave a volume without one, and bounds the wrong way round."""
        if self.tiers[0].volume_min != 0:
            yield Problem(("tiers", 0, "volume_min"), f"expected 0, found {self.tiers[0].volume_min}")
        for index, (before, tier) in enumerate(zip(self.tiers, self.tiers[1:], strict=False), start=1):
            if tier.volume_min <= before.volume_min:
                yield Problem(("tiers", index, "volume_min"), f"expected more than {before.volume_min}")
        if 0 < self.charge_max < self.charge_min:
            yield Problem(("charge_max",), f'expected at least charge_min, "{self.charge_min}"')


class FeeSettings(Settings):
    """`[fees]`: what fills cost, by date. Before the first table, and without any: nothing."""

    tables: tuple[FeeTableSettings, ...] = Field(default=(), max_length=256)

    def cross_check(self) -> Iterable[Problem]:
        """Yield what is wrong in the tables, and dates used twice."""
        for index, table in enumerate(self.tables):
            yield from under(("tables", index), table.cross_check())
            if table.effective in [t.effective for t in self.tables[:index]]:
                yield Problem(("tables", index, "effective"), f"{table.effective} stands here for the second time")

    def native(self, day: date) -> FeeRules:
        """Return the fees of a day."""
        table = in_effect(self.tables, day)
        if table is None:
            return FeeRules([(0, FeeRatesSettings().row(), FeeRatesSettings().row())])
        return FeeRules(
            [(tier.volume_min, tier.per_share.row(), tier.per_value.row()) for tier in table.tiers],
            *(px_units(px) for px in (table.value_below_px, table.charge_min, table.charge_max)),
        )
