"""A strategy that says every intent there is; both speeds must say the same records."""

from openbell.strategy import Strategy, param
from openbell.types import Side, Tif, Trigger


class EveryIntent(Strategy):
    """Every intent."""

    size: int = param(2, ge=1)
    stop_id: int = 0
    told: float = 0.0
    number: int = 0
    is_post: bool = True

    def on_signal(self, ctx, signal):
        self.told += signal.value
        self.number = signal.signal_id
        ctx.target(signal.instrument, int(signal.value), qty_max=self.size)

    def on_book(self, ctx, book):
        number = ctx.order(book.instrument, Side.BUY, book.bid_px, self.size, post_only=self.is_post, hidden=False)
        ctx.replace(number, book.bid_px, 3)
        ctx.order(book.instrument, Side.SELL, 0, 1, tif=Tif.IOC, collar_bps=20)
        if self.stop_id == 0:
            self.stop_id = ctx.stop(book.instrument, Side.SELL, 1, stop_px=5, px=4, trigger=Trigger.TOUCH)
        if ctx.became(self.stop_id) != 0:
            self.number += 1
        ctx.basket_open()
        ctx.order(book.instrument, Side.BUY, book.bid_px, 1)
        ctx.order(book.instrument, Side.SELL, book.ask_px, 1)
        ctx.basket_close()
        ctx.mass_cancel(book.instrument, Side.SELL)
        ctx.mass_cancel()
        ctx.target_off(book.instrument)
        ctx.parent(book.instrument, Side.BUY, 100, 1, participation_bps=500)
