"""The leg that is still missing: sent when the other one filled, never left open for longer than a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.strategy.fields import State
from openbell.strategy.taking import RETRY_NS, is_working, take

if TYPE_CHECKING:
    from openbell._native import Context

__all__ = ["LEG_TIMER", "Leg"]

LEG_TIMER = 1_000
"""Id of the timer that wakes a strategy when a limit has passed; more legs have the numbers after it."""


class Leg(State):
    """How long a position has been without its hedge. A strategy calls `settle` in every callback.

    For `limit_ns` the hedge is sought at `worst_px` or better. After it at any price; and where that market is not
    open either, the leg that was filled is taken back.
    """

    since_ns: int = 0  # when the hedge was found missing; 0: it is not
    longest_ns: int = 0  # that one was missing
    tried_ns: int = 0  # when it was last sought, and how much
    tried_qty: int = 0

    def settle(
        self, ctx: Context, number: int, hedge: int, qty: int, worst_px: int, filled: int, back_qty: int, limit_ns: int
    ) -> bool:
        """One step: trade `qty` (signed) in `hedge`, or `back_qty` in `filled`. Whether something is still missing.

        Less than a lot is nothing. `number` tells several legs of a strategy apart.
        """
        if abs(qty) < ctx.book(hedge).lot:
            self.end(ctx.now_ns)
            return False
        if self.since_ns == 0:
            self.since_ns = ctx.now_ns
            ctx.set_timer(LEG_TIMER + number, ctx.now_ns + limit_ns)
        was_in_vain = qty == self.tried_qty and ctx.now_ns < self.tried_ns + RETRY_NS
        if was_in_vain or is_working(ctx, hedge):
            return True
        self.tried_ns = ctx.now_ns
        self.tried_qty = qty
        is_late = ctx.now_ns - self.since_ns >= limit_ns
        is_sent = take(ctx, hedge, qty, 0 if is_late else worst_px) != 0
        if is_late and not is_sent and not is_working(ctx, filled):
            take(ctx, filled, back_qty)
        return True

    def end(self, now_ns: int) -> None:
        """Hedged."""
        if self.since_ns > 0:
            self.longest_ns = max(self.longest_ns, now_ns - self.since_ns)
        self.since_ns = 0
        self.tried_qty = 0
