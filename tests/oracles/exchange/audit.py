"""What must hold between two inputs, whatever they were: the oracle's own books in order."""

from collections.abc import Iterator

from oracles.exchange.orders import Market, Order, Where, reaches
from oracles.exchange.terms import Side


def faults(market: Market) -> Iterator[str]:
    """Whatever is not in order, in words."""
    for order in market.orders:
        if not 0 <= order.slice <= order.leaves or order.leaves == 0:
            yield f"order {order.ref} shows {order.slice} of {order.leaves}"
        if order.where in (Where.ARRIVING, Where.ELECTED):
            yield f"order {order.ref} is still {order.where}"
        if (order.slice > 0) != (order.where == Where.BOOK and order.terms.shown_at_a_time != 0):
            yield f"order {order.ref} is {order.where} and shows {order.slice}"
    if market.is_continuous:
        yield from faults_of_trading(market)


def faults_of_trading(market: Market) -> Iterator[str]:
    """In continuous trading all is told, within the bands, and crossed only because of a minimum."""
    bids, asks = market.queue(Side.BUY), market.queue(Side.SELL)
    for order in (*bids, *asks):
        if not order.is_told:
            yield f"order {order.ref} rests untold"
        if market.within_bands(order.side, order.px) != order.px:
            yield f"order {order.ref} rests at {order.px}, beyond {market.lower} to {market.upper}"
    for bid in bids:
        yield from (f"orders {bid.ref} and {ask.ref} stand crossed" for ask in asks if could_trade(bid, ask))


def could_trade(bid: Order, ask: Order) -> bool:
    return reaches(Side.BUY, bid.px, ask.px) and not bid.terms.min_qty and not ask.terms.min_qty
