"""The `[flow]` section of an exchange file: what fills the books beside the accounts."""

from typing import Annotated, Literal

from pydantic import Field

from openbell.config import Settings
from openbell.config_types import NearPath


class NoFlow(Settings):
    """`[flow] kind = "none"`: only the accounts trade."""

    kind: Literal["none"] = "none"


class RandomFlowSettings(Settings):
    """`[flow] kind = "random"`: seeded zero-intelligence orders in every instrument, matched like everybody's."""

    kind: Literal["random"]
    seed: int = Field(default=1, ge=0, le=2**63 - 1)
    events_per_s: float = Field(default=200.0, gt=0, le=1_000_000, description="per instrument")
    orders_target: int = Field(default=200, ge=10, le=100_000, description="open orders per instrument, about")
    depth_ticks: float = Field(default=8.0, gt=0, le=1_000, description="mean distance of new orders from the value")


class TapeFlowSettings(Settings):
    """`[flow] kind = "lobster"` or `"itch"`: a tape passed through as it is.

    The feed is the tape's messages and nothing else. Orders of accounts are accepted, can be replaced and canceled,
    rest in a shadow book that is not published, and never trade: a tape cannot say what it would have done to them.
    An order that may not rest (IOC, market) is canceled at once.
    """

    kind: Literal["lobster", "itch"]
    path: NearPath
    speed: float = Field(default=1.0, ge=0, le=1_000_000, description="1: real time; 0: as fast as receivers follow")
    start: Literal["at_once", "first_login"] = "at_once"
    packets_per_ms: int = Field(default=20, ge=1, le=1_000, description="pace of speed 0, packets of 1400 bytes")


def passes_through(flow: Settings) -> bool:
    """True if the feed is a tape's and the venue matches nothing."""
    return isinstance(flow, TapeFlowSettings)


FlowSettings = Annotated[NoFlow | RandomFlowSettings | TapeFlowSettings, Field(discriminator="kind")]
