"""Into the book, within it, and out of it."""

from oracles.exchange.orders import Market, Order, Where, is_better
from oracles.exchange.terms import Cause


def join(market: Market, order: Order) -> None:
    """Put the order at the back of its level; nothing is told yet."""
    order.slice = order.next_slice
    move_to_back(market, order)


def move_to_back(market: Market, order: Order) -> None:
    """Put the order behind all others at its price, with the slice that it has."""
    order.where = Where.PARKED  # in no queue: it is not compared with itself
    order.is_top = order.slice > 0 and all(is_better(order.side, order.px, o.px) for o in market.displayed(order.side))
    order.where = Where.BOOK
    order.time = market.counters.next_time()


def tell_rested(market: Market, order: Order) -> None:
    order.is_told = True
    order.shown = order.ref if order.slice else 0
    market.tell("rested", order, px=order.px, qty=order.slice, shown=order.shown, leaves=order.leaves)


def refresh(market: Market, order: Order) -> None:
    """Show the next slice, at the back. What has not been told yet is told as resting after the auction."""
    order.slice = order.next_slice
    order.is_top = False
    order.time = market.counters.next_time()
    if order.is_told:
        order.shown = market.counters.next_ref()
        market.tell("refreshed", order, px=order.px, qty=order.slice, shown=order.shown, leaves=order.leaves)


def needs_refresh(order: Order) -> bool:
    return order.where == Where.BOOK and order.slice == 0 and order.next_slice > 0


def lose(order: Order, qty: int) -> int:
    """Take `qty` from the order, what is not displayed first; return how much of it was displayed."""
    slice_qty = max(0, qty - (order.leaves - order.slice)) if order.slice else 0
    order.take(qty, slice_qty)
    return slice_qty


def reduce(market: Market, order: Order, qty: int, cause: Cause) -> None:
    """Take `qty` from an open order that does not arrive."""
    public = order.shown
    lost = lose(order, qty)
    market.tell(
        "reduced", order, cause=cause, qty=qty, shown_qty=lost if public else 0, shown=public, leaves=order.leaves
    )
    if order.leaves == 0:
        market.remove(order)


def discard(market: Market, order: Order, cause: Cause) -> None:
    """End an order that may not rest."""
    qty = order.leaves
    order.take(qty, order.slice)
    market.tell("discarded", order, cause=cause, qty=qty)
    market.remove(order)
