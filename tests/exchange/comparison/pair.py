"""The oracle and the engine side by side: what one tells, the other must tell."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from oracles.exchange import Auction, Event, Phase, Refusal, Side, Terms
from oracles.exchange.audit import faults
from oracles.exchange.terms import AUCTION_OF
from scenarios.language.backends import Backend, OracleBackend
from scenarios.language.native import NativeBackend
from scenarios.language.play import Labels
from scenarios.language.steps import Action, Instrument, Reduce, Replace, SetPhase, Submit
from scenarios.language.write import event_text

REFERENCES = ("order", "shown", "prev", "prev_shown", "aggressor", "aggressor_shown")


class Engine(Backend, Protocol):
    """A backend that can be saved and looks after itself."""

    def public(self, instrument: int, side: Side) -> list[tuple[int, int, int]]: ...

    def last_px(self, instrument: int) -> int: ...

    def open_orders(self) -> int: ...

    def audit(self) -> str:
        """What is not in order, nothing if all is."""

    def state_hash(self) -> int: ...

    def reloaded(self) -> "Engine":
        """A new engine, loaded from what this one saves."""


class Differs(Exception):
    """What the oracle says, and what the engine says instead."""

    def __init__(self, oracle: str, engine: str) -> None:
        super().__init__(f"the oracle says\n    {oracle}\nthe engine says\n    {engine}")
        self.oracle, self.engine = oracle, engine


@dataclass
class Pair:
    """References need not be equal: `oracle_ref` holds which of the engine's is which of the oracle's."""

    instruments: Sequence[Instrument]
    orders_max: int
    make_engine: Callable[[Sequence[Instrument], int], Engine] = NativeBackend
    oracle: OracleBackend = field(init=False)
    engine: Engine = field(init=False)
    oracle_ref: dict[int, int] = field(default_factory=lambda: {0: 0})
    engine_ref: dict[int, int] = field(default_factory=lambda: {0: 0})
    labels: Labels = field(default_factory=Labels)

    def __post_init__(self) -> None:
        self.oracle = OracleBackend(self.instruments, self.orders_max)
        self.engine = self.make_engine(self.instruments, self.orders_max)
        for number, instrument in enumerate(self.instruments):
            if instrument.starts != Phase.CLOSED:
                self.do(SetPhase(instrument.starts, number))

    def do(self, action: Action) -> tuple[Refusal, list[Event]]:
        """Do it on both, compare what they tell and what their books hold, and return what the oracle said."""
        named = action.label if isinstance(action, Replace | Reduce) else ""
        ref = self.labels.ref_of.get(named, 0)
        slow = self.oracle.do(action, ref)
        fast = self.engine.do(action, self.engine_ref.get(ref, 0))
        if slow != fast:
            raise Differs(f"refusal {slow}", f"refusal {fast}")
        told = self.oracle.take_events()
        for event in told:
            self.labels.learn(event, action.label if isinstance(action, Submit) else "")
        self.compare_events(told, self.engine.take_events())
        self.compare_books()
        return slow, told

    def compare_events(self, slow: list[Event], fast: list[Event]) -> None:
        told = [self.translated(theirs, ours) for theirs, ours in zip(fast, slow, strict=False)]
        if len(slow) != len(fast) or told != slow:
            told += [self.translated(theirs, None) for theirs in fast[len(slow) :]]
            raise Differs(self.text(slow, told), self.text(told, slow))

    def translated(self, theirs: Event, ours: Event | None) -> Event:
        """The engine's event with the oracle's references; one that is new to both is taken as the same."""
        refs = {}
        for name in REFERENCES:
            ref = getattr(theirs, name)
            if ref not in self.oracle_ref and ours is not None and getattr(ours, name) not in self.engine_ref:
                self.oracle_ref[ref] = getattr(ours, name)
                self.engine_ref[getattr(ours, name)] = ref
            refs[name] = self.oracle_ref.get(ref, -ref)
        return theirs._replace(**refs)

    def compare_books(self) -> None:
        for number in range(len(self.instruments)):
            for side in Side:
                slow = self.oracle.queue(number, side)
                fast = [(self.oracle_ref.get(ref, -ref), *row) for ref, *row in self.engine.queue(number, side)]
                if slow != fast:
                    raise Differs(f"queue of {side}s {self.named(slow)}", f"queue of {side}s {self.named(fast)}")

    def compare_rest(self) -> None:
        """What is costly to compare: indicative prices, and what the engine finds out about itself."""
        for number in range(len(self.instruments)):
            self.compare_indicative(number)
            self.compare_public(number)
            if fault := next(faults(self.oracle.exchange.markets[number]), ""):
                raise AssertionError(f"the oracle's own books are not in order: {fault}")
        if self.engine.open_orders() != self.oracle.open_orders():
            raise Differs(f"{self.oracle.open_orders()} open", f"{self.engine.open_orders()} open")
        if fault := self.engine.audit():
            raise Differs("the books are in order", fault)

    def save_and_load(self) -> None:
        """Go on with an engine that was loaded from what this one saved."""
        before = self.engine.state_hash()
        self.engine = self.engine.reloaded()
        if self.engine.state_hash() != before:
            raise Differs(f"state hash {before}", f"after load {self.engine.state_hash()}")

    def compare_indicative(self, instrument: int) -> None:
        phase = self.oracle.exchange.markets[instrument].phase
        kind = AUCTION_OF.get(phase, Auction.CLOSING)
        slow, fast = self.oracle.indicative(instrument, kind), self.engine.indicative(instrument, kind)
        if slow != tuple(fast):
            raise Differs(f"indicative {kind} {slow}", f"indicative {kind} {fast}")

    def compare_public(self, instrument: int) -> None:
        for side in Side:
            slow = self.oracle.public(instrument, side)
            fast = [(self.oracle_ref.get(ref, -ref), *row) for ref, *row in self.engine.public(instrument, side)]
            if slow != fast:
                raise Differs(f"public {side}s {slow}", f"public {side}s {fast}")
        slow_px, fast_px = self.oracle.last_px(instrument), self.engine.last_px(instrument)
        if slow_px != fast_px:
            raise Differs(f"last trade at {slow_px}", f"last trade at {fast_px}")

    def live(self) -> list[tuple[str, Terms, int]]:
        """(label, terms with the limit where it stands, open quantity) of every open order."""
        return [
            (self.labels.label_of[order.ref], order.terms, order.leaves)
            for market in self.oracle.exchange.markets
            for order in market.orders
        ]

    def phases(self) -> list[Phase]:
        return [market.phase for market in self.oracle.exchange.markets]

    def name(self, ref: int) -> str:
        return self.labels.label_of.get(ref, f"#{ref}")

    def named(self, rows: Sequence[Sequence[int]]) -> str:
        return str([(self.name(ref), *row) for ref, *row in rows])

    def text(self, told: list[Event], other: list[Event]) -> str:
        """The events as text; the first that differs in full."""
        words = ", ".join(event_text(event, self.name) for event in told) or "nothing"
        first = next((e for n, e in enumerate(told) if other[n : n + 1] != [e]), None)
        if first is None:
            return words
        stated = {k: v for k, v in first._asdict().items() if v != Event._field_defaults.get(k)}
        return f"{words}\n        first other: {stated}"
