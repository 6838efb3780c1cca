"""Three prices of three currencies: go round when the way round is dearer than the direct one.

Y. Aiba, N. Hatano, H. Takayasu, K. Marumo, T. Shimizu, Triangular arbitrage as an interaction among foreign exchange
rates, Physica A 310 (2002): the product of the three rates and its return to one; D. Fenn et al., The mirage of
triangular arbitrage in the spot foreign exchange market, International Journal of Theoretical and Applied Finance 12
(2009): the edges are small and gone within a second, so what matters are fills of all three legs.

With A in B, B in C and A in C: A in C should be A in B times B in C. A in B, the cross, goes first; its fill leaves A
and B to be traded for C, each a leg with a time limit.

Expect: few trades, all three legs each time; positions that are not flat by instrument but nothing in A or B; they grow
until the way back pays, and are closed at the end.
"""

from openbell import Context, Report, math, param
from openbell.strategy.legs import Leg
from openbell.strategy.taking import Taker, clip_of, is_open, is_working, take
from openbell.types import Side

MILLISECOND = 1_000_000


class Triangular(Taker):
    """Three instruments, told apart by their place in the order the feed announces them."""

    NEEDS = 3

    a_in_b: int = param(0, ge=0, le=2, doc="place of the cross: A priced in B")
    b_in_c: int = param(1, ge=0, le=2, doc="place of B priced in C")
    a_in_c: int = param(2, ge=0, le=2, doc="place of A priced in C")
    edge_bps: float = param(10.0, ge=0.1, le=10_000.0, unit="bps", doc="a trip round must earn so much, fees included")
    chase_bps: float = param(3.0, ge=0.0, le=10_000.0, unit="bps", doc="the other legs may cost so much more, at first")
    limit_ms: int = param(500, ge=1, le=3_600_000, unit="ms", doc="then they trade at any price")
    position_max: int = param(500, ge=1, le=1_000_000, unit="lots", doc="most of A to have gone round, either way")

    b_paid: int = 0  # B that the cross has cost, in its price units times lots
    trips: int = 0
    b_px: int = 0  # what B and A were to cost in C when the cross was traded
    a_px: int = 0
    leg_a: Leg = Leg()
    leg_b: Leg = Leg()

    def on_fill(self, ctx: Context, fill: Report) -> None:
        """Count the B that the cross cost; the other legs go now."""
        if fill.instrument == ctx.instruments[self.a_in_b]:
            paid = fill.last_px * fill.last_qty
            self.b_paid += paid if fill.side == Side.BUY else -paid
            if ctx.position(fill.instrument) == 0:
                self.b_paid = 0
        self.again_ns = 0
        self.go_on(ctx)

    def step(self, ctx: Context) -> None:
        """Trade away A and B that are left over, then look for an edge."""
        cross, b, a = ctx.instruments[self.a_in_b], ctx.instruments[self.b_in_c], ctx.instruments[self.a_in_c]
        a_left = -ctx.position(cross) - ctx.position(a)
        b_left = self.b_owed(ctx, cross) - ctx.position(b)
        limit_ns = self.limit_ms * MILLISECOND
        is_a_open = self.leg_a.settle(ctx, 0, a, a_left, self.worst(self.a_px, a_left), cross, a_left, limit_ns)
        is_b_open = self.leg_b.settle(ctx, 1, b, b_left, self.worst(self.b_px, b_left), b, 0, limit_ns)
        if not is_a_open and not is_b_open:
            self.look(ctx, cross, b, a)

    def b_owed(self, ctx: Context, cross: int) -> int:
        """Lots of B that the cross has cost, to be bought against C."""
        return round(float(self.b_paid) * decimal(ctx.book(cross).px_decimals))

    def worst(self, px: int, qty: int) -> int:
        """The price that a leg may have at first."""
        chase = int(float(px) * self.chase_bps * 1e-4)
        return px + chase if qty > 0 else max(1, px - chase)

    def look(self, ctx: Context, cross: int, b: int, a: int) -> None:
        """Send the cross where the trip round pays."""
        ab, bc, ac = ctx.book(cross), ctx.book(b), ctx.book(a)
        if not is_open(ab) or not is_open(bc) or not is_open(ac):
            return
        if is_working(ctx, cross) or is_working(ctx, b) or is_working(ctx, a):
            return
        unit = decimal(ab.px_decimals + bc.px_decimals - ac.px_decimals)
        buy_px = float(ab.ask_px) * float(bc.ask_px) * unit  # A in C by way of B, in the units of A in C
        sell_px = float(ab.bid_px) * float(bc.bid_px) * unit
        b_per_a = max(1e-9, float(ab.bid_px) * decimal(ab.px_decimals))
        held = ctx.position(cross)
        if (float(ac.bid_px) / buy_px - 1.0) * 1e4 >= self.edge_bps:
            most = min(self.size, ab.ask_qty, ac.bid_qty, int(float(bc.ask_qty) / b_per_a))
            self.trade(ctx, cross, clip_of(most, self.position_max - held, ab.lot), bc.ask_px, ac.bid_px)
        elif (sell_px / float(ac.ask_px) - 1.0) * 1e4 >= self.edge_bps:
            most = min(self.size, ab.bid_qty, ac.ask_qty, int(float(bc.bid_qty) / b_per_a))
            self.trade(ctx, cross, -clip_of(most, self.position_max + held, ab.lot), bc.bid_px, ac.ask_px)

    def trade(self, ctx: Context, cross: int, qty: int, b_px: int, a_px: int) -> None:
        """The first leg."""
        if take(ctx, cross, qty) != 0:
            self.pause(ctx)
            self.b_px = b_px
            self.a_px = a_px
            self.trips += 1


def decimal(places: int) -> float:
    """10 to the minus `places`."""
    return math.pow(10.0, -float(places))
