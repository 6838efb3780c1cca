"""One order's way in continuous trading: what it may trade with, what it trades, what becomes of the rest."""

from dataclasses import replace

from oracles.exchange.book import discard, join, needs_refresh, refresh, tell_rested
from oracles.exchange.minimums import finds_its_minimum
from oracles.exchange.orders import Market, Order, Where, opposite, reaches
from oracles.exchange.self_trade import is_own, prevent
from oracles.exchange.sharing import shares
from oracles.exchange.stops import elect
from oracles.exchange.terms import MARKET_PX, Cause, PostOnly, Side, Type


def arrive(market: Market, order: Order, *, is_new_to_book: bool = True) -> None:
    """Match the order, then let it rest or end. A peg that only moved does not tell that it rests."""
    order.where = Where.ARRIVING
    if order.terms.type == Type.MARKET_TO_LIMIT and not take_limit_from_book(market, order):
        discard(market, order, Cause.IMMEDIATE_OR_CANCEL)
        return
    if order.px != MARKET_PX:
        order.px = market.within_bands(order.side, order.px)
    if order.terms.post_only != PostOnly.NO and not stays_passive(market, order):
        discard(market, order, Cause.POST_ONLY)
        return
    bound = worst_px(market, order)
    has_minimum = finds_its_minimum(market, order, bound)
    if has_minimum:
        match(market, order, bound)
    if order.leaves:
        settle_rest(market, order, bound, has_minimum, is_new_to_book)


def take_limit_from_book(market: Market, order: Order) -> bool:
    """Make a market-to-limit order a limit order; False: nobody is there."""
    order.px = market.best_displayed(opposite(order.side))
    order.terms = replace(order.terms, type=Type.LIMIT, px=order.px)
    return order.px != 0


def stays_passive(market: Market, order: Order) -> bool:
    """Whether a post-only order may enter; one that slides has done so. Every opposite order counts."""
    against = market.queue(opposite(order.side))
    if not against or not reaches(order.side, order.px, against[0].px):
        return True
    if order.terms.post_only == PostOnly.REJECT:
        return False
    order.px = market.rules.one_tick_short(order.side, against[0].px)
    return order.px > 0


def worst_px(market: Market, order: Order) -> int:
    """The worst price the order may trade at: its limit; of a market order the nearer of collar and band."""
    if order.px != MARKET_PX:
        return order.px
    collar = collar_px(market, order.side)
    if order.side == Side.BUY:
        return min(px for px in (collar, market.upper, MARKET_PX) if px)
    worst = max(collar, market.lower)
    return worst or MARKET_PX


def collar_px(market: Market, side: Side) -> int:
    """The market collar of an order that arrives now, 0: none."""
    from_px = market.best_displayed(opposite(side)) or market.reference
    bps = market.rules.market_collar_bps
    if not from_px or not bps:
        return 0
    if side == Side.BUY:
        return market.rules.rounded_down(from_px * (10_000 + bps) // 10_000)
    return market.rules.rounded_up(-(-from_px * (10_000 - bps) // 10_000))


def match(market: Market, order: Order, bound: int) -> None:
    """Trade with one opposite order, or one shared level, after the other, until no one is left to trade with."""
    while order.leaves:
        first = next((o for o in market.queue(opposite(order.side)) if o.minimum <= order.leaves), None)
        if first is None or not reaches(order.side, bound, first.px):
            return
        if market.rules.is_pro_rata and first.slice:
            match_level(market, order, first.px)
        elif is_own(order, first):
            prevent(market, order, first)
        else:
            execute(market, first, order, min(order.leaves, first.slice or first.leaves))


def match_level(market: Market, order: Order, px: int) -> None:
    """Pro-rata: own orders are dealt with before anything is shared."""
    level = [o for o in market.queue(opposite(order.side)) if o.px == px and o.slice]
    own = next((o for o in level if is_own(order, o)), None)
    if own is not None:
        prevent(market, order, own)
        return
    for resting, qty in shares(market.rules, level, order.leaves):
        execute(market, resting, order, qty)


def execute(market: Market, resting: Order, order: Order, qty: int) -> None:
    resting.take(qty, qty if resting.slice else 0)
    order.take(qty, 0)
    market.tell(
        "executed",
        resting,
        shown=resting.shown,
        aggressor=order.ref,
        aggressor_account=order.account,
        aggressor_tag=order.tag,
        match_number=market.counters.next_match(),
        px=resting.px,
        qty=qty,
        leaves=resting.leaves,
        aggressor_leaves=order.leaves,
    )
    for filled in (resting, order):
        if filled.leaves == 0:
            market.remove(filled)
    if needs_refresh(resting) and resting.leaves:
        refresh(market, resting)
    market.last_px = resting.px
    elect(market, resting.px)


def settle_rest(market: Market, order: Order, bound: int, has_minimum: bool, is_new_to_book: bool) -> None:
    """Let what is left rest, or cancel it."""
    if order.terms.may_rest:
        join(market, order)
        if is_new_to_book:
            tell_rested(market, order)
        return
    against = market.queue(opposite(order.side))
    is_collared = has_minimum and any(not reaches(order.side, bound, o.px) for o in against)
    is_market = order.px == MARKET_PX
    discard(market, order, Cause.COLLAR if is_market and is_collared else Cause.IMMEDIATE_OR_CANCEL)
