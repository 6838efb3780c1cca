"""A grid: buys a clip at each step down, sells it again one step up, and the other way round.

Folklore rather than a paper; what it is worth is that of a straddle sold: D. Taranto, S. Khan, Gambler's ruin problem
and bi-directional grid constrained trading and investment strategies, Investment Management and Financial Innovations
17 (2020). A process that returns pays a step for every clip that goes round; one that does not fills every level and
goes on: there the grid closes with a loss and begins again around the new price.

Expect: many small gains, and now and then `levels` clips lost at once.
"""

from openbell import BookView, Context, Report, Strategy, param
from openbell.strategy.taking import Closing, close, is_open
from openbell.types import Side

NOWHERE = -(1 << 40)


class Grid(Strategy):
    """Resting orders at centre +- i steps. What should rest follows from the position alone: nothing is kept by id.

    Holding n clips (bought at levels -1 to -n) it buys at -n - 1 and below, and sells at 1 - n and above.
    """

    step_ticks: int = param(5, ge=1, le=100_000, unit="ticks", doc="between two levels")
    levels: int = param(4, ge=1, le=8, doc="on each side of the centre")
    stop_steps: int = param(3, ge=1, le=1_000, unit="steps", doc="beyond the last level: then close and begin again")
    size: int = param(100, ge=1, le=1_000_000, unit="lots", doc="a clip, of each level")

    centre: int = 0  # price; 0: none yet
    zone: int = 0  # the step that the mid was in when the grid was set
    is_leaving: bool = False  # closing, to begin again
    rounds: int = 0  # times it began again
    seq: int = 0  # of the frame it last gave orders in
    closing: Closing = Closing()

    def on_start(self, ctx: Context) -> None:
        """A new day: around another price if nothing is held."""
        self.closing.reset()
        ctx.cancel_all()
        self.is_leaving = False
        self.zone = NOWHERE
        if len(ctx.instruments) == 0 or ctx.position(ctx.instruments[0]) == 0:
            self.centre = 0

    def on_book(self, ctx: Context, book: BookView) -> None:
        """Another step: levels may be free that would have traded at once."""
        if self.closing.go_on(ctx, self.size) or not is_open(book):
            return
        if self.centre == 0:
            self.centre = (book.bid_px + book.ask_px) // (2 * book.tick) * book.tick
        zone = (book.bid_px + book.ask_px - 2 * self.centre) // (2 * self.step_ticks * book.tick)
        if zone != self.zone or self.is_leaving:
            self.zone = zone
            self.work(ctx, book.instrument)

    def on_order(self, ctx: Context, report: Report) -> None:
        """A level may be free. What did not close waits for another book: at once it would meet the same."""
        if not self.closing.go_on(ctx, self.size) and not self.is_leaving:
            self.work(ctx, report.instrument)

    def on_fill(self, ctx: Context, fill: Report) -> None:
        """The level one step back is due."""
        if not self.closing.go_on(ctx, self.size):
            self.work(ctx, fill.instrument)

    def on_stop(self, ctx: Context) -> None:
        """Pull everything and close what is held."""
        self.closing.begin(ctx, self.size)

    def work(self, ctx: Context, instrument: int) -> None:
        """Once a frame: leave, or set the grid."""
        if self.seq == ctx.seq or self.centre == 0:
            return
        self.seq = ctx.seq
        if abs(self.zone) > self.levels + self.stop_steps and self.zone != NOWHERE and not self.is_leaving:
            self.is_leaving = True
            ctx.cancel_all()
        if self.is_leaving:
            self.leave(ctx, instrument)
        elif is_open(ctx.book(instrument)):
            self.set_grid(ctx, instrument)

    def leave(self, ctx: Context, instrument: int) -> None:
        """Towards flat; then a new centre."""
        close(ctx, instrument, self.size)
        if ctx.position(instrument) == 0 and len(ctx.orders()) == 0:
            self.is_leaving = False
            self.centre = 0
            self.zone = NOWHERE
            self.rounds += 1

    def set_grid(self, ctx: Context, instrument: int) -> None:
        """Cancel what should not rest, then place what is missing."""
        step = self.step_ticks * ctx.book(instrument).tick
        position = ctx.position(instrument)
        for order in ctx.orders():
            if self.wanted(order.side == Side.BUY, (order.px - self.centre) // step, position) == 0:
                ctx.cancel(order.cl_ord_id)
        for level in range(-self.levels, self.levels + 1):
            px = self.centre + level * step
            self.place(ctx, instrument, True, px, self.wanted(True, level, position))
            self.place(ctx, instrument, False, px, self.wanted(False, level, position))

    def wanted(self, is_buy, level, position):
        """What should rest at a level: a clip, or what is missing of it; 0: nothing.

        On its own side level 1 opens the first clip, and level 1 - n closes the nth of the other side.
        """
        rank = -level if is_buy else level
        held = position if is_buy else -position
        return max(0, min(self.size, rank * self.size - held)) if rank <= self.levels else 0

    def place(self, ctx: Context, instrument: int, is_buy: bool, px: int, qty: int) -> None:
        """One order, unless one stands there or it would trade at once."""
        book = ctx.book(instrument)
        lots = qty // book.lot * book.lot
        crosses = px >= book.ask_px if is_buy else px <= book.bid_px
        if lots > 0 and px > 0 and not crosses and not self.is_taken(ctx, is_buy, px):
            ctx.order(instrument, Side.BUY if is_buy else Side.SELL, px, lots)

    def is_taken(self, ctx: Context, is_buy: bool, px: int):
        """Whether an order of that side stands there, or one of the other side would meet it."""
        for order in ctx.orders():
            if (order.side == Side.BUY) == is_buy:
                if order.px == px:
                    return True
            elif order.px <= px if is_buy else order.px >= px:
                return True
        return False
