"""What a caller may do, over any number of instruments."""

from dataclasses import dataclass, field, replace

from oracles.exchange import auction, bands, phases
from oracles.exchange.book import reduce
from oracles.exchange.entry import enter, settle
from oracles.exchange.events import Event
from oracles.exchange.orders import Counters, Market, Order
from oracles.exchange.refusals import refusal_of
from oracles.exchange.replaces import keep, keeps_place, reenter
from oracles.exchange.terms import Auction, Cause, Phase, Refusal, Rules, Side, Terms


@dataclass
class OracleExchange:
    """Orders are known by their reference; every answer is a refusal, and `events` collects what happened."""

    rules: list[Rules]
    orders_max: int = 1 << 20
    events: list[Event] = field(default_factory=list)
    counters: Counters = field(default_factory=Counters)
    markets: list[Market] = field(init=False)

    def __post_init__(self) -> None:
        self.markets = [Market(n, rules, self.counters, self.events) for n, rules in enumerate(self.rules)]

    def take_events(self) -> list[Event]:
        taken = self.events[:]
        self.events.clear()
        return taken

    def submit(self, instrument: int, account: int, side: Side, terms: Terms, tag: int = 0) -> Refusal:
        market = self.markets[instrument]
        refusal = refusal_of(market, side, terms)
        if refusal == Refusal.NONE and self.open_orders() >= self.orders_max:
            refusal = Refusal.FULL
        if refusal == Refusal.NONE:
            order = self.new_order(market, account, tag, side, terms)
            market.tell("accepted", order, px=order.px, leaves=order.leaves)
            enter(market, order)
            settle(market)
        return refusal

    def replace(self, ref: int, terms: Terms, tag: int = 0) -> Refusal:
        old = self.find(ref)
        if old is None:
            return Refusal.NOT_LIVE
        market = self.markets[old.instrument]
        kept = old.terms
        terms = replace(terms, type=kept.type, peg=kept.peg, group=kept.group, self_trade=kept.self_trade)
        refusal = refusal_of(market, old.side, terms)
        if refusal == Refusal.NONE:
            if keeps_place(old, terms):
                keep(market, old, terms, tag)
            else:
                reenter(market, old, self.new_order(market, old.account, tag, old.side, terms))
            settle(market)
        return refusal

    def reduce(self, ref: int, leaves: int, cause: Cause = Cause.USER) -> Refusal:
        """Leave `leaves` of an open order; 0 cancels it."""
        order = self.find(ref)
        if order is None or not 0 <= leaves < order.leaves:
            return Refusal.NOT_LIVE
        market = self.markets[order.instrument]
        reduce(market, order, order.leaves - leaves, cause)
        settle(market)
        return Refusal.NONE

    def mass_cancel(self, account: int, instrument: int | None = None, side: Side | None = None) -> int:
        """Cancel every open order of an account that fits, oldest first, and return how many."""
        fitting = [
            order
            for market in self.markets
            for order in market.orders
            if order.account == account and instrument in (None, market.number) and side in (None, order.side)
        ]
        for order in sorted(fitting, key=lambda o: o.ref):
            reduce(self.markets[order.instrument], order, order.leaves, Cause.MASS_CANCEL)
        for market in self.markets:
            settle(market)
        return len(fitting)

    def set_phase(self, instrument: int, phase: Phase, *, with_closing_auction: bool = False) -> None:
        market = self.markets[instrument]
        if phase != market.phase:
            phases.change(market, phase, with_closing_auction=with_closing_auction)
            settle(market)

    def set_bands(self, instrument: int, lower: int, upper: int) -> None:
        """Limit prices to a range, 0 and 0: to none."""
        market = self.markets[instrument]
        bands.change(market, lower, upper)
        settle(market)

    def indicative(self, instrument: int, kind: Auction) -> tuple[int, int, int]:
        return auction.indicative(self.markets[instrument], kind)

    def open_orders(self) -> int:
        return sum(len(market.orders) for market in self.markets)

    def find(self, ref: int) -> Order | None:
        return next((o for market in self.markets for o in market.orders if o.ref == ref), None)

    def new_order(self, market: Market, account: int, tag: int, side: Side, terms: Terms) -> Order:
        ref = self.counters.next_ref()
        order = Order(ref, market.number, account, tag, side, terms, px=terms.limit, leaves=terms.qty)
        market.orders.append(order)
        return order
