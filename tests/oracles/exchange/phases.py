"""A change of phase, step by step."""

from oracles.exchange import auction
from oracles.exchange.book import reduce
from oracles.exchange.orders import Market
from oracles.exchange.stops import elect
from oracles.exchange.terms import AUCTION_OF, Auction, Cause, Phase, Tif


def change(market: Market, to: Phase, *, with_closing_auction: bool) -> None:
    """Auction, the change, cancels of the close, what joins the feed; stops that the last trade meets are elected."""
    due = auction_due(market, to, with_closing_auction)
    if due is not None:
        auction.run(market, due)
    if market.phase == Phase.CLOSED:
        market.closing_is_over = False
    market.phase = to
    market.call_is_open = market.call_is_open or to.is_call
    market.tell("phase_changed", phase=to)
    if to == Phase.CLOSED:
        close(market)
    if due is not None:
        auction.publish(market)
    market.pegs_are_due = True
    if market.is_continuous and market.last_px:
        elect(market, market.last_px)


def auction_due(market: Market, to: Phase, with_closing_auction: bool) -> Auction | None:
    """The auction that the change runs first."""
    if market.phase.is_call and to in (Phase.CONTINUOUS, Phase.CLOSED):
        return AUCTION_OF[market.phase]
    if market.is_continuous and to == Phase.CLOSED and with_closing_auction:
        return Auction.CLOSING
    if to == Phase.CONTINUOUS and market.call_is_open:
        return Auction.REOPENING
    return None


def close(market: Market) -> None:
    """Cancel what does not live on, oldest first."""
    for order in list(market.orders):
        if order.terms.tif not in (Tif.GTC, Tif.GTD):
            reduce(market, order, order.leaves, Cause.CLOSE)
