"""From a node's configuration to the checks and filters at the edge of its feeds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from openbell import _native as native
from openbell.config_types import native_units
from openbell.errors import ConfigError
from openbell.node.config import LEAVE_OUT, ChecksSettings, FeedSettings, InstrumentSettings, NodeConfig
from openbell.types import Check, CheckPolicy

PX_DECIMALS = 4
"""ITCH prices are integers in 1e-4."""


def feed_of(node: NodeConfig, name: str | None, file: Path) -> FeedSettings:
    """The feed called `name` of the node in `file`; without a name its only one.

    Raises:
        ConfigError: there is none of that name, or several to choose from.
    """
    matches = [one for one in node.feeds if name is None or one.name == name]
    if len(matches) != 1:
        names = ", ".join(one.name for one in node.feeds)
        raise ConfigError(f"--feed: expected one of {names} of {file}, found {name or 'none'}")
    return matches[0]


def edge_config(
    feed: FeedSettings, checks: ChecksSettings | None = None, instruments: Iterable[InstrumentSettings] = ()
) -> native.EdgeConfig:
    """What `feed` checks and leaves out before anything is journalled, in native units."""
    out = native.EdgeConfig()
    out.policies = policies_of(checks or ChecksSettings(), out.policies)
    out.clock_back_ns = feed.clock_back_us * 1_000
    out.left_out_max = feed.left_out_max
    out.types = "".join(LEAVE_OUT[kind] for kind in feed.leave_out)
    for instrument in instruments:
        out.add_limits(
            instrument.symbol,
            px_low=native_units(instrument.px_low, PX_DECIMALS),
            px_high=native_units(instrument.px_high, PX_DECIMALS),
            band_bps=instrument.px_band_bps,
            tick=native_units(instrument.tick, PX_DECIMALS),
            lot=instrument.lot_shares,
            qty_max=instrument.qty_max_shares,
            keep_low=native_units(instrument.keep_px_low, PX_DECIMALS),
            keep_high=native_units(instrument.keep_px_high, PX_DECIMALS),
        )
    return out


def policies_of(checks: ChecksSettings, policies: list[int]) -> list[int]:
    """`policies`, by number of the check, with those of the configuration."""
    policies = list(policies)
    for name in type(checks).model_fields:
        policies[Check[name.upper()]] = CheckPolicy[getattr(checks, name).upper()]
    return policies
