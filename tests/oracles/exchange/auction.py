"""Auctions: who takes part, at which price, and who trades with whom."""

from typing import NamedTuple

from oracles.exchange.book import discard, needs_refresh, refresh, tell_rested
from oracles.exchange.orders import Market, Order, Where, reaches
from oracles.exchange.terms import MARKET_PX, Auction, Cause, Side, Tif, Type
from oracles.uncross import NO_HIGHEST, OracleAuction


class Part(NamedTuple):
    """What of an order takes part: an iceberg does so twice, with its slice and with its reserve."""

    order: Order
    qty: int
    is_displayed: bool

    @property
    def rank(self) -> tuple[bool, int, bool, int]:
        px = self.order.px if self.order.side == Side.SELL else -self.order.px
        return (self.order.px != MARKET_PX, px, not self.is_displayed, self.order.time)


def parts(market: Market, auction: Auction, side: Side) -> list[Part]:
    """Everybody who takes part, first in turn first."""
    found = []
    for order in market.orders:
        if order.side != side or order.terms.min_qty or order.terms.type == Type.PEGGED:
            continue
        if order.where == Where.CALLED and waits_for(order, auction):
            found.append(Part(order, order.leaves, True))
        elif order.where == Where.BOOK:
            found += [Part(order, order.slice, True), Part(order, order.leaves - order.slice, False)]
    return sorted((part for part in found if part.qty), key=lambda part: part.rank)


def waits_for(order: Order, auction: Auction) -> bool:
    """Whether an order that waits for an auction waits for this one; market orders take the next."""
    if order.terms.tif == Tif.AT_OPEN:
        return auction == Auction.OPENING
    return order.terms.tif != Tif.AT_CLOSE or auction == Auction.CLOSING


def price(market: Market, buys: list[Part], sells: list[Part]) -> tuple[int, int, int]:
    """Price, volume and surplus, by trying every tick."""

    def limits(found: list[Part]) -> list[tuple[int, int]]:
        return [(part.order.px, part.qty) for part in found if part.order.px != MARKET_PX]

    def at_market(found: list[Part]) -> int:
        return sum(part.qty for part in found if part.order.px == MARKET_PX)

    tried = OracleAuction(
        limits(buys), limits(sells), at_market(buys), at_market(sells), market.rules.ticks, market.reference
    )
    return tried.uncross(market.lower or 1, market.upper or NO_HIGHEST)


def indicative(market: Market, auction: Auction) -> tuple[int, int, int]:
    """What the auction would do now: price, paired quantity, surplus (buys less sells)."""
    return price(market, parts(market, auction, Side.BUY), parts(market, auction, Side.SELL))


def run(market: Market, auction: Auction) -> None:
    """Uncross; then the print, what was for this auction only, and the next slices."""
    px, volume, _ = indicative(market, auction)
    if volume:
        trade(market, auction, px, volume)
        market.last_px = px
    market.tell("crossed", auction=auction, px=px if volume else 0, qty=volume)
    for order in list(market.orders):
        if order.where == Where.CALLED and waits_for(order, auction):
            discard(market, order, Cause.AUCTION_OVER)
    for order in list(market.orders):
        if needs_refresh(order):
            refresh(market, order)
    market.call_is_open = False
    if auction == Auction.CLOSING:
        market.closing_is_over = True


def trade(market: Market, auction: Auction, px: int, volume: int) -> None:
    """The first buy with the first sell, until one of them is filled, and so on."""
    buys = [part for part in parts(market, auction, Side.BUY) if reaches(Side.BUY, part.order.px, px)]
    sells = [part for part in parts(market, auction, Side.SELL) if reaches(Side.SELL, part.order.px, px)]
    while volume:
        qty = min(buys[0].qty, sells[0].qty, volume)
        execute(market, auction, buys[0], sells[0], px, qty)
        volume -= qty
        buys, sells = less(buys, qty), less(sells, qty)


def less(found: list[Part], qty: int) -> list[Part]:
    """The queue without `qty` of its first part."""
    first = found[0]._replace(qty=found[0].qty - qty)
    return [first, *found[1:]] if first.qty else found[1:]


def execute(market: Market, auction: Auction, buy: Part, sell: Part, px: int, qty: int) -> None:
    for part in (buy, sell):
        part.order.take(qty, qty if part.order.where == Where.BOOK and part.is_displayed else 0)
    market.tell(
        "executed",
        buy.order,
        shown=buy.order.shown if buy.is_displayed else 0,
        aggressor=sell.order.ref,
        aggressor_account=sell.order.account,
        aggressor_tag=sell.order.tag,
        aggressor_shown=sell.order.shown if sell.is_displayed else 0,
        auction=auction,
        match_number=market.counters.next_match(),
        px=px,
        qty=qty,
        leaves=buy.order.leaves,
        aggressor_leaves=sell.order.leaves,
    )
    for part in (buy, sell):
        if part.order.leaves == 0:
            market.remove(part.order)


def publish(market: Market) -> None:
    """After an auction: what stays and has not been told joins the feed."""
    for side in Side:
        for order in market.queue(side):
            if not order.is_told:
                tell_rested(market, order)
