"""Trend following: with the break of a channel, in a size that targets volatility.

The channel is R. Donchian's, as C. Faith, Way of the Turtle (2007) trades it: in at the extreme of `entry_bars`, out at
the opposite extreme of `exit_bars`. The size: T. Moskowitz, Y. Ooi, L. Pedersen, Time series momentum, Journal of
Financial Economics 104 (2012), section 4: capital times the target over the observed volatility.

Expect: many small losses and few large gains, none of either in prices without trends (there the costs remain);
volatility of the result near the target while in the market; turnover that `buffer` holds down.
"""

from openbell import Array, Context, array, math, param
from openbell.models import portfolio
from openbell.strategy.indicators import Ema
from openbell.strategy.taking import Taker, is_open, is_working, mid_of, take

BAR = 1
BARS_MAX = 256
YEAR_S = 252.0 * 6.5 * 3_600.0  # of trading


class Breakout(Taker):
    """One instrument, looked at once a bar."""

    bar_s: float = param(60.0, ge=0.001, le=86_400.0, unit="s", doc="length of a bar")
    entry_bars: int = param(40, ge=2, le=BARS_MAX, unit="bars", doc="channel whose break opens")
    exit_bars: int = param(20, ge=1, le=BARS_MAX, unit="bars", doc="channel whose break closes; at most entry_bars")
    volatility_span: float = param(60.0, ge=2.0, le=10_000.0, unit="bars", doc="of the average of squared returns")
    target: float = param(0.2, ge=0.001, le=5.0, unit="1/sqrt(year)", doc="volatility of the result, of capital")
    capital: float = param(100_000.0, ge=1.0, le=1e12, unit="money", doc="that the target is of")
    leverage_max: float = param(2.0, ge=0.01, le=100.0, doc="value of the position, of capital")
    buffer: float = param(0.2, ge=0.0, le=1.0, doc="change of the size, of itself, that is not worth a trade")
    position_max: int = param(1_000, ge=1, le=10_000_000, unit="lots", doc="most to hold, either way")

    mids: Array = array(float, BARS_MAX)  # a ring
    bars: int = 0
    squares: Ema = Ema(span=60.0)
    direction: int = 0
    wanted: int = 0  # lots

    def on_start(self, ctx: Context) -> None:
        """A new day; the channel stays."""
        self.closing.reset()
        self.squares.span = self.volatility_span
        ctx.set_timer(BAR, ctx.now_ns + int(self.bar_s * 1e9))

    def on_timer(self, ctx: Context, timer_id: int) -> None:
        """A bar ends."""
        ctx.set_timer(BAR, ctx.now_ns + int(self.bar_s * 1e9))
        if len(ctx.instruments) > 0 and is_open(ctx.book(ctx.instruments[0])):
            self.end_bar(ctx)
        self.go_on(ctx)

    def end_bar(self, ctx: Context) -> None:
        """Where the price stands in its channels, and what to hold."""
        book = ctx.book(ctx.instruments[0])
        mid = mid_of(book)
        if self.bars > 0:
            move = mid / self.mids[(self.bars - 1) % BARS_MAX] - 1.0
            self.squares.update(move * move)
        if self.bars >= self.entry_bars and self.squares.value > 0.0:
            self.turn(mid)
            self.resize(mid * math.pow(10.0, -float(book.px_decimals)), book.lot)
        self.mids[self.bars % BARS_MAX] = mid
        self.bars += 1

    def turn(self, mid):
        """The direction, by the channels of the bars before this one."""
        out_bars = min(self.exit_bars, self.entry_bars)
        is_long_over = self.direction > 0 and mid < self.lowest(out_bars)
        is_short_over = self.direction < 0 and mid > self.highest(out_bars)
        if mid > self.highest(self.entry_bars):
            self.direction = 1
        elif mid < self.lowest(self.entry_bars):
            self.direction = -1
        elif is_long_over or is_short_over:
            self.direction = 0

    def highest(self, count):
        """Of the last `count` bars."""
        found = self.mids[(self.bars - 1) % BARS_MAX]
        for i in range(2, count + 1):
            found = max(found, self.mids[(self.bars - i) % BARS_MAX])
        return found

    def lowest(self, count):
        """Of the last `count` bars."""
        found = self.mids[(self.bars - 1) % BARS_MAX]
        for i in range(2, count + 1):
            found = min(found, self.mids[(self.bars - i) % BARS_MAX])
        return found

    def resize(self, price, lot):
        """Lots in the direction whose volatility is the target's; small changes of size are left."""
        volatility = math.sqrt(self.squares.value * YEAR_S / self.bar_s)
        value = self.capital * portfolio.volatility_scale(self.target, volatility, self.leverage_max)
        lots = min(self.position_max, math.floor(value / price)) // lot * lot
        target = self.direction * lots
        is_turn = (target > 0) != (self.wanted > 0) or (target < 0) != (self.wanted < 0)
        if is_turn or float(abs(target - self.wanted)) > self.buffer * float(abs(self.wanted)):
            self.wanted = target

    def step(self, ctx: Context) -> None:
        """One clip towards what is wanted."""
        instrument = ctx.instruments[0]
        left = self.wanted - ctx.position(instrument)
        if left != 0 and not is_working(ctx, instrument):
            self.pause(ctx)
            take(ctx, instrument, max(-self.size, min(self.size, left)))
