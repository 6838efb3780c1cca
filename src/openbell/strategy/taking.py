"""Taking what the touch shows: rounding to ticks and lots, one order at a time, and closing what is held.

Functions of plain arguments, in the compiled subset: strategies of both speeds call them. An order of theirs is IOC and
priced at the far touch, so what it does not trade is gone and nothing rests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.strategy import State, Strategy, param
from openbell.types import Side, Tif, TradingState, Type

if TYPE_CHECKING:
    from openbell._native import BookView, Context, Report

__all__ = [
    "RETRY_NS",
    "Closing",
    "Taker",
    "clip_of",
    "close",
    "is_open",
    "is_working",
    "mid_of",
    "others_ask",
    "others_bid",
    "take",
    "tick_above",
    "tick_below",
]

RETRY_NS = 10_000_000
"""After an order that found nobody, before the next: what the book shows then is news."""


def tick_below(px: int, tick: int) -> int:
    """The highest price on the tick that is not above `px`: what others show may lie between ticks."""
    return px // tick * tick


def tick_above(px: int, tick: int) -> int:
    """The lowest price on the tick that is not below `px`."""
    return -(-px // tick) * tick


def is_open(book: BookView) -> bool:
    """Whether the book can be trusted, has both sides, and its market trades."""
    return book.is_valid and book.bid_px > 0 and book.ask_px > 0 and book.trading == TradingState.TRADING


def others_bid(book: BookView) -> int:
    """The best bid that is not ours, 0 without one: what a maker must not take for the market."""
    return book.others_px(Side.BUY)


def others_ask(book: BookView) -> int:
    """The best ask that is not ours, 0 without one."""
    return book.others_px(Side.SELL)


def mid_of(book: BookView) -> float:
    """Halfway between the touches."""
    return 0.5 * float(book.bid_px + book.ask_px)


def clip_of(size: int, room: int, lot: int) -> int:
    """`size`, or what there is room for, in whole lots; never below 0."""
    return max(0, min(size, room)) // lot * lot


def is_working(ctx: Context, instrument: int) -> bool:
    """Whether an order of this strategy in the instrument may still trade; not those given in this very frame."""
    for order in ctx.orders():  # noqa: SIM110  any() is not in the compiled subset
        if order.instrument == instrument:
            return True
    return False


def take(ctx: Context, instrument: int, qty: int, worst_px: int = 0) -> int:
    """Buy `qty` at the ask, or sell -`qty` at the bid, in whole lots; returns what was asked for, signed.

    0, and no order: the book is not open, or the touch is worse than `worst_px` (0: any price).
    """
    book = ctx.book(instrument)
    if not is_open(book):
        return 0
    lots = abs(qty) // book.lot * book.lot
    px = tick_above(book.ask_px, book.tick) if qty > 0 else tick_below(book.bid_px, book.tick)
    is_worse = px > worst_px if qty > 0 else px < worst_px
    if lots == 0 or px == 0 or (worst_px > 0 and is_worse):
        return 0
    ctx.order(instrument, Side.BUY if qty > 0 else Side.SELL, px, lots, Tif.IOC)
    return lots if qty > 0 else -lots


def close(ctx: Context, instrument: int, clip: int) -> None:
    """Send at most `clip` towards flat, unless something of ours still works there."""
    held = ctx.position(instrument)
    if held != 0 and not is_working(ctx, instrument):
        take(ctx, instrument, max(-clip, min(clip, -held)))


class Closing(State):
    """The end of a strategy's day: cancel everything, then close every position, clip by clip.

    A strategy keeps one as a field, calls `begin` in `on_stop`, `reset` in `on_start`, and `go_on` first in every other
    callback, `on_order` too: it returns True while it is the end.
    """

    is_on: bool = False
    seq: int = 0  # of the frame that it last acted in: orders of one frame do not see each other

    def reset(self) -> None:
        """A new day."""
        self.is_on = False

    def begin(self, ctx: Context, clip: int) -> None:
        """From now on only towards flat."""
        self.is_on = True
        ctx.cancel_all()
        self.go_on(ctx, clip)

    def go_on(self, ctx: Context, clip: int) -> bool:
        """Whether it is the end; then one step towards flat."""
        if self.is_on and self.seq != ctx.seq:
            self.seq = ctx.seq
            for instrument in ctx.instruments:
                close(ctx, instrument, clip)
        return self.is_on


class Taker(Strategy):
    """A strategy of orders that trade at once: a step a frame, a pause after what found nobody, flat at the end.

    A subclass writes `step`, says in `NEEDS` how many instruments it must know of before, and calls `pause` after an
    order whose answer it wants to see first.
    """

    NEEDS = 1

    size: int = param(100, ge=1, le=1_000_000, unit="lots", doc="most of one order")

    seq: int = 0  # of the frame it last gave orders in
    again_ns: int = 0  # no order before
    closing: Closing = Closing()

    def on_start(self, ctx: Context) -> None:  # noqa: ARG002
        """A new day."""
        self.closing.reset()

    def on_book(self, ctx: Context, book: BookView) -> None:  # noqa: ARG002
        """A price moved."""
        self.go_on(ctx)

    def on_order(self, ctx: Context, report: Report) -> None:
        """What found nobody waits a moment: at once it would meet the same. Only the end does not wait."""
        if not self.closing.go_on(ctx, self.size) and report.type != Type.ACCEPTED:
            self.pause(ctx)

    def on_fill(self, ctx: Context, fill: Report) -> None:  # noqa: ARG002
        """What follows from it, at once."""
        self.again_ns = 0
        self.go_on(ctx)

    def on_timer(self, ctx: Context, timer_id: int) -> None:  # noqa: ARG002
        """Something has been waited for too long."""
        self.go_on(ctx)

    def on_stop(self, ctx: Context) -> None:
        """Close what is held."""
        self.closing.begin(ctx, self.size)

    def pause(self, ctx: Context) -> None:
        """No order for a moment, unless there is a fill."""
        self.again_ns = ctx.now_ns + RETRY_NS

    def go_on(self, ctx: Context) -> None:
        """Once a frame, and not in a pause: a step. At the end of the day towards flat."""
        if self.closing.go_on(ctx, self.size) or len(ctx.instruments) < self.NEEDS:
            return
        if self.seq != ctx.seq and ctx.now_ns >= self.again_ns:
            self.seq = ctx.seq
            self.step(ctx)

    def step(self, ctx: Context) -> None:
        """What it does."""
