"""A future against its spot: sell the dear one, buy the cheap one, hold until they agree.

Cash and carry: J. Hull, Options, Futures and Other Derivatives, chapter 5: a future is worth F = S e^(r T). The band
around it that costs and limits of arbitrageurs leave open, and that the basis returns within: D. Brennan, E. Schwartz,
Arbitrage in stock index futures, Journal of Business 63 (1990).

Expect: nothing inside the band; outside it both legs, one lot of spot for each lot of the future, until the basis is
back at fair or the future ends. It earns the distance less four half spreads.
"""

from openbell import Context, math, param
from openbell.strategy.legs import Leg
from openbell.strategy.taking import Taker, clip_of, is_open, is_working, take

MILLISECOND = 1_000_000
YEAR_S = 365.0 * 86_400.0


class Basis(Taker):
    """Two instruments: spot and future, the same quantity of both."""

    NEEDS = 2

    future: int = param(1, ge=0, le=1, doc="which is the future, counted in the order the feed announces them")
    rate: float = param(0.0, ge=-1.0, le=1.0, unit="1/year", doc="r: financing less what holding the spot pays")
    expiry_s: int = param(0, ge=0, le=10_000_000_000, unit="s", doc="Unix time of the future's end; 0: it has none")
    last_s: int = param(3_600, ge=0, le=31_536_000, unit="s", doc="before the end: everything is closed by then")
    entry_bps: float = param(10.0, ge=0.1, le=10_000.0, unit="bps", doc="distance from fair from which it pays")
    exit_bps: float = param(0.0, ge=-10_000.0, le=10_000.0, unit="bps", doc="distance at which both legs are closed")
    chase_bps: float = param(2.0, ge=0.0, le=10_000.0, unit="bps", doc="the spot may cost so much more, at first")
    limit_ms: int = param(500, ge=1, le=3_600_000, unit="ms", doc="then the spot is traded at any price")
    position_max: int = param(1_000, ge=1, le=10_000_000, unit="lots", doc="most to hold of the future, either way")

    spot_px: int = 0  # what the spot was to cost when the future was traded
    trades: int = 0  # of the future
    leg: Leg = Leg()

    def step(self, ctx: Context) -> None:
        """Hedge what is not, then look at the basis."""
        future, spot = ctx.instruments[self.future], ctx.instruments[1 - self.future]
        net = ctx.position(future) + ctx.position(spot)
        chase = int(float(self.spot_px) * self.chase_bps * 1e-4)
        worst_px = self.spot_px + chase if net < 0 else max(1, self.spot_px - chase)
        if not self.leg.settle(ctx, 0, spot, -net, worst_px, future, -net, self.limit_ms * MILLISECOND):
            self.look(ctx, future, spot)

    def look(self, ctx: Context, future: int, spot: int) -> None:
        """Trade the future where it is far from fair, and back where it is not any more."""
        theirs, ours = ctx.book(future), ctx.book(spot)
        if not is_open(theirs) or not is_open(ours) or is_working(ctx, future) or is_working(ctx, spot):
            return
        left_s = float(self.expiry_s) - float(ctx.now_ns) * 1e-9 if self.expiry_s > 0 else 0.0
        is_last = self.expiry_s > 0 and left_s <= float(self.last_s)
        carry = math.exp(self.rate * max(0.0, left_s) / YEAR_S)
        # what selling the future and buying the spot earns now, and the other way round, in bps of fair
        sell_bps = (float(theirs.bid_px) / (float(ours.ask_px) * carry) - 1.0) * 1e4
        buy_bps = (1.0 - float(theirs.ask_px) / (float(ours.bid_px) * carry)) * 1e4
        held = ctx.position(future)
        sell_max = clip_of(min(self.size, theirs.bid_qty, ours.ask_qty), self.position_max + held, theirs.lot)
        buy_max = clip_of(min(self.size, theirs.ask_qty, ours.bid_qty), self.position_max - held, theirs.lot)
        if held < 0 and (is_last or buy_bps >= -self.exit_bps):
            self.trade(ctx, future, min(buy_max, -held), ours.bid_px)
        elif held > 0 and (is_last or sell_bps >= -self.exit_bps):
            self.trade(ctx, future, -min(sell_max, held), ours.ask_px)
        elif not is_last and sell_bps >= self.entry_bps:
            self.trade(ctx, future, -sell_max, ours.ask_px)
        elif not is_last and buy_bps >= self.entry_bps:
            self.trade(ctx, future, buy_max, ours.bid_px)

    def trade(self, ctx: Context, future: int, qty: int, spot_px: int) -> None:
        """The first leg."""
        if take(ctx, future, qty) != 0:
            self.pause(ctx)
            self.spot_px = spot_px
            self.trades += 1
