"""Names that people write, and lists that they read."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from openbell.ops.control.proposals import RefusedError
from openbell.ops.control.world import World

SHOWN_MAX = 5
NAMES_MAX = 12


def find_instrument(world: World, symbol: str) -> int:
    """The id of a symbol.

    Raises:
        RefusedError: the node has not heard of it.
    """
    number = world.find_instrument(symbol)
    if number is None:
        raise unknown("instrument", symbol, world.instruments())
    return number


def unknown(kind: str, name: str, known: Iterable[str]) -> RefusedError:
    """A name that is none of the node's."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    shown = ", ".join(names[:NAMES_MAX]) or "none yet"
    return RefusedError(f"{kind} {name!r}: expected one of the node's, found none of that name; it has {shown}{meant}")


def some(words: list[str]) -> str:
    """The first few, and how many more."""
    shown = "; ".join(words[:SHOWN_MAX])
    return shown if len(words) <= SHOWN_MAX else f"{shown}; and {len(words) - SHOWN_MAX} more"
