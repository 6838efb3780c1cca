"""The rules of an instrument as configuration: what it asks of an order, and how it is matched.

The other rules of the venue stand beside this file: `bands_config.py`, `schedule_config.py`, `fees_config.py`. Prices
and rates are decimals in quotes, and exact: one that native units cannot hold is refused. What changes with time stands
in tables with an `effective` date. Each class says what is wrong between its keys (`cross_check`), and whoever holds it
passes that on with `under`. Without any of these rules the venue is open always, without bands, collars or fees.
docs/rulebook.md says what the words mean.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from pydantic import Field

from openbell._native import Allocation, InstrumentRules
from openbell.config import Problem, Settings
from openbell.exchange.rules_types import PxText, px_units
from openbell.toml_lines import Path as KeyPath

QTY_MAX = 999_999
"""The largest quantity that OUCH can carry."""
TICK_STEPS_MAX = 8


class TickStepSettings(Settings):
    """From a price on, another tick."""

    from_px: PxText
    tick: PxText


class ProRataSettings(Settings):
    """How a level is shared out."""

    grants_top: bool = False
    fifo_pct: int = Field(default=0, ge=0, le=100)
    min_allocation: int = Field(default=1, ge=1, le=QTY_MAX, description="in shares; a smaller share goes by time")


class InstrumentRulesSettings(Settings):
    """What one instrument asks of an order, and how it is matched."""

    tick: PxText = Decimal("0.01")
    tick_steps: tuple[TickStepSettings, ...] = Field(default=(), max_length=TICK_STEPS_MAX - 1)
    lot: int = Field(default=1, ge=1, le=QTY_MAX, description="quantities are multiples")
    qty_max: int = Field(default=QTY_MAX, ge=1, le=QTY_MAX, description="of one order, in shares")
    limit_collar_bps: int = Field(default=0, ge=0, le=100_000, description="0: no collar")
    market_collar_bps: int = Field(default=0, ge=0, le=100_000, description="0: no collar")
    allocation: Literal["fifo", "pro_rata"] = "fifo"
    pro_rata: ProRataSettings = ProRataSettings()
    bands_tier: int = Field(default=0, ge=0, le=9, description="of `[bands]`; 0: no price bands")

    def cross_check(self) -> Iterable[Problem]:
        """Yield ticks that do not make a table, and lots that no order can have."""
        if self.tick <= 0:
            yield Problem(("tick",), f'expected at least "0.0001", found "{self.tick}"')
            return
        yield from self._check_steps()
        if self.qty_max < self.lot:
            yield Problem(("qty_max",), f"expected at least the lot, {self.lot}, found {self.qty_max}")

    def _check_steps(self) -> Iterable[Problem]:
        from_px, tick = Decimal(0), self.tick
        for index, step in enumerate(self.tick_steps):
            where: KeyPath = ("tick_steps", index)
            if step.tick <= 0:
                yield Problem((*where, "tick"), f'expected at least "0.0001", found "{step.tick}"')
                return
            if step.from_px <= from_px:
                yield Problem((*where, "from_px"), f'expected more than "{from_px}", found "{step.from_px}"')
            elif step.from_px % tick or step.from_px % step.tick:
                yield Problem((*where, "from_px"), f'expected a multiple of both ticks, "{tick}" and "{step.tick}"')
            from_px, tick = step.from_px, step.tick

    @property
    def ticks(self) -> list[tuple[int, int]]:
        """(from px, tick) in 1e-4, as the native table has it."""
        steps = [(Decimal(0), self.tick), *((step.from_px, step.tick) for step in self.tick_steps)]
        return [(px_units(from_px), px_units(tick)) for from_px, tick in steps]

    def native(self, symbol: str, *, round_lot: int, listed_px: int) -> InstrumentRules:
        """Return the engine's rules; `listed_px` in 1e-4 is the reference before the first trade."""
        return InstrumentRules(
            symbol,
            ticks=self.ticks,
            lot=self.lot,
            round_lot=round_lot,
            qty_max=self.qty_max,
            listed_px=listed_px,
            limit_collar_bps=self.limit_collar_bps,
            market_collar_bps=self.market_collar_bps,
            allocation=Allocation.PRO_RATA if self.allocation == "pro_rata" else Allocation.FIFO,
            grants_top=self.pro_rata.grants_top,
            fifo_percent=self.pro_rata.fifo_pct,
            min_allocation=self.pro_rata.min_allocation,
        )
