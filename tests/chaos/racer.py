"""What trades while reports are lost and told in another order."""

from openbell import BookView, Context, Strategy, param
from openbell.types import Side, Tif

DEEP = 7
"""Tag of orders that are no quotes and stay when trading is halted."""


class Racer(Strategy):
    """Quotes, replaces, pulls, cancels and takes, another thing each time: all of it can race a report."""

    size: int = param(300, ge=1, unit="lots")
    max_position: int = param(1_000, ge=1, unit="lots")
    deep_max: int = param(4, ge=1)

    def on_book(self, ctx: Context, book: BookView) -> None:
        """One of these, or none."""
        if not book.is_valid or not book.bid_px or not book.ask_px:
            return
        draw = ctx.random()
        if draw < 0.3:
            self.quote(ctx, book)
        elif draw < 0.35:
            ctx.quote(book.instrument)
        elif draw < 0.4:
            self.take(ctx, book)
        elif draw < 0.5:
            self.go_deep(ctx, book)

    def quote(self, ctx: Context, book: BookView) -> None:
        """At the touch or behind it, another price and size each time."""
        qty, skew, position = (
            self.some(ctx, self.size),
            int(ctx.random() * 3) * book.tick,
            ctx.position(book.instrument),
        )
        ctx.quote(
            book.instrument,
            bid_px=book.bid_px - skew,
            bid_qty=qty if position < self.max_position else 0,
            ask_px=book.ask_px + skew,
            ask_qty=qty if position > -self.max_position else 0,
        )

    def take(self, ctx: Context, book: BookView) -> None:
        """From the touch, against the position."""
        side, px = (Side.SELL, book.bid_px) if ctx.position(book.instrument) > 0 else (Side.BUY, book.ask_px)
        ctx.order(book.instrument, side, px, self.some(ctx, self.size), Tif.IOC)

    def go_deep(self, ctx: Context, book: BookView) -> None:
        """One order more at some depth, or another place for one, or one less."""
        away = self.some(ctx, 8) * book.tick
        orders = [order for order in ctx.orders() if order.instrument == book.instrument and order.tag == DEEP]
        if len(orders) < self.deep_max:
            is_buy = ctx.random() < 0.5
            side, px = (Side.BUY, book.bid_px - away) if is_buy else (Side.SELL, book.ask_px + away)
            ctx.order(book.instrument, side, px, self.some(ctx, self.size), tag=DEEP)
            return
        order = orders[self.some(ctx, len(orders)) - 1]
        if ctx.random() < 0.3:
            ctx.cancel(order.cl_ord_id)
        else:
            px = book.bid_px - away if order.side == Side.BUY else book.ask_px + away
            ctx.replace(order.cl_ord_id, px, self.some(ctx, self.size))

    def some(self, ctx: Context, most: int) -> int:
        """From one to `most`."""
        return 1 + int(ctx.random() * most)
