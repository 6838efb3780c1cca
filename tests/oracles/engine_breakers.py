"""The oracle engine's circuit breakers: what they are told, and what follows when one trips."""

from collections.abc import Callable

from openbell.types import NO_INSTRUMENT, NO_STRATEGY, ArmState, BreakNews, Type
from oracles import accounts, arming, book, breakers, oms, quoter
from oracles.asked import INCIDENTS
from oracles.engine_sessions import ROUTE_PARAMETER
from oracles.order_records import record

Fields = dict[str, int]
BREAKER_PARAMETERS = 1
FEEDS = range(16, 64)
FEED_ENDED = 1


class EngineBreakers:
    """Its state is `EngineInputs`'."""

    accounts: accounts.Accounts
    arming: arming.Arming
    oms: oms.Oms
    books: book.Books
    quoter: quoter.Quoter
    instruments: list[Fields]
    sweep_due: bool
    now: int
    heard: dict[int, int]
    out: list[bytes]
    _distrust: Callable[[], None]
    _route: Callable[[Fields], None]
    _is_valid: Callable[[int], bool]
    _mark: Callable[[tuple[int, int]], None]
    _pull_lowered: Callable[[arming.Scope], None]

    def _begin_breakers(self, strategies_max: int, instruments_max: int) -> None:
        self.ended_feeds: set[int] = set()
        self.breakers = breakers.Breakers(
            strategies_max,
            instruments_max,
            result=lambda row: self.accounts.totals(_row(row))["day"],
            drawdown=lambda row: self.accounts.totals(_row(row))["drawdown"],
            position=lambda row, instrument: self.oms.position(_row(row), instrument)["qty"],
            heard=self._heard_longest_ago,
        )

    def _heard_longest_ago(self) -> int:
        return min([self.now, *(at for s, at in self.heard.items() if s in FEEDS and s not in self.ended_feeds)])

    def _hear_of_end(self, r: Fields) -> None:
        (self.ended_feeds.add if r["code"] == FEED_ENDED else self.ended_feeds.discard)(r["source"])

    def _on_parameters(self, r: Fields, _: bytes) -> None:
        if r["source"] == ROUTE_PARAMETER:
            return self._route(r)
        if r["source"] == BREAKER_PARAMETERS and not self.breakers.set(r):
            self._distrust()
        return None

    def _on_adjustment(self, r: Fields, _: bytes) -> None:
        strategy, instrument, (qty, px, cash, _) = r["strategy"], r["instrument"], r["values"]
        if instrument >= len(self.instruments) or not self.oms.adjust(strategy, instrument, qty, px, cash):
            return
        if qty:
            self.breakers.on_moved(strategy, instrument, qty)
        self.quoter.forget_refusals()
        self._mark((strategy, instrument))
        self.sweep_due = True

    def _on_break(self, r: Fields, _: bytes) -> None:
        if r["flags"] == BreakNews.OPENED:
            self.breakers.on_break(self.now)

    def _watch_report(self, r: Fields, order: oms.Order | None, kind: str, has_ended: bool, owner: Fields) -> None:
        if kind == "UNKNOWN_ORDER" and r["type"] == Type.FILLED:
            self.breakers.on_moved(NO_STRATEGY, r["instrument"], r["last_qty"])
        if kind not in ("DONE", *INCIDENTS):
            return
        bid, bid_qty, ask, ask_qty = self.books.books[owner["instrument"]].touch()
        if not self._is_valid(owner["instrument"]):
            bid_qty = ask_qty = 0
        opposite = (ask if ask_qty else 0) if owner["side"] == 1 else (bid if bid_qty else 0)
        self.breakers.on_report(r | owner, order, has_ended, opposite, self.now)

    def _check_breakers(self) -> None:
        for b, observed in self.breakers.check(self.now):
            node_or_instrument = (NO_STRATEGY, b.instrument)
            scope = (b.strategy, NO_INSTRUMENT) if b.strategy != NO_STRATEGY else node_or_instrument
            facts = self.arming.of(scope)
            before = facts.state()
            facts.armed, facts.granted = min(facts.armed, ArmState(b.to)), None
            self._pull_lowered(scope)
            values = (b.threshold, observed, int(before), int(facts.state()))
            said = {"strategy": b.strategy, "instrument": b.instrument, "ts_event": self.now, "code": b.kind}
            self.out.append(record("Control", type=Type.TRIPPED, values=values, **said))


def _row(strategy: int) -> int | None:
    return None if strategy == NO_STRATEGY else strategy
