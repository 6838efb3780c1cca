"""What a scenario can be played on: something that takes actions and tells events in the oracle's words."""

from collections.abc import Sequence
from typing import Protocol

from oracles.exchange import Auction, Event, OracleExchange, Refusal, Side
from scenarios.language.steps import Action, Case, Instrument, MassCancel, Reduce, Replace, SetBands, SetPhase, Submit

Resting = tuple[int, int, int, int]  # reference, px, shown, open


class Backend(Protocol):
    """Orders are known by the references that its events name."""

    def do(self, action: Action, ref: int) -> Refusal:
        """Do it; `ref` is the order that the action names, if any."""

    def take_events(self) -> list[Event]:
        """What has happened since the last call."""

    def queue(self, instrument: int, side: Side) -> list[Resting]:
        """Every order in the book of a side, in the order in which they would trade."""

    def indicative(self, instrument: int, auction: Auction) -> tuple[int, int, int]:
        """Price, paired quantity and surplus of the auction, if it were now."""


class OracleBackend:
    """The slow twin. Every action is a tag of its own."""

    def __init__(self, instruments: Sequence[Instrument], orders_max: int) -> None:
        self.tag = 0
        self.exchange = OracleExchange([instrument.rules for instrument in instruments], orders_max)

    def do(self, action: Action, ref: int) -> Refusal:
        self.tag += 1
        match action:
            case Submit():
                return self.exchange.submit(action.instrument, action.account, action.side, action.terms, self.tag)
            case Replace():
                return self.exchange.replace(ref, action.terms, self.tag)
            case Reduce():
                return self.exchange.reduce(ref, action.leaves, action.cause)
            case MassCancel():
                self.exchange.mass_cancel(action.account, action.instrument, action.side)
            case SetPhase():
                self.exchange.set_phase(
                    action.instrument, action.phase, with_closing_auction=action.with_closing_auction
                )
            case SetBands():
                self.exchange.set_bands(action.instrument, action.lower, action.upper)
        return Refusal.NONE

    def take_events(self) -> list[Event]:
        return self.exchange.take_events()

    def queue(self, instrument: int, side: Side) -> list[Resting]:
        return [(o.ref, o.px, o.slice, o.leaves) for o in self.exchange.markets[instrument].queue(side)]

    def indicative(self, instrument: int, auction: Auction) -> tuple[int, int, int]:
        return self.exchange.indicative(instrument, auction)

    def public(self, instrument: int, side: Side) -> list[tuple[int, int, int]]:
        """(public reference, px, qty) of what stands on the feed."""
        return [(o.shown, o.px, o.slice) for o in self.exchange.markets[instrument].queue(side) if o.shown]

    def last_px(self, instrument: int) -> int:
        return self.exchange.markets[instrument].last_px

    def open_orders(self) -> int:
        return self.exchange.open_orders()


def oracle_for(case: Case) -> OracleBackend:
    return OracleBackend(case.instruments, case.orders_max)
