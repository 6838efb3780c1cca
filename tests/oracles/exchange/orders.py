"""An open order, and the market of one instrument: a list of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum, auto

from oracles.exchange.events import Event
from oracles.exchange.terms import MARKET_PX, Phase, Rules, Side, Terms


class Where(StrEnum):
    """Where an open order is."""

    ARRIVING = auto()
    BOOK = auto()
    STOPPED = auto()  # a stop that waits for a trade
    ELECTED = auto()  # a stop that waits for its turn to enter
    PARKED = auto()  # a peg without a price
    CALLED = auto()  # waits for an auction


@dataclass(eq=False)
class Order:
    """An order from acceptance to end; `px` is its limit, or where a peg stands (0: parked)."""

    ref: int
    instrument: int
    account: int
    tag: int
    side: Side
    terms: Terms
    px: int
    leaves: int
    where: Where = Where.ARRIVING
    time: int = 0  # when it joined its queue
    slice: int = 0  # the displayed part of `leaves`
    shown: int = 0  # its reference on the public feed, 0: nothing is public
    is_told: bool = False  # whether its resting has been told; not before the end of a call
    is_top: bool = False  # joined its level better than every displayed order

    @property
    def minimum(self) -> int:
        return min(self.terms.min_qty, self.leaves)

    @property
    def next_slice(self) -> int:
        """What it may show at a time."""
        display = self.terms.shown_at_a_time
        return self.leaves if display < 0 else min(display, self.leaves)

    @property
    def public_qty(self) -> int:
        return self.slice if self.shown else 0

    def take(self, qty: int, slice_qty: int) -> None:
        self.leaves -= qty
        self.slice -= slice_qty


def opposite(side: Side) -> Side:
    return Side.SELL if side == Side.BUY else Side.BUY


def is_better(side: Side, px: int, than: int) -> bool:
    """Whether a resting order of `side` at `px` comes before one at `than`."""
    return px > than if side == Side.BUY else px < than


def reaches(side: Side, limit: int, px: int) -> bool:
    """Whether an order of `side` with this limit may trade at `px`."""
    return limit == MARKET_PX or not is_better(side, px, limit)


def rank(order: Order) -> tuple[int, bool, int]:
    """Sorts one side of the book: price, displayed before hidden, time."""
    return (-order.px if order.side == Side.BUY else order.px, order.slice == 0, order.time)


@dataclass
class Counters:
    """What all instruments of an exchange share; `refs` also numbers what is public."""

    refs: int = 0
    time: int = 0
    matches: int = 0

    def next_ref(self) -> int:
        self.refs += 1
        return self.refs

    def next_time(self) -> int:
        self.time += 1
        return self.time

    def next_match(self) -> int:
        self.matches += 1
        return self.matches


@dataclass
class Market:
    """One instrument. `orders` stand in order of age."""

    number: int
    rules: Rules
    counters: Counters
    events: list[Event]
    phase: Phase = Phase.CLOSED
    lower: int = 0  # the bands; 0: none
    upper: int = 0
    last_px: int = 0  # of the last trade
    orders: list[Order] = field(default_factory=list)
    elected: list[Order] = field(default_factory=list)
    evaluated: tuple[int, int] = (0, 0)  # best displayed bid and ask when pegs were last evaluated
    pegs_are_due: bool = False  # to be evaluated, whatever the best prices are
    call_is_open: bool = False  # a call has collected, and its auction has not run
    closing_is_over: bool = False

    @property
    def is_continuous(self) -> bool:
        return self.phase == Phase.CONTINUOUS

    @property
    def reference(self) -> int:
        return self.last_px or self.rules.listed_px

    def queue(self, side: Side) -> list[Order]:
        """The book of one side, first in turn first."""
        return sorted((o for o in self.orders if o.where == Where.BOOK and o.side == side), key=rank)

    def displayed(self, side: Side) -> Iterator[Order]:
        return (o for o in self.orders if o.where == Where.BOOK and o.side == side and o.slice > 0)

    def best_displayed(self, side: Side) -> int:
        """The best displayed price of a side, 0: none."""
        prices = [o.px for o in self.displayed(side)]
        return 0 if not prices else max(prices) if side == Side.BUY else min(prices)

    def touch(self) -> tuple[int, int]:
        return self.best_displayed(Side.BUY), self.best_displayed(Side.SELL)

    def within_bands(self, side: Side, limit: int) -> int:
        """The limit, or the band that it lies beyond."""
        if side == Side.BUY:
            return min(limit, self.upper) if self.upper else limit
        return max(limit, self.lower)

    def tell(self, kind: str, order: Order | None = None, **fields: object) -> None:
        who = {} if order is None else {
            "order": order.ref, "side": order.side, "account": order.account, "tag": order.tag,
        }  # fmt: skip
        self.events.append(Event(kind, instrument=self.number, **who, **fields))  # type: ignore[arg-type]

    def remove(self, order: Order) -> None:
        self.orders.remove(order)
