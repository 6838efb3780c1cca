"""Signals as configuration: `[[signals]]`, the values that other processes and people may send to strategies."""

import math
from collections.abc import Iterable

from pydantic import Field

from openbell.config import Problem, Settings

SIGNALS_MAX = 256
SIGNAL_ID_MAX = 65_535


class SignalSettings(Settings):
    """`[[signals]]`: a named value with bounds, told to one strategy or to all."""

    name: str = Field(min_length=1, max_length=32, description="what a sender calls it")
    id: int = Field(ge=0, le=SIGNAL_ID_MAX, description="what a strategy knows it by: `signal.signal_id`")
    low: float = Field(description="a smaller value is refused")
    high: float = Field(description="a larger value is refused")
    strategy: str = Field(default="", description="who is told; absent: every strategy")


def check_signals(signals: tuple[SignalSettings, ...], strategies: Iterable[str]) -> Iterable[Problem]:
    """Yield names and ids used twice, bounds that admit nothing, and strategies that are not there."""
    known, seen = set(strategies), set[tuple[str, object]]()
    for index, one in enumerate(signals):
        for key in ("name", "id"):
            value = getattr(one, key)
            if (key, value) in seen:
                yield Problem(("signals", index, key), f"{value!r} stands here for the second time; it must be unique")
            seen.add((key, value))
        if not (math.isfinite(one.low) and math.isfinite(one.high) and one.low <= one.high):
            yield Problem(
                ("signals", index, "high"), f"expected finite bounds, low <= high, found {one.low}, {one.high}"
            )
        if one.strategy and one.strategy not in known:
            yield Problem(("signals", index, "strategy"), f'expected one of {sorted(known)}, found "{one.strategy}"')
