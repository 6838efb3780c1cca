"""Research on what markets did: tapes as tables, bars and features, and statistics of what is observed.

from openbell.research import load, bars, features, catalog
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openbell.research import catalog as catalog
    from openbell.research.tape_bars import bars as bars
    from openbell.research.tape_features import features as features
    from openbell.research.tape_load import load as load
    from openbell.research.tape_load import scan as scan

__all__ = ["bars", "catalog", "features", "load", "scan"]

_HOMES = {"bars": "tape_bars", "features": "tape_features", "load": "tape_load", "scan": "tape_load"}


def __getattr__(name: str) -> Any:
    """Import what is asked for only then: statistics need no Polars."""
    if name == "catalog":
        return importlib.import_module("openbell.research.catalog")
    if name in _HOMES:
        return getattr(importlib.import_module(f"openbell.research.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
