"""Price bands as configuration: `[bands]`, tables by tier and date, and those of the US."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field

from openbell._native import NEVER, BandRules
from openbell.config import Problem, Settings
from openbell.errors import ConfigError
from openbell.exchange.rules_types import NS_PER_S, PxText, TimeText, in_effect, px_units, time_of_day, under


class BandWidthSettings(Settings):
    """How far the bands stand from the reference, for prices from `from_px` on."""

    from_px: PxText
    bps: int = Field(ge=1, le=10_000)
    px_max: PxText = Field(default=Decimal(0), description="the width is at most so much; 0: no maximum")
    doubles: bool = Field(default=True, description='from "wide_from" on')


class BandTableSettings(Settings):
    """The widths of one tier, from a day on."""

    effective: date
    tier: int = Field(ge=1, le=9)
    widths: tuple[BandWidthSettings, ...] = Field(min_length=1, max_length=16)

    def cross_check(self) -> Iterable[Problem]:
        """Yield widths that leave a price without one."""
        if self.widths[0].from_px != 0:
            yield Problem(("widths", 0, "from_px"), f'expected "0", found "{self.widths[0].from_px}"')
        for index, (before, width) in enumerate(zip(self.widths, self.widths[1:], strict=False), start=1):
            if width.from_px <= before.from_px:
                yield Problem(("widths", index, "from_px"), f'expected more than "{before.from_px}"')


def _us_table(tier: int, above_3_bps: int, *, doubles: bool) -> BandTableSettings:
    return BandTableSettings(
        effective=date(2020, 2, 24),
        tier=tier,
        widths=(
            BandWidthSettings(from_px=Decimal(0), bps=7_500, px_max=Decimal("0.15")),
            BandWidthSettings(from_px=Decimal("0.75"), bps=2_000),
            BandWidthSettings(from_px=Decimal("3.0001"), bps=above_3_bps, doubles=doubles),
        ),
    )


US_BANDS = (_us_table(1, 500, doubles=True), _us_table(2, 1_000, doubles=False))
"""The tiers of the plan for limit up, limit down in the US, since its amendment 18."""


class BandSettings(Settings):
    """`[bands]`: price bands, their limit state and the pause. Instruments choose a tier."""

    preset: Literal["none", "us"] = "none"
    tables: tuple[BandTableSettings, ...] = Field(default=(), max_length=256)
    wide_from: TimeText | None = Field(default=None, description='time of day; preset "us": "15:35"')
    window_s: int = Field(default=300, ge=1, le=3_600)
    move_bps: int = Field(default=100, ge=1, le=10_000)
    hold_s: int = Field(default=30, ge=0, le=3_600)
    limit_s: int = Field(default=15, ge=1, le=3_600)
    pause_s: int = Field(default=300, ge=1, le=86_400)
    collar_bps: int = Field(default=500, ge=1, le=10_000)

    def cross_check(self) -> Iterable[Problem]:
        """Yield a preset beside tables, and what is wrong in these."""
        if self.preset != "none" and self.tables:
            yield Problem(("tables",), f'expected no tables beside preset "{self.preset}"; write preset = "none"')
        for index, table in enumerate(self.tables):
            yield from under(("tables", index), table.cross_check())

    @property
    def tiers(self) -> set[int]:
        """The tiers that an instrument may choose, 0 (none) aside."""
        return {table.tier for table in self._tables}

    def native(self, tier: int, day: date) -> BandRules:
        """Return the rules of a tier on a day; of tier 0, or without any table, that there are no bands.

        Raises:
            ConfigError: no table of the tier is effective.
        """
        tables = self._tables
        if tier == 0 or not tables:
            return BandRules([])
        table = in_effect([t for t in tables if t.tier == tier], day)
        if table is None:
            found = ", ".join(f"tier {t.tier} from {t.effective}" for t in tables)
            raise ConfigError(f"bands: expected a table of tier {tier} effective on {day}, found {found}; add one")
        return BandRules(
            [(px_units(w.from_px), w.bps, px_units(w.px_max), w.doubles) for w in table.widths],
            wide_from_ns=self._wide_from_ns(),
            window_s=self.window_s,
            move_bps=self.move_bps,
            hold_ns=self.hold_s * NS_PER_S,
            limit_ns=self.limit_s * NS_PER_S,
            pause_ns=self.pause_s * NS_PER_S,
            collar_bps=self.collar_bps,
        )

    @property
    def _tables(self) -> Sequence[BandTableSettings]:
        return US_BANDS if self.preset == "us" else self.tables

    def _wide_from_ns(self) -> int:
        if self.wide_from is not None:
            return self.wide_from
        return time_of_day("15:35") if self.preset == "us" else NEVER
