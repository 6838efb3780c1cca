"""The same asset on two venues: buy where it is offered below the other's bid.

The law of one price, with what it costs to trade on it: M. O'Hara, M. Ye, Is market fragmentation harming market
quality?, Journal of Financial Economics 100 (2011), on how two markets of one asset stay together; E. Budish, P.
Cramton, J. Shim, The high-frequency trading arms race, Quarterly Journal of Economics 130 (2015), on how long they are
apart. One leg goes first, the other one on its fill, so the quantities always match; what is left between
them is leg risk, and it has a time limit.

Expect: no trade without an edge; long one venue and short the other until prices cross the other way; profit falls with
our latency. Venues are instruments here: two of one exchange, or of two exchanges, each with its session.
"""

from openbell import Context, Report, param
from openbell.strategy.legs import Leg
from openbell.strategy.taking import Taker, clip_of, is_open, is_working, take

MILLISECOND = 1_000_000


class CrossExchange(Taker):
    """Two instruments of one asset. The first leg trades in `lead`, counted in the order the feed announces them."""

    NEEDS = 2

    lead: int = param(0, ge=0, le=1, doc="where the first leg trades: 0 or 1; the venue that is harder to get")
    edge_ticks: int = param(2, ge=1, le=100_000, unit="ticks", doc="what a lot must earn, fees of both legs included")
    chase_ticks: int = param(1, ge=0, le=100_000, unit="ticks", doc="the second leg may cost so much more, at first")
    limit_ms: int = param(500, ge=1, le=3_600_000, unit="ms", doc="then the second leg trades at any price")
    position_max: int = param(1_000, ge=1, le=10_000_000, unit="lots", doc="most to hold on a venue, either way")

    first_px: int = 0  # of the last fill of the first leg
    trades: int = 0  # first legs sent
    leg: Leg = Leg()

    def on_fill(self, ctx: Context, fill: Report) -> None:
        """The second leg goes now."""
        if fill.instrument == ctx.instruments[self.lead]:
            self.first_px = fill.last_px
        self.again_ns = 0
        self.go_on(ctx)

    def step(self, ctx: Context) -> None:
        """Hedge what is not, then look for an edge."""
        lead, other = ctx.instruments[self.lead], ctx.instruments[1 - self.lead]
        net = ctx.position(lead) + ctx.position(other)
        chase = self.chase_ticks * ctx.book(other).tick
        worst_px = self.first_px + chase if net < 0 else max(1, self.first_px - chase)
        if not self.leg.settle(ctx, 0, other, -net, worst_px, lead, -net, self.limit_ms * MILLISECOND):
            self.look(ctx, lead, other)

    def look(self, ctx: Context, lead: int, other: int) -> None:
        """Send the first leg where both markets agree that it pays."""
        ours, theirs = ctx.book(lead), ctx.book(other)
        if not is_open(ours) or not is_open(theirs) or is_working(ctx, lead) or is_working(ctx, other):
            return
        edge = self.edge_ticks * ours.tick
        held = ctx.position(lead)
        qty = 0
        if theirs.bid_px - ours.ask_px >= edge:
            qty = clip_of(min(self.size, theirs.bid_qty, ours.ask_qty), self.position_max - held, ours.lot)
        elif ours.bid_px - theirs.ask_px >= edge:
            qty = -clip_of(min(self.size, theirs.ask_qty, ours.bid_qty), self.position_max + held, ours.lot)
        if qty != 0:
            self.first_px = ours.ask_px if qty > 0 else ours.bid_px
            self.trades += 1
            self.pause(ctx)
            take(ctx, lead, qty, self.first_px)
