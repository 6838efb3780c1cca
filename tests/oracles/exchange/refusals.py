"""Whether an order or a replace is taken: the table of the rule book, line by line."""

from collections.abc import Iterator

from oracles.exchange.orders import Market
from oracles.exchange.terms import PX_MAX, WHOLE, Peg, Phase, PostOnly, Refusal, Side, Terms, Tif, Type


def refusal_of(market: Market, side: Side, terms: Terms) -> Refusal:
    """The first reason that applies."""
    return next(reasons(market, side, terms), Refusal.NONE)


def reasons(market: Market, side: Side, terms: Terms) -> Iterator[Refusal]:
    """Every reason that applies, in the order of the table."""
    rules = market.rules
    if market.phase == Phase.CLOSED:
        yield Refusal.CLOSED
    if market.phase == Phase.HALTED:
        yield Refusal.HALTED
    if not is_of_this_phase(market, terms):
        yield Refusal.PHASE_NOT_ALLOWED
    if (terms.type == Type.PEGGED) != (terms.peg != Peg.NONE):
        yield Refusal.TYPE
    if terms.tif in (Tif.AT_OPEN, Tif.AT_CLOSE) and not is_plain(terms):
        yield Refusal.TIME_IN_FORCE
    if terms.has_limit and not 0 < terms.px <= PX_MAX:
        yield Refusal.PRICE
    if terms.has_limit and not rules.is_on_tick(terms.px):
        yield Refusal.TICK
    if terms.has_limit and is_beyond_collar(market, side, terms.px):
        yield Refusal.PRICE_COLLAR
    if terms.qty <= 0 or terms.qty % rules.lot:
        yield Refusal.QTY
    if terms.qty > rules.qty_max:
        yield Refusal.QTY_MAX
    if terms.shown_at_a_time < WHOLE or terms.shown_at_a_time > terms.qty:
        yield Refusal.DISPLAY
    if not 0 <= terms.min_qty <= terms.qty or (terms.min_qty and terms.may_rest and terms.shown_at_a_time != 0):
        yield Refusal.MIN_QTY
    if not post_only_makes_sense(terms):
        yield Refusal.POST_ONLY
    if terms.is_stop and (terms.stop_px <= 0 or not rules.is_on_tick(terms.stop_px)):
        yield Refusal.STOP_PRICE
    if terms.peg == Peg.MID and terms.peg_offset > 0:
        yield Refusal.PEG


def is_of_this_phase(market: Market, terms: Terms) -> bool:
    if market.phase.is_call and (terms.is_immediate or terms.type == Type.MARKET_TO_LIMIT):
        return False
    if terms.tif == Tif.AT_OPEN:
        return market.phase == Phase.OPENING_CALL
    return terms.tif != Tif.AT_CLOSE or not market.closing_is_over


def is_plain(terms: Terms) -> bool:
    """Whether an order may wait for an auction of its own."""
    return terms.type in (Type.LIMIT, Type.MARKET) and terms.display == WHOLE and terms.min_qty == 0


def is_beyond_collar(market: Market, side: Side, px: int) -> bool:
    reference, bps = market.reference, market.rules.limit_collar_bps
    through = px - reference if side == Side.BUY else reference - px
    return bool(reference and bps) and through * 10_000 > reference * bps


def post_only_makes_sense(terms: Terms) -> bool:
    if terms.post_only == PostOnly.NO:
        return True
    if terms.type == Type.PEGGED and terms.post_only == PostOnly.SLIDE:
        return False
    return not terms.is_immediate and terms.type not in (Type.MARKET, Type.STOP, Type.MARKET_TO_LIMIT)
