"""Stops: who is elected by a price, and in which order they wait to enter."""

from oracles.exchange.orders import Market, Order, Where
from oracles.exchange.terms import Side


def is_met(order: Order, px: int) -> bool:
    """Whether a trade at `px` elects the stop."""
    return px >= order.terms.stop_px if order.side == Side.BUY else px <= order.terms.stop_px


def elect(market: Market, px: int) -> None:
    """Queue the stops that a trade elects, oldest first."""
    for order in market.orders:
        if order.where == Where.STOPPED and is_met(order, px):
            order.where = Where.ELECTED
            market.elected.append(order)
