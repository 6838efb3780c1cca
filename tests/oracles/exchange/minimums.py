"""Whether an arriving order finds its minimum: the walk over the opposite levels, before anything trades."""

from itertools import groupby

from oracles.exchange.orders import Market, Order, opposite, reaches
from oracles.exchange.self_trade import is_own
from oracles.exchange.terms import SelfTrade, Tif


def finds_its_minimum(market: Market, order: Order, bound: int) -> bool:
    """Whether at least the minimum is open on the other side; always, without one."""
    wanted = order.leaves if order.terms.tif == Tif.FOK else order.minimum
    return wanted == 0 or open_qty(market, order, bound) >= wanted


def open_qty(market: Market, order: Order, bound: int) -> int:
    """What the order would find within `bound`, by the rules of the walk."""
    found = 0
    for px, orders in groupby(market.queue(opposite(order.side)), key=lambda o: o.px):
        level = list(orders)
        if not reaches(order.side, bound, px):
            break
        if order.terms.self_trade != SelfTrade.CANCEL_OLDEST and any(is_own(order, o) for o in level):
            break
        found += sum(o.leaves for o in level if not o.terms.min_qty and not is_own(order, o))
    return found
