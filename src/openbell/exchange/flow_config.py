"""The `[flow]` section of an exchange file: what fills the books beside the accounts."""

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from openbell.config import Settings
from openbell.config_types import NearPath
from openbell.exchange.agents.presets import load_preset, merged, preset_names
from openbell.exchange.agents.profile import FLAT
from openbell.exchange.agents.settings import AnyAgentSettings, FundamentalSettings

AgentName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
AnyAgent = Annotated[AnyAgentSettings, Field(discriminator="kind")]
Shape = tuple[tuple[float, float], ...]


class NoFlow(Settings):
    """`[flow] kind = "none"`: only the accounts trade."""

    kind: Literal["none"] = "none"


class AgentFlowSettings(Settings):
    """`[flow] kind = "agents"`: seeded agents in every instrument, matched like everybody's.

    Everything that a preset says can be said otherwise: `[flow.agents.makers] count = 5`.
    """

    kind: Literal["agents"]
    preset: str = Field(default="", description="a population of the package; empty: only what this file says")
    seed: int = Field(default=1, ge=0, le=2**63 - 1)
    speed: float = Field(default=1.0, gt=0, le=10_000, description="seconds of the agents' time per second")
    session_s: float = Field(default=23_400.0, ge=1, le=86_400, description="length of a session, one after the other")
    profile: Shape = Field(default=FLAT, min_length=2, max_length=100, description="(part of session, activity)")
    fundamental: FundamentalSettings = FundamentalSettings()
    agents: dict[AgentName, AnyAgent] = Field(min_length=1, max_length=64)

    @model_validator(mode="before")
    @classmethod
    def _on_the_preset(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        names = preset_names()
        wanted = data.get("preset", "")
        # An unknown name is refused by its own field; the rest of the file is checked on any preset.
        return merged(load_preset(wanted if wanted in names else names[0]).flow if wanted else {}, data)

    @field_validator("preset")
    @classmethod
    def _is_known(cls, preset: str) -> str:
        if preset and preset not in preset_names():
            raise ValueError(f"one of {', '.join(preset_names())}")
        return preset

    @field_validator("profile")
    @classmethod
    def _is_shape(cls, shape: Shape) -> Shape:
        parts = [part for part, _ in shape]
        rises = all(a < b for a, b in pairwise(parts))
        if parts[0] != 0.0 or parts[-1] != 1.0 or not rises or min(value for _, value in shape) <= 0:
            raise ValueError("rising parts of the session from 0.0 to 1.0, each with an activity above 0")
        return shape


class TapeFlowSettings(Settings):
    """`[flow] kind = "lobster"` or `"itch"`: a tape, passed through as it is or matched.

    `mode = "pass"`: the feed is the tape's messages and nothing else. Orders of accounts are accepted, can be replaced
    and canceled, rest in a shadow book that is not published, and never trade: a tape cannot say what it would have
    done to them. An order that may not rest (IOC, market) is canceled at once.

    `mode = "match"`: the tape's orders are orders in the real book, and trade with those of accounts; see
    tape_matching.py. With `[flow.beside]` agents trade beside the tape, in its time: a hybrid.
    """

    kind: Literal["lobster", "itch"]
    path: NearPath
    mode: Literal["pass", "match"] = "pass"
    speed: float = Field(default=1.0, ge=0, le=1_000_000, description="1: real time; 0: as fast as receivers follow")
    start: Literal["at_once", "first_login"] = "at_once"
    packets_per_ms: int = Field(default=20, ge=1, le=1_000, description="pace of speed 0, packets of 1400 bytes")
    beside: AgentFlowSettings | None = None

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.beside and self.mode != "match":
            raise ValueError('mode = "match" with [flow.beside]: nothing trades with a tape that is passed through')
        if self.beside and self.speed == 0:
            raise ValueError("a speed above 0 with [flow.beside]: agents take their time")
        return self


def passes_through(flow: Settings) -> bool:
    """True if the feed is a tape's and the venue matches nothing."""
    return isinstance(flow, TapeFlowSettings) and flow.mode == "pass"


FlowSettings = Annotated[NoFlow | AgentFlowSettings | TapeFlowSettings, Field(discriminator="kind")]
