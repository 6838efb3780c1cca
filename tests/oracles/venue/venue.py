"""The venue: accounts, their orders, the clock, and what the engine's events mean to whom."""

from typing import Any, Protocol

from oracles.exchange import (
    WHOLE,
    Auction,
    Cause,
    Event,
    OracleExchange,
    Peg,
    Phase,
    Priority,
    Refusal,
    Rules,
    SelfTrade,
    Side,
    Terms,
    Type,
)
from oracles.venue.feed import Feed
from oracles.venue.orders import ABOUT_NOW, REOPENING, Account, Message, Name, Order, replace
from oracles.venue.ouch42 import Ouch42
from oracles.venue.ouch50 import Ouch50

AUCTION_LETTER = {Auction.OPENING: "O", Auction.CLOSING: "C", Auction.REOPENING: "H"}
STATES = {"T": Phase.CONTINUOUS, "H": Phase.HALTED, "Q": Phase.REOPENING_CALL, "P": Phase.REOPENING_CALL}


class Door(Protocol):
    """A protocol: what messages ask, and what reports say."""

    def receive(self, venue: "OracleVenue", account: int, message: bytes) -> bool: ...
    def accepted(self, order: Order, px: int) -> Message: ...
    def replaced(self, order: Order, px: int) -> Message: ...
    def rejected(self, order: Order, why: str) -> Message: ...
    def canceled(self, order: Order, qty: int, cause: Cause) -> Message: ...
    def modified(self, order: Order) -> Message: ...
    def prevented(self, order: Order, e: Event) -> Message: ...
    def executed(self, order: Order, px: int, qty: int, liquidity: str, match: int) -> Message: ...
    def repriced(self, order: Order, e: Event) -> Message: ...
    def refreshed(self, order: Order, e: Event) -> Message | None: ...


