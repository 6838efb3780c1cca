"""A matching engine to trade on by hand: orders by short words, events as short tuples."""

from collections.abc import Sequence
from typing import Any

from openbell._native import (
    MARKET_PX,
    MATCH_EVENT_FIELDS,
    InstrumentRules,
    MatchEventType,
    MatchingEngine,
    OrderType,
    Phase,
    Terms,
)
from openbell.types import Side

BUY, SELL = Side.BUY, Side.SELL


class Event:
    """One event with its fields by name."""

    def __init__(self, row: Sequence[int]) -> None:
        self.fields = dict(zip(MATCH_EVENT_FIELDS, row, strict=True))

    def __getattr__(self, name: str) -> int:
        return self.fields[name]

    @property
    def kind(self) -> str:
        return MatchEventType(self.fields["type"]).name.lower()


class Venue:
    """Instruments with a tick of 1, in continuous trading."""

    def __init__(
        self, *, instruments: int = 1, orders_max: int = 1 << 10, matches=True, phase=Phase.CONTINUOUS, **rules: Any
    ) -> None:
        self.rules = [InstrumentRules(f"OBEL{n}", **{"ticks": [(0, 1)], **rules}) for n in range(instruments)]
        self.orders_max = orders_max
        self.engine = MatchingEngine(self.rules, orders_max, matches)
        for n in range(instruments):
            self.engine.set_phase(n, phase)
        self.engine.take_events()

    def try_order(self, side, qty, px=None, *, account=1, on=0, **terms: Any):
        """(ref, refusal); without a price a market order."""
        if px is None:
            terms = {"type": OrderType.MARKET, **terms}
        return self.engine.submit(on, account, side, Terms(MARKET_PX if px is None else px, qty, **terms))

    def order(self, side, qty, px=None, **more: Any) -> int:
        ref, refusal = self.try_order(side, qty, px, **more)
        assert ref, refusal
        return ref

    def buy(self, qty, px=None, **more: Any) -> int:
        return self.order(BUY, qty, px, **more)

    def sell(self, qty, px=None, **more: Any) -> int:
        return self.order(SELL, qty, px, **more)

    def replace(self, ref, qty, px, **terms: Any) -> int:
        return self.engine.replace(ref, Terms(px, qty, **terms))[0]

    def cancel(self, ref, leaves=0) -> bool:
        return self.engine.reduce(ref, leaves)

    def events(self) -> list[Event]:
        return [Event(row) for row in self.engine.take_events()]

    def trades(self) -> list[tuple[int, int, int, int]]:
        """(resting, aggressor, px, qty) since the last look."""
        return [(e.ref, e.aggressor_ref, e.px, e.qty) for e in self.events() if e.kind == "executed"]

    def queue(self, side, on=0) -> list[tuple[int, int]]:
        """(ref, open quantity) of everybody in the book, in the order in which they would trade."""
        return [(ref, qty) for ref, _, _, qty in self.engine.queue(on, side)]

    def restored(self) -> "Venue":
        """A venue of the same rules that was loaded from what this one saves."""
        other = Venue.__new__(Venue)
        other.rules, other.orders_max = self.rules, self.orders_max
        other.engine = MatchingEngine(self.rules, self.orders_max)
        other.engine.load(self.engine.save())
        return other
