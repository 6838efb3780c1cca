"""Every reference, the instruments of a made-up session that it trades, and parameters that suit its hurried clock."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.strategies.sessions import ATOB, ATOC, BTOC, FUTR, SPOT, VENA, VENB, X, Y

FOLDER = Path(__file__).resolve().parents[2] / "strategies"


@dataclass(frozen=True)
class Reference:
    """A file of strategies/."""

    name: str
    symbols: tuple[str, ...]
    params: dict[str, Any] = field(default_factory=dict)
    day: dict[str, Any] = field(default_factory=dict)
    """Other parameters over a real day."""

    @property
    def file(self) -> Path:
        return FOLDER / f"{self.name}.py"

    def __str__(self) -> str:
        return self.name


REFERENCES = (
    Reference("market_maker", (X,)),
    Reference("avellaneda_stoikov", (X,), {"horizon_s": 2.0, "sigma": 1.0}, {}),
    Reference("gueant_lehalle_tapia", (X,), {"k": 1.0}, {"sigma": 3.0}),
    Reference("queue_imbalance", (X,)),
    Reference("grid", (X,), {"step_ticks": 2}),
    Reference("pairs_kalman", (Y, X), {"look_ms": 20, "edge": 0.03}, {"look_ms": 1_000, "edge": 0.1}),
    Reference("cross_exchange", (VENA, VENB)),
    Reference("basis", (SPOT, FUTR), {"entry_bps": 5.0}, {"entry_bps": 2.0}),
    Reference("triangular", (ATOB, BTOC, ATOC), {"edge_bps": 5.0}, {"size": 2, "position_max": 20}),
    Reference("breakout", (X,), {"bar_s": 0.05}, {"bar_s": 60.0}),
    Reference("rebalancer", (X, SPOT, VENA), {"look_ms": 20}, {"look_ms": 1_000}),
)
MALFORMED = ("PRICE_TICK", "PRICE_NOT_POSITIVE", "QTY_LOT", "QTY_NOT_POSITIVE", "NO_INSTRUMENT", "WOULD_OVERFLOW",
             "SELF_MATCH", "SELF_CROSS", "TERMS", "UNKNOWN_STRATEGY")  # fmt: skip
"""Reasons that are the strategy's own mistake, whatever the market does."""
