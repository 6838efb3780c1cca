"""Price bands: what a change of them moves."""

from oracles.exchange.book import move_to_back
from oracles.exchange.orders import Market, Order, Where
from oracles.exchange.terms import Type


def change(market: Market, lower: int, upper: int) -> None:
    """Move the limits that lie beyond to the band, oldest first; pegs are evaluated afterwards."""
    market.lower, market.upper = lower, upper
    for order in market.orders:
        band = market.within_bands(order.side, order.px)
        if order.where == Where.BOOK and order.terms.type != Type.PEGGED and band != order.px:
            move_to_band(market, order, band)
    market.pegs_are_due = True


def move_to_band(market: Market, order: Order, band: int) -> None:
    prev_px, prev_shown = order.px, order.shown
    order.px = band
    move_to_back(market, order)
    if order.shown:
        order.shown = market.counters.next_ref()
    market.tell(
        "repriced",
        order,
        px=band,
        prev_px=prev_px,
        qty=order.public_qty,
        shown=order.shown,
        prev_shown=prev_shown,
        leaves=order.leaves,
    )
