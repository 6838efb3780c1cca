"""Where a new order goes, and what every input causes."""

from dataclasses import replace

from oracles.exchange.arrival import arrive
from oracles.exchange.book import join
from oracles.exchange.orders import Market, Order, Where
from oracles.exchange.pegs import enter_peg, evaluate
from oracles.exchange.stops import is_met
from oracles.exchange.terms import Tif, Type


def enter(market: Market, order: Order) -> None:
    """Send a new order where it belongs: it waits, joins a call, or arrives."""
    terms = order.terms
    if terms.is_stop:
        order.where = Where.STOPPED
        if market.is_continuous and market.last_px and is_met(order, market.last_px):
            trigger(market, order)
    elif terms.type == Type.PEGGED:
        enter_peg(market, order)
    elif terms.tif in (Tif.AT_OPEN, Tif.AT_CLOSE) or (market.phase.is_call and terms.type == Type.MARKET):
        order.where = Where.CALLED
        order.time = market.counters.next_time()
    elif market.phase.is_call:
        order.px = market.within_bands(order.side, order.px)
        join(market, order)
    else:
        arrive(market, order)


def trigger(market: Market, order: Order) -> None:
    """A stop enters, as a market or limit order from now on."""
    has_limit = order.terms.type == Type.STOP_LIMIT
    order.terms = replace(order.terms, type=Type.LIMIT if has_limit else Type.MARKET)
    market.tell("triggered", order, px=order.px, leaves=order.leaves)
    arrive(market, order)


def settle(market: Market) -> None:
    """What an input has caused: pegs first, then one elected stop, until nothing is left to do."""
    while True:
        if market.pegs_are_due or market.touch() != market.evaluated:
            evaluate(market)
        elif market.elected:
            trigger(market, market.elected.pop(0))
        else:
            return
