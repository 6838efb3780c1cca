"""Pegs: the price each should have now, and the moves when it has another."""

from oracles.exchange.arrival import arrive
from oracles.exchange.book import discard
from oracles.exchange.orders import Market, Order, Where, opposite
from oracles.exchange.terms import Cause, Peg, Side, Type


def peg_px(market: Market, order: Order) -> int:
    """Where the peg should stand, 0: parked."""
    if not market.is_continuous:
        return 0
    side, terms = order.side, order.terms
    own, other = market.best_displayed(side), market.best_displayed(opposite(side))
    offset = terms.peg_offset if side == Side.BUY else -terms.peg_offset
    if terms.peg == Peg.MID:
        px = middle(side, own, other) + offset if own and other else 0
    else:
        base = own if terms.peg == Peg.PRIMARY else other
        px = market.rules.away_from_trading(side, base + offset) if base and base + offset > 0 else 0
        if px and other:
            px = no_nearer(side, px, market.rules.one_tick_short(side, other))
    if px <= 0:
        return 0
    return market.within_bands(side, no_nearer(side, px, terms.px) if terms.has_limit else px)


def middle(side: Side, bid_or_ask: int, other: int) -> int:
    """The middle in 1e-4, rounded away from trading."""
    both = bid_or_ask + other
    return both // 2 if side == Side.BUY else -(-both // 2)


def no_nearer(side: Side, px: int, bound: int) -> int:
    """`px`, but never closer to trading than `bound`."""
    return min(px, bound) if side == Side.BUY else max(px, bound)


def enter_peg(market: Market, order: Order) -> None:
    """A new peg: at its price, or parked."""
    order.px = peg_px(market, order)
    if order.px:
        arrive(market, order)
    elif order.terms.is_immediate:
        discard(market, order, Cause.IMMEDIATE_OR_CANCEL)
    else:
        order.where = Where.PARKED


def evaluate(market: Market) -> None:
    """Look at every peg, oldest first, each with the book that it finds."""
    market.evaluated = market.touch()
    market.pegs_are_due = False
    for order in list(market.orders):
        if order.terms.type == Type.PEGGED and order in market.orders:
            px = peg_px(market, order)
            if px != order.px:
                move(market, order, px)


def move(market: Market, order: Order, px: int) -> None:
    """Leave the place and enter anew at `px`, as an arriving order; 0: park."""
    prev_px, order.px = order.px, px
    order.where = Where.PARKED
    order.is_told = True
    market.tell("repriced", order, px=px, prev_px=prev_px, leaves=order.leaves)
    if px:
        arrive(market, order, is_new_to_book=False)
