"""Makes a tape of a market that never was: the exchange's own flow of agents, in simulated time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from openbell.backtest.tape_directory import Imported
from openbell.backtest.tape_import import write_itch

if TYPE_CHECKING:
    from openbell.exchange.agents.simulation import Simulated

DAY_NS = 1_767_571_200_000_000_000
"""2026-01-05 00:00 UTC: the venue's midnight of every such tape."""
MESSAGES_PER_CHUNK = 65_536


def generate_tape(
    out: Path,
    *,
    hours: float = 1.0,
    seed: int = 1,
    preset: str = "large-tick",
    symbol: str = "DEMO",
    progress: Callable[[int, int], None] | None = None,
) -> Imported:
    """Write `hours` of the agents' flow of `preset` to the tape `out`; the same arguments give the same tape.

    `progress` is told (minutes done, minutes in all).

    Raises:
        ConfigError: there is no such preset, or `out` is taken.
    """
    from openbell.exchange.agents.presets import load_preset
    from openbell.exchange.agents.simulation import simulate
    from openbell.exchange.config import ListedSettings
    from openbell.exchange.flow_config import AgentFlowSettings

    settings = AgentFlowSettings.model_validate({"kind": "agents", "preset": preset, "seed": seed})
    listed = ListedSettings(symbol=symbol, px=load_preset(preset).facts.px)
    simulated = simulate(settings, listed, hours, progress)
    return write_itch(_chunks(simulated), simulated.venue.itch_next, out, DAY_NS, (), None)


def _chunks(simulated: Simulated) -> Iterator[tuple[bytes, int]]:
    """The venue's messages, each behind its length, and the number of the last."""
    message, end = simulated.venue.itch_message, simulated.venue.itch_next
    for first in range(1, end, MESSAGES_PER_CHUNK):
        last = min(first + MESSAGES_PER_CHUNK, end)
        yield b"".join(len(m).to_bytes(2) + m for m in map(message, range(first, last))), last - 1