class OracleVenue:
    """Verbs as the venue core has them; what it says stands in `reports_of(account)` and `feed.messages`."""

    def __init__(self, symbols: list[str], rules: list[Rules], *, orders_max: int, names_max: int) -> None:
        self.symbols = symbols
        self.engine = OracleExchange(rules, orders_max)
        self.feed = Feed(symbols)
        self.accounts: list[Account] = []
        self.orders: list[Order] = []
        self.names_left = names_max
        self.counters = {"duplicate_tokens": 0, "dead_orders": 0, "unsupported": 0, "malformed": 0, "tokens_full": 0}
        self.now_ns = 0
        self.is_open = False
        self.modified: Order | None = None
        self.disconnecting = False
        self.doors: dict[str, Door] = {"ouch42": Ouch42(), "ouch50": Ouch50()}

    def add_account(self, protocol: str, **settings: Any) -> None:
        self.accounts.append(Account(protocol, **settings))

    def reports_of(self, account: int) -> list[Message]:
        return self.accounts[account].reports

    # ---- verbs ---------------------------------------------------------------------------------

    def open_day(self, now_ns: int) -> None:
        self.pass_time(now_ns)
        self.is_open = True
        self.feed.say("S", event="O")
        self.feed.directory()
        for n in range(len(self.symbols)):
            self.engine.set_phase(n, Phase.CONTINUOUS)
            self.hear()
        self.feed.say("S", event="S")
        self.feed.say("S", event="Q")
        self.tell_all("S")

    def close_day(self, now_ns: int) -> None:
        self.pass_time(now_ns)
        for n in range(len(self.symbols)):
            self.engine.set_phase(n, Phase.CLOSED)
            self.hear()
        for event in "MEC":
            self.feed.say("S", event=event)
        self.tell_all("E")
        self.is_open = False

    def set_state(self, instrument: int, state: str, now_ns: int) -> None:
        self.pass_time(now_ns)
        self.feed.is_pause[instrument] = state == "P"
        self.engine.set_phase(instrument, STATES[state])
        self.hear()

    def advance(self, now_ns: int) -> None:
        if any(o.is_live and o.expires_ns is not None and o.expires_ns <= now_ns for o in self.orders):
            self.pass_time(now_ns)

    def receive(self, account: int, message: bytes, now_ns: int) -> bool:
        self.pass_time(now_ns)
        is_message = self.doors[self.accounts[account].protocol].receive(self, account, message)
        self.counters["malformed"] += not is_message
        return is_message

    def cancel_all(self, account: int, now_ns: int) -> None:
        self.pass_time(now_ns)
        self.disconnecting = True
        self.engine.mass_cancel(account)
        self.hear()
        self.disconnecting = False

    def submit_terms(self, account: int, instrument: int, side: Side, terms: Terms, now_ns: int) -> None:
        self.pass_time(now_ns)
        if self.is_open:
            order = Order(account, "", {}, instrument, "B" if side == Side.BUY else "S", terms.qty, terms)
            self.orders.append(order)
            self.submit(order)

    def reduce(self, order: Order, leaves: int, now_ns: int) -> None:
        self.pass_time(now_ns)
        self.engine.reduce(order.ref, leaves)
        self.hear()

    def reject_next(self, account: int, count: int, now_ns: int) -> None:
        self.pass_time(now_ns)
        self.accounts[account].rejects_ordered = count

    # ---- what doors ask ------------------------------------------------------------------------

    def begin(self, account: int, name: Name) -> bool:
        """Whether an order may begin under this name; it is used from now on."""
        names = self.accounts[account].names
        if name in names:
            self.counters["duplicate_tokens"] += 1
            return False
        if not self.names_left:
            self.counters["tokens_full"] += 1
            return False
        self.names_left -= 1
        names.add(name)
        return True

    def enter(self, order: Order, words: str) -> None:
        self.orders.append(order)
        account = self.accounts[order.account]
        account.orders.append(order)
        why = self.refusal_of_account(account)
        if not why and order.instrument < 0:
            why = "symbol"
        if not why and not self.is_open:
            why = Refusal.CLOSED
        why = why or words
        if not why and order.words["cross"] == "H" and self.phase(order.instrument) != REOPENING:
            why = Refusal.PHASE_NOT_ALLOWED
        if not why:
            self_trade = SelfTrade(account.self_trade)
            order.terms = replace(order.terms, group=account.group, self_trade=self_trade)
            why = self.submit(order)
        if why:
            self.tell(order.account, self.door(order).rejected(order, why))

    def replace(self, prev: Order, order: Order, words: str) -> bool:
        """Whether the new name is used from now on."""
        account = self.accounts[order.account]
        order.prev, order.cum, order.leaves = prev, prev.cum, order.qty - prev.cum
        order.terms = replace(order.terms, group=prev.terms.group, self_trade=prev.terms.self_trade)
        why = self.refusal_of_account(account) or ("" if self.is_open else Refusal.CLOSED) or words
        if not why and order.leaves <= 0:
            why = Refusal.QTY
        if not why and (order.terms.type, order.terms.peg) != (prev.terms.type, prev.terms.peg):
            why = Refusal.TYPE
        if not why:
            self.orders.append(order)
            why = self.engine.replace(prev.ref, order.terms, len(self.orders))
            why = "" if why == Refusal.NONE else why
        if not why:
            account.orders.append(order)
            self.hear()
        elif why in ABOUT_NOW:
            self.tell(order.account, self.door(order).rejected(order, why))
        else:
            account.names.remove(order.name)
            self.names_left += 1
            self.engine.reduce(prev.ref, 0)
            self.hear()
            return False
        return True

    def reduce_total(self, order: Order, total: int) -> None:
        leaves = max(0, total - order.cum)
        if leaves < order.leaves:
            order.qty = total if leaves else order.qty
            self.engine.reduce(order.ref, leaves)
            self.hear()

    def modify(self, order: Order, side: str, total: int) -> None:
        same_direction = side in "BSTE" and (side == "B") == (order.side == "B")
        if not same_direction or total > order.qty:
            self.counters["unsupported"] += 1
        elif total <= order.cum:
            self.reduce_total(order, total)
        else:
            order.side = side
            if total == order.qty:
                self.tell(order.account, self.door(order).modified(order))
            self.modified = order
            self.reduce_total(order, total)
            self.modified = None

    def mass_cancel(self, orders: list[Order]) -> None:
        for order in orders:
            self.engine.reduce(order.ref, 0, Cause.MASS_CANCEL)
            self.hear()

    def ignore(self, why: str) -> None:
        self.counters[why] += 1

    def phase(self, instrument: int) -> Phase:
        return self.engine.markets[instrument].phase

    def instrument(self, symbol: str) -> int:
        return self.symbols.index(symbol.strip()) if symbol.strip() in self.symbols else -1

    def tell(self, account: int, message: Message | None) -> None:
        if message:
            self.accounts[account].reports.append({"ts": self.now_ns, **message})

    # ---- inside --------------------------------------------------------------------------------

    def door(self, order: Order) -> Door:
        return self.doors[self.accounts[order.account].protocol]

    def tell_all(self, event: str) -> None:
        for number, account in enumerate(self.accounts):
            if account.protocol in self.doors:
                self.tell(number, {"type": "S", "event": event})

    def refusal_of_account(self, account: Account) -> str:
        if not account.may_send(self.now_ns):
            return "rate"
        if not account.is_enabled:
            return "disabled"
        if account.rejects_ordered:
            account.rejects_ordered -= 1
            return "ordered"
        return ""

    def submit(self, order: Order) -> str:
        order.leaves = order.qty
        tag = self.orders.index(order) + 1
        why = self.engine.submit(order.instrument, order.account, order.direction, order.terms, tag)
        self.hear()
        return "" if why == Refusal.NONE else why

    def pass_time(self, now_ns: int) -> None:
        """Expire what is due, oldest first, each at its time."""
        while due := [o for o in self.orders if o.is_live and o.expires_ns is not None and o.expires_ns <= now_ns]:
            first = min(due, key=lambda o: (o.expires_ns, self.orders.index(o)))
            self.now_ns = self.feed.now_ns = max(self.now_ns, first.expires_ns or 0)
            self.engine.reduce(first.ref, 0, Cause.TIMEOUT)
            self.hear()
        self.now_ns = self.feed.now_ns = max(self.now_ns, now_ns)

    # ---- what the engine says ------------------------------------------------------------------

    def hear(self) -> None:
        for event in self.engine.take_events():
            self.feed.hear(event)
            if hear := getattr(self, f"_{event.kind}", None):
                hear(event)

    def report(self, order: Order, kind: str, *details: Any) -> None:
        if self.accounts[order.account].protocol in self.doors:
            self.tell(order.account, getattr(self.door(order), kind)(order, *details))

    def _accepted(self, e: Event) -> None:
        order = self.orders[e.tag - 1]
        order.ref, order.is_live = e.order, True
        if order not in self.accounts[order.account].orders:
            self.accounts[order.account].orders.append(order)
        self.report(order, "accepted", self.told_px(order, e))

    def told_px(self, order: Order, e: Event) -> int:
        is_other = order.terms.type == Type.LIMIT and e.px != order.terms.px
        return e.px if is_other else order.words.get("px", 0)

    def _executed(self, e: Event) -> None:
        resting, aggressor = self.orders[e.tag - 1], self.orders[e.aggressor_tag - 1]
        if e.auction is not None:
            letters = AUCTION_LETTER[e.auction] * 2
        elif resting.terms.peg == Peg.MID:
            letters = "km"
        else:
            letters = "AR" if e.shown else "JR"
        self.fill(resting, e, e.leaves, letters[0])
        self.fill(aggressor, e, e.aggressor_leaves, letters[1])

    def fill(self, order: Order, e: Event, leaves: int, liquidity: str) -> None:
        order.cum += e.qty
        order.leaves = leaves
        order.is_live = leaves > 0
        self.report(order, "executed", e.px, e.qty, liquidity, e.match_number)

    def _reduced(self, e: Event) -> None:
        order = self.orders[e.tag - 1]
        order.leaves, order.is_live = e.leaves, e.leaves > 0
        cause = Cause.DISCONNECT if self.disconnecting and e.cause == Cause.MASS_CANCEL else e.cause
        if cause == Cause.SELF_MATCH:
            self.report(order, "prevented", e)
        elif order is self.modified:
            self.report(order, "modified")
        else:
            self.report(order, "canceled", e.qty, cause)

    _discarded = _reduced

    def _replaced(self, e: Event) -> None:
        order = self.orders[e.tag - 1]
        prev = order.prev
        assert prev
        order.ref, order.leaves, order.is_live, prev.is_live = e.order, e.leaves, True, False
        if e.priority == Priority.KEPT:
            assert e.order == prev.ref
        self.report(order, "replaced", self.told_px(order, e))

    def _refreshed(self, e: Event) -> None:
        if e.shown:
            self.report(self.orders[e.tag - 1], "refreshed", e)

    def _repriced(self, e: Event) -> None:
        if e.shown:
            self.report(self.orders[e.tag - 1], "repriced", e)


__all__ = ["WHOLE", "OracleVenue"]
