"""What a venue confirms, against what it was asked for: as much or less, at that price or a better one.

More, or a worse price, is an incident. What the venue says counts all the same, because it may execute it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracles.positions import PX_MAX, QTY_MAX

if TYPE_CHECKING:
    from oracles.oms import Order

DONE, BEYOND_ASKED = "DONE", "BEYOND_ASKED"
INCIDENTS = ("OVERFILL", BEYOND_ASKED)


def has_terms(r: dict[str, int]) -> bool:
    """The report's quantity and price can be; a price of 0 is not told."""
    return 0 <= r["leaves_qty"] <= QTY_MAX and 0 <= r["px"] <= PX_MAX


def compared(order: Order, r: dict[str, int], qty: int, px: int) -> str:
    """`qty` and `px`: what was asked to be open, and at what price. The order remembers what was wrong."""
    is_more = r["leaves_qty"] > max(0, qty)
    is_worse = r["px"] != 0 and (r["px"] > px if order.side == 1 else r["px"] < px)
    order.overfilled |= is_more
    order.worse_px |= is_worse
    return BEYOND_ASKED if is_more or is_worse else DONE


def compared_late(order: Order, r: dict[str, int], since: int) -> str:
    """A fill has confirmed it before. `since`: how much of what the report leaves was certainly executed since then."""
    asked_px, kind = order.px, compared(order, r, order.qty, order.px)
    if order.ended is None and r["leaves_qty"] > order.qty:
        order.leaves = max(order.leaves, r["leaves_qty"] - since)
    if order.ended is None and kind == BEYOND_ASKED and r["px"]:
        order.px = max(asked_px, r["px"]) if order.side == 1 else min(asked_px, r["px"])
    return kind


def replaced_before(order: Order, r: dict[str, int]) -> str:
    """A second copy of a Replaced; or the first, after a fill that has told of it."""
    is_first = r["version"] == order.version and not order.leaves_told and has_terms(r)
    if not is_first or compared_late(order, r, 0) == DONE:
        return "DUPLICATE"
    order.leaves_told = True
    return BEYOND_ASKED
