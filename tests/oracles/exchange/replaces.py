"""Replace: who keeps the place, and what happens to those who do not."""

from oracles.exchange.book import join, lose
from oracles.exchange.entry import enter
from oracles.exchange.orders import Market, Order, Where, opposite, reaches
from oracles.exchange.terms import WHOLE, Priority, Terms, Tif, Type


def keeps_place(old: Order, terms: Terms) -> bool:
    """Whether a replace leaves the order where it is."""
    if not terms.keeps_place or old.where != Where.BOOK or not terms.may_rest:
        return False
    if terms.tif in (Tif.AT_OPEN, Tif.AT_CLOSE) or terms.qty > old.leaves:
        return False
    if (terms.shown_at_a_time, terms.min_qty) != (old.terms.shown_at_a_time, old.terms.min_qty):
        return False
    if terms.type == Type.PEGGED:
        return (terms.limit, terms.peg_offset) == (old.terms.limit, old.terms.peg_offset)
    return terms.px == old.px


def keep(market: Market, order: Order, terms: Terms, tag: int) -> None:
    qty = order.leaves - terms.qty
    shown_qty = lose(order, qty)
    order.terms, order.tag = terms, tag
    market.tell(
        "replaced",
        order,
        prev=order.ref,
        prev_shown=order.shown,
        shown=order.shown,
        px=order.px,
        qty=qty,
        shown_qty=shown_qty if order.shown else 0,
        leaves=order.leaves,
        priority=Priority.KEPT,
    )


def reenter(market: Market, old: Order, new: Order) -> None:
    """A cancel and a new order in one step."""
    market.remove(old)
    is_lost = loses_place_quietly(market, old, new)
    market.tell(
        "replaced",
        new,
        prev=old.ref,
        prev_shown=old.shown,
        shown=new.ref if is_lost else 0,
        px=new.px,
        leaves=new.leaves,
        priority=Priority.LOST if is_lost else Priority.REENTERED,
    )
    if is_lost:
        join(market, new)
        new.shown, new.is_told = new.ref, True
    else:
        enter(market, new)


def loses_place_quietly(market: Market, old: Order, new: Order) -> bool:
    """Whether a displayed order only goes to the back of a level: public before and after, and no trade between."""
    if not market.is_continuous or not old.shown or new.terms.type != Type.LIMIT or not new.terms.may_rest:
        return False
    if new.terms.tif in (Tif.AT_OPEN, Tif.AT_CLOSE) or (old.terms.display, new.terms.display) != (WHOLE, WHOLE):
        return False
    if market.within_bands(new.side, new.px) != new.px:
        return False
    return not any(reaches(new.side, new.px, o.px) for o in market.queue(opposite(new.side)))
