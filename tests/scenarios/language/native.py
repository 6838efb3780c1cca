"""The native engine, speaking the oracle's words. Fields that an event does not explain are left out."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from openbell import _native as native
from openbell.types import Side as NativeSide
from openbell.types import Tif as NativeTif
from oracles.exchange import (
    Auction,
    Cause,
    Event,
    Peg,
    Phase,
    PostOnly,
    Priority,
    Refusal,
    Rules,
    SelfTrade,
    Side,
    Terms,
    Tif,
    Type,
)
from scenarios.language.backends import Resting
from scenarios.language.steps import Action, Case, Instrument, MassCancel, Reduce, Replace, SetBands, SetPhase, Submit

FIELDS = {name: number for number, name in enumerate(native.MATCH_EVENT_FIELDS)}


def twins(ours: type[StrEnum], theirs: Any) -> dict[Any, Any]:
    """Each member to the native one of the same name."""
    return {member: getattr(theirs, member.name) for member in ours}


def by_number(ours: type[StrEnum], theirs: Any) -> dict[int, Any]:
    return {int(getattr(theirs, member.name)): member for member in ours}


SIDE, TIF = twins(Side, NativeSide), twins(Tif, NativeTif)
TYPE, PEG = twins(Type, native.OrderType), twins(Peg, native.Peg)
POST_ONLY, SELF_TRADE = twins(PostOnly, native.PostOnly), twins(SelfTrade, native.SelfTrade)
PHASE, CAUSE, AUCTION = twins(Phase, native.Phase), twins(Cause, native.Cause), twins(Auction, native.Auction)
REFUSALS: dict[int, Refusal] = by_number(Refusal, native.Refusal)
SIDES, PHASES, AUCTIONS = (
    by_number(Side, NativeSide),
    by_number(Phase, native.Phase),
    by_number(Auction, native.Auction),
)
CAUSES, PRIORITIES = by_number(Cause, native.Cause), by_number(Priority, native.Priority)

AGGRESSOR = ("aggressor_ref", "aggressor_account", "aggressor_tag", "aggressor_leaves")
EXPLAINED: dict[str, tuple[str, ...]] = {
    "ACCEPTED": ("px", "leaves"),
    "RESTED": ("px", "qty", "shown_ref", "leaves"),
    "EXECUTED": ("px", "qty", "shown_ref", "leaves", "match_number", *AGGRESSOR),
    "REDUCED": ("cause", "qty", "shown_qty", "shown_ref", "leaves", "prevented_qty"),
    "DISCARDED": ("cause", "qty", "leaves", "prevented_qty"),
    "REPLACED": ("prev_ref", "prev_shown_ref", "shown_ref", "px", "qty", "shown_qty", "leaves", "priority"),
    "REFRESHED": ("px", "qty", "shown_ref", "leaves"),
    "REPRICED": ("px", "prev_px", "qty", "shown_ref", "prev_shown_ref", "leaves"),
    "TRIGGERED": ("px", "leaves"),
    "CROSSED": ("px", "qty", "auction"),
    "PHASE_CHANGED": ("phase",),
}
"""The fields of a kind beyond those that say whose order it is."""
NAMES = {
    "shown_ref": "shown",
    "prev_ref": "prev",
    "prev_shown_ref": "prev_shown",
    "aggressor_ref": "aggressor",
    "aggressor_shown_ref": "aggressor_shown",
}
WORDS: dict[str, Callable[[int], object]] = {
    "side": SIDES.__getitem__,
    "cause": CAUSES.__getitem__,
    "priority": PRIORITIES.__getitem__,
    "phase": PHASES.__getitem__,
    "auction": AUCTIONS.__getitem__,
}
OF_AN_ORDER = ("side", "account", "tag")
OF_NO_ORDER = ("CROSSED", "PHASE_CHANGED")


class NativeBackend:
    """The engine under test. Every action is a tag of its own."""

    def __init__(self, instruments: Sequence[Instrument], orders_max: int) -> None:
        self.instruments, self.orders_max, self.tag = instruments, orders_max, 0
        self.engine = native.MatchingEngine([native_rules(i.symbol, i.rules) for i in instruments], orders_max)

    def do(self, action: Action, ref: int) -> Refusal:
        self.tag += 1
        match action:
            case Submit():
                who = (action.instrument, action.account, SIDE[action.side])
                return REFUSALS[int(self.engine.submit(*who, native_terms(action.terms), self.tag)[1])]
            case Replace():
                return REFUSALS[int(self.engine.replace(ref, native_terms(action.terms), self.tag)[1])]
            case Reduce():
                return Refusal.NONE if self.engine.reduce(ref, action.leaves, CAUSE[action.cause]) else Refusal.NOT_LIVE
            case MassCancel():
                side = None if action.side is None else SIDE[action.side]
                self.engine.mass_cancel(action.account, action.instrument, side)
            case SetPhase():
                self.engine.set_phase(action.instrument, PHASE[action.phase], action.with_closing_auction)
            case SetBands():
                self.engine.set_bands(action.instrument, action.lower, action.upper)
        return Refusal.NONE

    def take_events(self) -> list[Event]:
        return [event_of(row) for row in self.engine.take_events()]

    def queue(self, instrument: int, side: Side) -> list[Resting]:
        return self.engine.queue(instrument, SIDE[side])

    def indicative(self, instrument: int, auction: Auction) -> tuple[int, int, int]:
        return self.engine.indicative(instrument, AUCTION[auction])

    def public(self, instrument: int, side: Side) -> list[tuple[int, int, int]]:
        return self.engine.displayed(instrument, SIDE[side])

    def last_px(self, instrument: int) -> int:
        return self.engine.last_px(instrument)

    def open_orders(self) -> int:
        return self.engine.open_orders

    def audit(self) -> str:
        try:
            self.engine.audit()
        except RuntimeError as fault:
            return str(fault)
        return ""

    def state_hash(self) -> int:
        return self.engine.state_hash()

    def reloaded(self) -> "NativeBackend":
        loaded = NativeBackend(self.instruments, self.orders_max)
        loaded.tag = self.tag
        loaded.engine.load(self.engine.save())
        return loaded


def native_for(case: Case) -> NativeBackend:
    return NativeBackend(case.instruments, case.orders_max)


def native_terms(terms: Terms) -> Any:
    return native.Terms(
        terms.px,
        terms.qty,
        tif=TIF[terms.tif],
        type=TYPE[terms.type],
        post_only=POST_ONLY[terms.post_only],
        peg=PEG[terms.peg],
        self_trade=SELF_TRADE[terms.self_trade],
        keeps_place=terms.keeps_place,
        group=terms.group,
        display=terms.display,
        min_qty=terms.min_qty,
        stop_px=terms.stop_px,
        peg_offset=terms.peg_offset,
    )


def native_rules(symbol: str, rules: Rules) -> Any:
    return native.InstrumentRules(
        symbol,
        ticks=list(rules.ticks),
        lot=rules.lot,
        qty_max=rules.qty_max,
        listed_px=rules.listed_px,
        limit_collar_bps=rules.limit_collar_bps,
        market_collar_bps=rules.market_collar_bps,
        allocation=native.Allocation.PRO_RATA if rules.is_pro_rata else native.Allocation.FIFO,
        grants_top=rules.grants_top,
        fifo_percent=rules.fifo_percent,
        min_allocation=rules.min_allocation,
    )


def event_of(row: tuple[int, ...]) -> Event:
    """A row of the binding as the oracle would say it."""
    kind = native.MatchEventType(row[FIELDS["type"]]).name
    names = list(EXPLAINED[kind])
    if kind not in OF_NO_ORDER:
        names += OF_AN_ORDER
    if kind == "EXECUTED" and row[FIELDS["is_auction"]]:
        names += ["auction", "aggressor_shown_ref"]
    if kind in ("REDUCED", "DISCARDED") and row[FIELDS["prevented_qty"]]:
        names += ["px"]
    fields: dict[str, Any] = {NAMES.get(name, name): WORDS.get(name, int)(row[FIELDS[name]]) for name in names}
    if kind not in OF_NO_ORDER:
        fields["order"] = row[FIELDS["ref"]]
    return Event(kind.lower(), instrument=row[FIELDS["instrument"]], **fields)
