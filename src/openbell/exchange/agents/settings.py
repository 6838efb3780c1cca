"""Settings of every kind of agent, as presets and `[flow.agents.NAME]` tables spell them.

Rates are means over a session, in flow time.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from openbell.config import Settings
from openbell.errors import ConfigError
from openbell.exchange.agents.hawkes import Kernel, base_of

Rate = Annotated[float, Field(ge=0, le=1e9)]
Positive = Annotated[float, Field(gt=0, le=1e9)]
Lots = Annotated[int, Field(ge=1, le=1_000_000)]
Weights = Annotated[tuple[Rate, ...], Field(min_length=1, max_length=100)]
Row = tuple[Rate, Rate, Rate]
Block = tuple[Row, Row, Row]
NO_CHILDREN: Block = ((0.0, 0.0, 0.0),) * 3


class AgentSettings(Settings):
    """What every kind has."""

    count: int = Field(default=1, ge=0, le=1_000, description="how many of them, in every instrument")


class SizedSettings(AgentSettings):
    """Sizes are drawn: P(size > x) ~ x^-tail between the ends; equal ends: always that many."""

    lots_min: Lots = 1
    lots_max: Lots = 1
    lots_tail: Positive = 2.0


class AroundValueSettings(AgentSettings):
    """See around_value.py."""

    kind: Literal["around-value"]
    events_per_s: Positive = 200.0
    orders_target: int = Field(default=200, ge=10, le=100_000, description="open orders, about")
    depth_ticks: Annotated[float, Field(gt=0, le=1_000)] = Field(
        default=8.0, description="mean distance from the value"
    )


class ZeroIntelligenceSettings(SizedSettings):
    """Rates per minute and side, by the distance from the opposite best; see zero_intelligence.py."""

    kind: Literal["zero-intelligence"]
    limit_per_min: Weights = Field(description="at 1, 2, ... ticks")
    limit_tail: tuple[Rate, Rate] = Field(description="(k, a): k i^-a at the distances beyond")
    depth_ticks: int = Field(default=30, ge=1, le=1_000, description="no limit order further away")
    cancel_per_min: Weights = Field(description="of every order, at 1, 2, ... ticks; the last beyond")
    market_per_min: Rate


class ExcitationSettings(Settings):
    """`[[flow.agents.NAME.excitation]]`: mean numbers of children.

    Rows are children, columns parents, each (market, limit, cancel); `same` on one side of the book, `cross` from one
    side to the other.
    """

    after_s: Positive = Field(description="mean delay of the children")
    same: Block = NO_CHILDREN
    cross: Block = NO_CHILDREN

    def kernel(self) -> Kernel:
        """Return it for kinds 0 to 2 of the buy and 3 to 5 of the sell side."""
        upper = [[*same, *cross] for same, cross in zip(self.same, self.cross, strict=True)]
        lower = [[*cross, *same] for same, cross in zip(self.same, self.cross, strict=True)]
        return Kernel(upper + lower, self.after_s)


class HawkesSettings(SizedSettings):
    """Mean rates per minute and side, and what excites what; see hawkes_traders.py. `lots` are of limit orders."""

    kind: Literal["hawkes"]
    market_per_min: Rate
    limit_per_min: Rate
    cancel_per_min: Rate = Field(description="wanted; those that find too few orders come to nothing")
    excitation: tuple[ExcitationSettings, ...] = Field(default=(), max_length=8)
    limit_weight: Weights = Field(description="at 1, 2, ... ticks from the opposite best")
    limit_tail: tuple[Rate, Rate] = Field(default=(0.0, 1.0), description="(k, a): k i^-a at the distances beyond")
    depth_ticks: int = Field(default=30, ge=1, le=1_000)
    cancel_weight: Weights = Field(default=(1.0,), description="from 0 to 1, likewise; the last beyond")
    orders_target: int = Field(default=100, ge=1, le=100_000, description="open orders per side, about")
    take_lots_max: Lots = 1
    take_lots_tail: Positive = 2.0
    sweep_ticks: int = Field(default=0, ge=0, le=1_000, description="how far beyond the best a market order goes")

    def process(self) -> tuple[list[float], list[Kernel]]:
        """Return bases per second and kernels.

        Raises:
            ConfigError: no process has these mean rates.
        """
        side = [rate / 60 for rate in (self.market_per_min, self.limit_per_min, self.cancel_per_min)]
        kernels = [excitation.kernel() for excitation in self.excitation]
        return base_of(side * 2, kernels), kernels

    @model_validator(mode="after")
    def _is_stable(self) -> Self:
        _check(self)
        return self


class FundamentalSettings(Settings):
    """`[flow.fundamental]`: the hidden value of every instrument; see fundamental.py."""

    news_per_min: Positive = 1.0
    jump_ticks: Positive = Field(default=1.0, description="mean size of a move by news")
    excitation: tuple[tuple[Positive, Rate], ...] = Field(
        default=(), max_length=8, description="(mean delay in s, mean number) of the news that a piece of news brings"
    )
    reversion_h: Positive = Field(default=100.0, description="hours after which 1/e of a move is left")

    def process(self) -> tuple[list[float], list[Kernel]]:
        """Return base per second and kernels.

        Raises:
            ConfigError: news would bring more news without end.
        """
        kernels = [Kernel([[children]], after_s) for after_s, children in self.excitation]
        return base_of([self.news_per_min / 60], kernels), kernels

    @model_validator(mode="after")
    def _is_stable(self) -> Self:
        _check(self)
        return self


class InformedSettings(SizedSettings):
    """See informed.py."""

    kind: Literal["informed"]
    looks_per_min: Positive
    edge_ticks: Rate = Field(default=0.0, description="how much better than the price the view must be")
    error_ticks: Rate = Field(default=0.0, description="standard deviation of what is misjudged at every look")
    haste_per_tick: Rate = Field(default=0.0, description="part by which a tick of mispricing quickens the looks")
    learn_s: Positive = Field(default=1e9, description="how long a price must last to be believed")
    forget_s: Positive = Field(default=1e9, description="how long that belief lasts")


class MarketMakerSettings(AgentSettings):
    """See market_maker.py."""

    kind: Literal["market-maker"]
    look_s: Positive = 1.0
    lots: Lots = 1
    half_spread_ticks: Rate = 0.5
    skew_ticks_per_lot: Rate = 0.0
    inventory_max_lots: Lots = 1_000


class MomentumSettings(SizedSettings):
    """See momentum.py."""

    kind: Literal["momentum"]
    looks_per_min: Positive
    fast_s: Positive = 10.0
    slow_s: Positive = 60.0
    threshold_ticks: Rate = 1.0


class MetaorderSettings(SizedSettings):
    """See metaorders.py. `lots` are of whole metaorders."""

    kind: Literal["metaorders"]
    pause_s: Positive = Field(description="mean time from the end of one to the next")
    slice_s: Positive = Field(description="mean time between slices")
    slice_lots_min: Lots = 1
    slice_lots_max: Lots = 1
    slice_lots_tail: Positive = 2.0


AnyAgentSettings = (
    AroundValueSettings
    | ZeroIntelligenceSettings
    | HawkesSettings
    | InformedSettings
    | MarketMakerSettings
    | MomentumSettings
    | MetaorderSettings
)


def _check(settings: HawkesSettings | FundamentalSettings) -> None:
    try:
        settings.process()
    except ConfigError as error:
        raise ValueError(str(error)) from None
