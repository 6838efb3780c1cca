"""The oracle engine's first half: what the records of a frame do to books, orders and control state.

A record is a dictionary of its integer fields; a decision is a list of 128-byte records, compared whole. Strategies are
a script: records that are said if, and only if, anything happened that strategies are told of.
"""

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from openbell.types import (
    NO_INSTRUMENT,
    NO_STRATEGY,
    RECORDS,
    ArmState,
    Check,
    LimitKind,
    Reason,
    Side,
    TradingState,
    Type,
)
from oracles import accounts, book, oms, quoter, risk
from oracles.arming import NODE
from oracles.asked import INCIDENTS
from oracles.engine_arming import EngineArming
from oracles.engine_breakers import EngineBreakers
from oracles.engine_money import EngineMoney
from oracles.engine_sessions import EngineSessions, is_session
from oracles.order_records import fields_of, record

Key = tuple[int, int]
Fields = dict[str, int]

BUY, SELL = 1, 2
IS_BUY = HERE = 1
DROPPED, INVALIDATES = 32, 64
ORDER_ENTRY = 64
TIMER_LEAST_NS = 1_000
CANCEL_ALL = 1
GAP_STALE = 3
MARKET = {Type.BOOK_ADD, Type.BOOK_MODIFY, Type.BOOK_CANCEL, Type.BOOK_EXECUTE, Type.BOOK_CLEAR}
NOTICES = {
    Type.IMBALANCE, Type.AUCTION_PRICES, Type.AUCTION_COLLAR, Type.DIRECT_LISTING, Type.BREAKER_LEVELS, Type.BREAKER,
    Type.SHORT_SALE, Type.PARTICIPANT, Type.IPO_QUOTING, Type.RETAIL_INTEREST,
}  # fmt: skip
REPORTS = {
    Type.ACCEPTED, Type.REJECTED, Type.REPLACED, Type.CANCELED, Type.CANCEL_REJECTED, Type.FILLED, Type.CORRECTED,
    Type.BUSTED, Type.EXPIRED, Type.SENT, Type.NOT_SENT,
}  # fmt: skip


@dataclass
class Happened:
    """What strategies are told of one frame."""

    started: bool = False
    stopping: bool = False
    restarted: bool = False
    stopped: bool = False
    books: list[int] = field(default_factory=list)
    trades: list[bytes] = field(default_factory=list)
    statuses: list[bytes] = field(default_factory=list)
    notices: list[bytes] = field(default_factory=list)
    reports: list[bytes] = field(default_factory=list)
    timers: list[bytes] = field(default_factory=list)
    signals: list[bytes] = field(default_factory=list)

    def told(self) -> dict[str, Any] | None:
        names = ("trades", "statuses", "notices", "reports", "timers", "signals")
        lists = {name: b"".join(getattr(self, name)) for name in names}
        if not (self.started or self.stopping or self.restarted or self.stopped or self.books or any(lists.values())):
            return None
        return {"started": self.started, "stopping": self.stopping, "books": self.books, **lists}


