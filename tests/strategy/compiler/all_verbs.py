"""A strategy that asks and says everything it can, a little at a time; both speeds must agree on all of it."""

from openbell import State, Strategy, array, param
from openbell.strategy import Array
from openbell.types import OrderState, Side, Tif, TradingState, Type

EVERY_NS = 50_000_000
TIMER = 7


class Seen(State):
    """What was heard."""

    orders: int
    fills: int
    accepted: int
    trades: int
    statuses: int
    volume: int
    worth: float

    def add(self, px, qty):
        """One more execution."""
        self.fills += 1
        self.volume += qty
        self.worth += px * float(qty) / 1e4


class AllVerbs(Strategy):
    """Orders of both sides, replaced by cancels and new ones; timers, chance, levels, totals."""

    size: int = param(10, ge=1)
    wide: int = param(3, ge=0)
    seen: Seen = Seen()
    turns: int
    asked: int
    sum_of_levels: int
    luck: float
    money: int
    last: Array = array(int, 4)
    is_open: bool

    def on_start(self, ctx):
        """Arms the first timer."""
        ctx.set_timer(TIMER, ctx.now_ns + EVERY_NS)

    def on_status(self, ctx, status):
        """Counts what trades."""
        if status.type == Type.STATUS and status.ref == int(TradingState.TRADING):
            self.seen.statuses += 1

    def on_trade(self, ctx, trade):
        """Remembers the last prints."""
        self.seen.trades += 1
        self.last[self.seen.trades % len(self.last)] = trade.px
        if trade.resting_side == Side.BUY and trade.is_printable:
            self.asked += trade.qty

    def on_order(self, ctx, report):
        """Counts what the venue takes."""
        self.seen.orders += 1
        if report.type == Type.ACCEPTED:
            self.seen.accepted += report.version + 1

    def on_fill(self, ctx, fill):
        """Keeps the books."""
        self.seen.add(fill.last_px, fill.last_qty)
        if fill.side == Side.SELL and fill.leaves_qty == 0:
            self.money = ctx.realized + ctx.unrealized - ctx.fees + ctx.day_result - ctx.drawdown

    def on_timer(self, ctx, timer_id):
        """Everything stops for a moment now and then."""
        assert timer_id == TIMER, "another timer"
        if ctx.random() < 0.2:
            ctx.cancel_all()
        ctx.set_timer(timer_id, deadline_ns=ctx.now_ns + EVERY_NS)

    def on_book(self, ctx, book):
        """One order a side, away from the touch; the oldest ones go."""
        self.turns += 1
        if not book.is_valid or book.trading != TradingState.TRADING or book.bid_px == 0 or book.ask_px == 0:
            return
        self.is_open = True
        if self.turns % 16:
            return
        for level in range(3):
            self.sum_of_levels += book.level_px(Side.BUY, level) % 1000 + book.level_qty(Side.SELL, level=level) % 1000
        for instrument in ctx.instruments:
            other = ctx.book(instrument)
            self.sum_of_levels += other.tick * len(ctx.instruments) + ctx.instruments[-1]
        live = 0
        for order in ctx.orders():
            if order.state == OrderState.NEW or order.leaves_qty < order.qty:
                live += 1
                if live > 3 and order.instrument == book.instrument:
                    ctx.cancel(order.cl_ord_id)
        self.luck += ctx.random()
        side = Side.BUY if ctx.position(ctx.instrument("OBEL")) <= 0 else Side.SELL
        away = self.wide * book.tick if self.luck - self.luck // 1.0 < 0.5 else 0
        px = book.bid_px - away if side == Side.BUY else book.ask_px + away
        tif = Tif.DAY if live < 8 else Tif.IOC
        if len(ctx.orders()) < 12:
            self.asked ^= ctx.order(book.instrument, side, px, self.size, tif=tif, tag=self.turns)
