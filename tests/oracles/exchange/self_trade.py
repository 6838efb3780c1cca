"""Self-trade prevention: what happens instead of a trade between orders of one group."""

from oracles.exchange.book import needs_refresh, refresh
from oracles.exchange.orders import Market, Order
from oracles.exchange.terms import Cause, SelfTrade


def is_own(order: Order, resting: Order) -> bool:
    """Whether the arriving order may not trade with this one; its mode decides."""
    terms = order.terms
    return terms.self_trade != SelfTrade.ALLOW and terms.group != 0 and terms.group == resting.terms.group


def prevent(market: Market, order: Order, resting: Order) -> None:
    """Do what the arriving order's mode says; the resting one is told first."""
    mode = order.terms.self_trade
    prevented = min(order.leaves, resting.slice or resting.leaves)
    if mode in (SelfTrade.CANCEL_OLDEST, SelfTrade.CANCEL_BOTH):
        take_resting(market, resting, resting.leaves, resting.slice, prevented)
    if mode in (SelfTrade.CANCEL_NEWEST, SelfTrade.CANCEL_BOTH):
        take_arriving(market, order, order.leaves, prevented, resting.px)
    if mode == SelfTrade.DECREMENT:
        take_resting(market, resting, prevented, prevented if resting.slice else 0, prevented)
        take_arriving(market, order, prevented, prevented, resting.px)
        if resting.leaves and needs_refresh(resting):
            refresh(market, resting)


def take_resting(market: Market, resting: Order, qty: int, slice_qty: int, prevented: int) -> None:
    resting.take(qty, slice_qty)
    market.tell(
        "reduced",
        resting,
        cause=Cause.SELF_MATCH,
        shown=resting.shown,
        px=resting.px,
        qty=qty,
        shown_qty=slice_qty,
        leaves=resting.leaves,
        prevented_qty=prevented,
    )
    if resting.leaves == 0:
        market.remove(resting)


def take_arriving(market: Market, order: Order, qty: int, prevented: int, px: int) -> None:
    order.take(qty, 0)
    market.tell(
        "discarded",
        order,
        cause=Cause.SELF_MATCH,
        px=px,
        qty=qty,
        leaves=order.leaves,
        prevented_qty=prevented,
    )
    if order.leaves == 0:
        market.remove(order)