class EngineInputs(EngineSessions, EngineArming, EngineMoney, EngineBreakers):
    """The engine's state and what changes it; `engine.Engine` decides."""

    def __init__(self, instruments_max: int, strategies_max: int, orders_max: int, timers_max: int) -> None:
        self.instruments_max, self.strategies_max, self.timers_max = instruments_max, strategies_max, timers_max
        self.books = book.Books([], 1 << 16, 1 << 16)
        self.oms = oms.Oms(orders_max, strategies_max, instruments_max, 4 * orders_max)
        self.risk = risk.Risk(strategies_max, instruments_max)
        self.arming = self.risk.arming
        self.accounts = accounts.Accounts(self.oms)
        self.oms.fee_of = self.accounts.fee
        self._begin_breakers(strategies_max, instruments_max)
        self.quoter = quoter.Quoter()
        self.targets: dict[Key, Any] = {}
        self.stops: list[Any] = []
        self.instruments: list[Fields] = []
        self.heard: dict[int, int] = {}
        self.feed_of: list[int] = []
        self.trading: list[TradingState] = []
        self.venue_halted: set[int] = set()
        self.touch_checks: dict[int, Check] = {}
        self.timers: dict[Key, int] = {}
        self.halted: set[int] = set()  # and so are not called
        self.stopped: set[int] = set()  # of those: by a person
        self.flattening: set[int] = set()  # of those: their positions are closed
        self.states: dict[int, bytearray] = {}
        self.draining = self.sweep_due = self.checkpoint = False
        self.node = self.epoch = 0
        self.counters: dict[int, int] = {}
        self.broken: set[int] = set()
        self.feed_sessions: dict[int, bytes] = {}
        self._begin_sessions()
        self.source_seq: dict[int, int] = {}
        self.rolling = self.decisions = self.refusals = self.book_faults = self.now = self.seq = 0
        self.out: list[bytes] = []
        self.dirty: list[Key] = []
        self.happened = Happened()

    # ---- what happened

    def _apply(self, raw: bytes, source: int) -> None:
        kind = Type(raw[0])
        if kind in MARKET:
            return self._on_market(raw)
        if kind in REPORTS:
            return self._on_report(raw, source)
        if kind in NOTICES:
            return self.happened.notices.append(raw)
        if kind == Type.DENIED:
            return self.happened.reports.append(raw)
        verb = getattr(self, f"_on_{kind.name.lower()}", None)
        if verb is None:
            return None  # a fact for the record
        layout = {Type.TRADE: "Market", Type.STATUS: "Market", Type.VENUE_HALT: "Market", Type.FEED_CHECK: "Market",
                  Type.TIMER: "Timer", Type.SIGNAL: "Signal",
                  Type.INSTRUMENT: "Instrument",
                  Type.STARTED: "Started", Type.LIMIT: "Limit"}.get(kind, "Control")  # fmt: skip
        fields = fields_of(raw, RECORDS[layout])[0]
        if kind in (Type.INSTRUMENT, Type.FEED_CHECK):
            fields["source"] = source
        if layout == "Control":
            row = np.frombuffer(raw, RECORDS["Control"])[0]
            values = [int(v) for v in row["values"]]
            fields |= {"value": values[0], "values": values, "text": bytes(row["text"])[:16]}
        return verb(fields, raw)

    def _on_market(self, raw: bytes) -> None:
        row = np.frombuffer(raw, RECORDS["Market"])[0]
        fault, _, side, px, qty = self.books.apply(row)
        instrument = int(row["instrument"])
        self.book_faults += fault != book.OK
        if fault == book.NO_INSTRUMENT:
            return
        if fault != book.OK:
            self._tell_check(Check(fault), fields_of(raw, RECORDS["Market"])[0], DROPPED | INVALIDATES)
            self.broken.add(instrument)
            self._pull(instrument)
        elif row["type"] == Type.BOOK_CLEAR:
            self.broken.discard(instrument)
        self._mark_book(instrument)
        if row["type"] == Type.BOOK_EXECUTE and fault == book.OK:
            trade = fields_of(raw, RECORDS["Market"])[0]
            trade |= {"px": px, "qty": qty, "flags": trade["flags"] & ~IS_BUY | (IS_BUY if side == Side.BUY else 0)}
            self.happened.trades.append(record("Market", **trade))

    def _on_feed_check(self, r: Fields, raw: bytes) -> None:
        of_feed = {i for i, feed in enumerate(self.feed_of) if feed == r["source"]}
        known = {r["instrument"]} & set(range(len(self.instruments)))
        for instrument in sorted(of_feed if r["instrument"] == NO_INSTRUMENT else known):
            if r["flags"] & INVALIDATES:
                self.broken.add(instrument)
                self.books.books[instrument].is_valid = False
                self._pull(instrument)
                self._mark_book(instrument)
        self.happened.notices.append(raw)

    def _tell_check(self, check: Check, found: Fields, flags: int) -> None:
        told = found | {"type": Type.FEED_CHECK, "flags": flags, "ref": check}
        self.happened.notices.append(record("Market", **told))

    def _check_touch(self, instrument: int) -> None:
        bid_px, bid_qty, ask_px, ask_qty = touch = self.books.books[instrument].touch()
        self.risk.on_touch(instrument, touch, self.now)
        is_open = self._trading_of(instrument) == TradingState.TRADING and bid_qty > 0 < ask_qty
        now = Check.NONE
        if is_open and bid_px >= ask_px:
            now = Check.LOCKED if bid_px == ask_px else Check.CROSSED
        if now == self.touch_checks.get(instrument, Check.NONE):
            return
        self.touch_checks[instrument] = now
        if now == Check.NONE:
            return
        found = {"instrument": instrument, "ts_event": self.now, "px": bid_px, "qty": ask_px}
        self._tell_check(now, found, INVALIDATES if now == Check.CROSSED else 0)
        if not self._is_valid(instrument):
            self._pull(instrument)

    def _is_valid(self, instrument: int) -> bool:
        return self.books.books[instrument].is_valid and self.touch_checks.get(instrument) != Check.CROSSED

    def _mark_book(self, instrument: int) -> None:
        if instrument not in self.happened.books:
            self.happened.books.append(instrument)

    def _on_signal(self, _: Fields, raw: bytes) -> None:
        if math.isfinite(float(np.frombuffer(raw, RECORDS["Signal"])[0]["value"])):
            self.happened.signals.append(raw)

    def _on_trade(self, _: Fields, raw: bytes) -> None:
        self.happened.trades.append(raw)

    def _on_status(self, r: Fields, raw: bytes) -> None:
        state = TradingState(r["ref"])
        if r["instrument"] == NO_INSTRUMENT:
            if state != TradingState.CLOSED:
                return
            named = range(len(self.instruments))
        else:
            if r["instrument"] >= len(self.instruments):
                return
            named = range(r["instrument"], r["instrument"] + 1)
        self.quoter.forget_refusals()
        for instrument in named:
            self.trading[instrument] = state
            if self._trading_of(instrument) != TradingState.TRADING:
                self._pull(instrument)
            self._check_touch(instrument)
        self.happened.statuses.append(raw)

    def _on_venue_halt(self, r: Fields, raw: bytes) -> None:
        if r["instrument"] >= len(self.instruments):
            return
        if r["flags"] & HERE:
            if r["ref"] == TradingState.HALTED:
                self.venue_halted.add(r["instrument"])
            else:
                self.venue_halted.discard(r["instrument"])
            if self._trading_of(r["instrument"]) != TradingState.TRADING:
                self._pull(r["instrument"])
            self._check_touch(r["instrument"])
            self.quoter.forget_refusals()
        self.happened.notices.append(raw)

    def _trading_of(self, instrument: int) -> TradingState:
        return TradingState.HALTED if instrument in self.venue_halted else self.trading[instrument]

    def _on_instrument(self, r: Fields, raw: bytes) -> None:
        number = r["instrument"]
        if number == len(self.instruments):
            self.instruments.append(r)
            self.feed_of.append(r["source"])
            self.trading.append(TradingState.UNKNOWN)
            self.books.books[number] = book.Book()
        self.instruments[number], self.feed_of[number] = r, r["source"]
        self._learn_instrument(r, raw)

    def _on_conversion(self, r: Fields, _: bytes) -> None:
        self.accounts.rates[r["text"][:4].decode()] = r["value"]
        self.quoter.forget_refusals()

    def _on_started(self, r: Fields, _: bytes) -> None:
        self.oms.on_started()
        if r["epoch"] > self.epoch:
            self.epoch, self.counters = r["epoch"], {}
        self.node = r["node"]
        self.quoter.pull()
        self.up, self.routes, self.draining = set(), {}, False
        self.arming.of(NODE).armed = ArmState.OFF
        for facts in self.arming.scopes.values():
            facts.granted = None
        self.risk.clear_limits()
        self.accounts.margin_bps.clear()
        self.breakers.restart()
        self.happened.started = True
        self.checkpoint = True

    def _on_limit(self, r: Fields, _: bytes) -> None:
        is_taken = self.risk.set_limit(r)
        if is_taken and r["kind"] == LimitKind.MARGIN_BPS:
            self._set_margin(r)
        if is_taken and r["instrument"] < len(self.instruments):
            self.risk.on_touch(r["instrument"], self.books.books[r["instrument"]].touch(), self.now)
        self.quoter.forget_refusals()

    def worth(self, instrument: int) -> Fraction | None:
        """Money of one price unit x one quantity unit."""
        return self.accounts.scale(instrument, self.accounts.rates.get(self.accounts.currencies[instrument], 0))

    def _on_operator(self, r: Fields, raw: bytes) -> None:
        if r["code"] == CANCEL_ALL:
            self.draining = self.sweep_due = self.happened.stopping = True
            return self._end_work(Reason.NOT_ARMED)
        return self._operator(r, raw)

    def _on_connected(self, r: Fields, _: bytes) -> None:
        if r["source"] < ORDER_ENTRY:
            return self._on_feed_session(r)
        return self._on_session_connected(r)

    def _on_feed_session(self, r: Fields) -> None:
        known = self.feed_sessions.get(r["source"])
        if known != r["text"]:
            self.ended_feeds.discard(r["source"])
        self.feed_sessions[r["source"]] = r["text"]
        if known is None or known == r["text"]:
            return
        self.source_seq[r["source"]] = 0
        for number in [i for i, feed in enumerate(self.feed_of) if feed == r["source"]]:
            self._on_market(record("Market", type=Type.BOOK_CLEAR, instrument=number))
            self.books.books[number].is_valid = True
            self.trading[number] = TradingState.UNKNOWN
            self.venue_halted.discard(number)
            self._pull(number)
            self._check_touch(number)

    def _on_disconnected(self, r: Fields, _: bytes) -> None:
        if r["source"] >= ORDER_ENTRY:
            self._on_session_disconnected(r)
        else:
            self._hear_of_end(r)

    def _on_gap(self, r: Fields, _: bytes) -> None:
        if r["source"] >= ORDER_ENTRY:
            return self._distrust_session(r["source"])
        if r["code"] not in (0, GAP_STALE):
            self.broken |= {i for i, feed in enumerate(self.feed_of) if feed == r["source"]}
        self._feed_is_whole(r["source"], False)
        return None

    def _on_recovered(self, r: Fields, _: bytes) -> None:
        if r["source"] >= ORDER_ENTRY:
            return self._distrust_session(r["source"])
        self._feed_is_whole(r["source"], True)
        return None

    def _feed_is_whole(self, source: int, whole: bool) -> None:
        for instrument in [i for i, feed in enumerate(self.feed_of) if feed == source]:
            self.books.books[instrument].is_valid = whole and instrument not in self.broken
            self._mark_book(instrument)
            self._mark_to_market(instrument)
            if not whole:
                self._pull(instrument)

    def _on_checkpoint(self, _: Fields, __: bytes) -> None:
        self.checkpoint = True

    def _on_report(self, raw: bytes, source: int) -> None:
        r = fields_of(raw, RECORDS["Report"])[0]
        order = self.oms.find(r["cl_ord_id"])
        busted = self.oms.fills.get((r["cl_ord_id"], r["exec_id"]))
        kind, ended = self.oms.on_report(r)
        whose = busted or (vars(order) if order else {})
        owner = {name: whose.get(name, 0) for name in ("strategy", "instrument", "side")}
        self._watch_report(r, order, kind, ended, owner)
        is_elsewhere = is_session(source) and order is not None and order.session != source
        if kind in ("UNKNOWN_ORDER", "ILLEGAL") or is_elsewhere:
            self._doubt_session(source)
        if is_elsewhere:
            self._doubt_session(order.session)
        if kind in INCIDENTS:
            self._distrust((NO_STRATEGY, order.instrument))
        if kind not in ("DONE", *INCIDENTS):
            return
        if r["type"] == Type.FILLED and self.risk.flow.on_fill(order.strategy, order.instrument, order.side, self.now):
            for key in [k for k in self.quoter.active() if k[0] == order.strategy]:
                self.quoter.pull(*key)
                self._mark(key)
            self.sweep_due = True
        if order is None:
            owner = {name: busted[name] for name in ("strategy", "instrument", "side")}
            self.happened.reports.append(record("Report", **r | owner | {"leaves_qty": 0}))
            return
        key = (order.strategy, order.instrument)
        is_quote = self.quoter.order_of(key, order.side) == order.cl_ord_id
        if r["type"] in (Type.NOT_SENT, Type.REJECTED) and is_quote:
            self.quoter.on_refused(key, order.side)
        if ended:
            self._on_closed(order)
        self._mark(key)
        if r["type"] != Type.SENT and (self._must_cancel(order) or not self._may_grow(order)):
            self.sweep_due = True
        if r["type"] != Type.SENT:
            self._tell(order, r)

    def _on_closed(self, order: oms.Order) -> None:
        self.quoter.on_closed(order)
        self.stops = [stop for stop in self.stops if stop.order != order.cl_ord_id]

    def _tell(self, order: oms.Order, r: Fields) -> None:
        known = {name: getattr(order, name) for name in ("strategy", "side", "instrument", "tag")}
        self.happened.reports.append(record("Report", **r | known | {"leaves_qty": order.leaves}))

    def _mark(self, key: Key) -> None:
        if key not in self.dirty:
            self.dirty.append(key)

    def _pull(self, instrument: int) -> None:
        for key in (k for k in self.quoter.active() if k[1] == instrument):
            self.quoter.pull(*key)
            self._mark(key)
