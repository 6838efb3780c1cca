"""openbell: a production trading system, written, run and understood in Python."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openbell.strategy import (
        Array,
        BookView,
        Context,
        LiveOrder,
        Market,
        Report,
        Ring,
        Row,
        Signal,
        State,
        Strategy,
        array,
        param,
        ring,
    )

__all__ = [
    "Array",
    "BookView",
    "Context",
    "LiveOrder",
    "Market",
    "Report",
    "Ring",
    "Row",
    "Signal",
    "State",
    "Strategy",
    "__version__",
    "array",
    "param",
    "ring",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """What strategies are made of, on first use: `openbell --help` needs no native code."""
    if name not in __all__:
        raise AttributeError(f"module 'openbell' has no attribute {name!r}; it has {', '.join(__all__)}")
    from openbell import strategy

    return getattr(strategy, name)
