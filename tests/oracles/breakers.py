"""Circuit breakers, slow and obvious: every event is kept, and every measure counted from all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

from openbell.types import NO_INSTRUMENT, NO_STRATEGY, ArmState, BreakerKind, OrderState, Type
from oracles.oms import COMMAND, Order

K = BreakerKind
PARTS = 8
NEVER = 2**63 - 1
CHECK_LEAST_NS = 1_000_000
UNANSWERED_MAX, BREAKERS_MAX = 1024, 256
OF_MANY = {K.FILL_RATE, K.UNFILLED_RATE, K.SLIPPAGE}
WINDOWED = {K.REJECT_RATE, K.MESSAGE_RATE, K.POSITION_JUMP, K.RECONCILIATION} | OF_MANY
OF_SILENCE = {K.LATENCY, K.FEED_STALE}
OF_RESULT = {K.LOSS, K.DRAWDOWN}
OF_NODE = {K.FEED_STALE, K.RECONCILIATION}
Fields = dict[str, int]


@dataclass
class Sent:
    """A command that the venue has not answered yet."""

    order: int
    command: Type
    version: int
    at: int
    strategy: int

    def is_over(self, order: Order) -> bool:
        """Nothing of that kind and version is in flight any more, whatever the venue said."""
        flight = order.flights.get(COMMAND[self.command])
        return self.order == order.cl_ord_id and (flight is None or flight.version != self.version)


@dataclass
class Breaker:
    """One breaker and everything it has seen."""

    kind: BreakerKind
    to: ArmState
    strategy: int
    instrument: int
    threshold: int
    window_ns: int
    again_below: int
    least: int
    is_given: bool = True
    is_tripped: bool = False
    events: list[tuple[int, int]] = field(default_factory=list)  # time, how much
    of: list[int] = field(default_factory=list)  # times
    singles: list[int] = field(default_factory=list)  # measured since the last check
    last: int = 0
    position: int | None = None
    forced: int | None = None

    @property
    def key(self) -> tuple[int, ...]:
        return int(self.kind), int(self.to), self.strategy, self.instrument

    def makes_sense(self, strategies_max: int, instruments_max: int) -> bool:
        node = self.strategy == NO_STRATEGY
        return (
            self.kind in K and self.kind != K.NONE
            and (node or (self.strategy < strategies_max and self.kind not in OF_NODE))
            and (self.instrument < instruments_max) == (self.kind == K.POSITION_JUMP)
            and (self.instrument < instruments_max or self.instrument == NO_INSTRUMENT)
            and 0 <= self.again_below <= self.threshold
            and (self.window_ns > 0) == (self.kind in WINDOWED)
            and self.to < ArmState.FULL
        )  # fmt: skip

    def width(self) -> int:
        return max(1, self.window_ns // PARTS)

    def within(self, at: int, now: int) -> bool:
        """Times are told apart by eighths of the window: an event counts for at least the window."""
        return at // self.width() >= now // self.width() - PARTS

    def amount(self, now: int) -> int:
        return sum(qty for at, qty in self.events if self.within(at, now))


@dataclass
class Breakers:
    """`result` and `drawdown` of a row, `position` of (row, instrument), `heard` of the feed heard longest ago."""

    strategies_max: int
    instruments_max: int
    result: Callable[[int], int]
    drawdown: Callable[[int], int]
    position: Callable[[int, int], int]
    heard: Callable[[], int]
    breakers: list[Breaker] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    next_check: int = NEVER
    is_due: bool = True

    def set(self, r: Fields) -> bool:
        to, least = r["values"][3] & 0xFF, max(0, min(2**32 - 1, r["values"][3] >> 8))
        kind = K(r["code"]) if r["code"] <= max(K) else K.NONE
        new = Breaker(kind, to, r["strategy"], r["instrument"], *r["values"][:3], least)
        known = next((b for b in self.breakers if b.key == new.key), None)
        if r["flags"] & 1:
            if known:
                known.is_given = False
            return True
        if not new.makes_sense(self.strategies_max, self.instruments_max):
            return False
        self.is_due = True
        if known:
            new.is_tripped, new.last, new.position = known.is_tripped, known.last, known.position
            new.singles, new.forced = known.singles, known.forced
            if known.width() == new.width():
                new.events, new.of = known.events, known.of
            self.breakers[self.breakers.index(known)] = new
            return True
        free = next((n for n, b in enumerate(self.breakers) if not b.is_given), len(self.breakers))
        if free == BREAKERS_MAX:
            return False
        self.breakers[free : free + 1] = [new]
        return True

    def restart(self) -> None:
        for b in self.breakers:
            b.is_given = False
        self.sent, self.next_check = [], NEVER

    def those(self, kind: BreakerKind, strategy: int, instrument: int) -> list[Breaker]:
        found = [
            b for b in self.breakers
            if b.is_given and b.kind == kind and b.strategy in (NO_STRATEGY, strategy)
            and b.instrument in (NO_INSTRUMENT, instrument)
        ]  # fmt: skip
        self.is_due |= bool(found)
        return found

    # ---- what happens

    def on_command(self, o: Fields, now: int) -> None:
        for b in self.those(K.MESSAGE_RATE, o["strategy"], o["instrument"]):
            b.events.append((now, 1))
        if o["type"] == Type.NEW_ORDER:
            for b in self.those(K.FILL_RATE, o["strategy"], o["instrument"]):
                b.of.append(now)

    def on_report(self, r: Fields, order: Order | None, has_ended: bool, opposite: int, now: int) -> None:
        """`order`: as the report left it; `opposite`: the best of the other side, 0 where nothing is shown."""
        whose = (r["strategy"], r["instrument"])
        if r["type"] == Type.SENT:
            self._on_sent(order, Type(r["command"]), now)
            return
        if order is not None:
            self._on_answer(order, now)
        if has_ended and order.ended != OrderState.REJECTED:
            for b in self.those(K.UNFILLED_RATE, *whose):
                b.events.append((now, 10_000 - min(order.cum, order.qty) * 10_000 // order.qty))
                b.of.append(now)
        self.those(K.POSITION_JUMP, *whose)
        if r["type"] == Type.REJECTED:
            for b in self.those(K.REJECT_RATE, *whose):
                b.events.append((now, 1))
        if r["type"] != Type.FILLED:
            return
        for b in self.those(K.FILL_RATE, *whose):
            b.events.append((now, 1))
        if opposite > 0:
            worse = Fraction(r["last_px"] - opposite, opposite) * (1 if r["side"] == 1 else -1) * 10_000
            for b in self.those(K.TOO_GOOD, *whose):
                b.singles.append(max(0, ceil(-worse)))
            for b in self.those(K.SLIPPAGE, *whose):
                b.events.append((now, max(0, ceil(worse))))
                b.of.append(now)

    def _on_sent(self, order: Order, command: Type, now: int) -> None:
        new = Sent(order.cl_ord_id, command, order.flights[COMMAND[command]].version, now, order.strategy)
        self.sent = [*self.sent, new][-UNANSWERED_MAX:]

    def _on_answer(self, order: Order, now: int) -> None:
        for one in [one for one in self.sent if one.is_over(order)]:
            self.sent.remove(one)
            for b in self.those(K.LATENCY, order.strategy, order.instrument):
                b.singles.append(now - one.at)

    def on_unreached(self, order: Order) -> None:
        """What never reached the venue is waited for no longer, and was not answered."""
        self.sent = [one for one in self.sent if not one.is_over(order)]

    def on_moved(self, strategy: int, instrument: int, qty: int) -> None:
        for b in self.those(K.POSITION_JUMP, strategy, instrument):
            b.forced = max(b.forced or 0, abs(qty))

    def on_break(self, now: int) -> None:
        for b in self.those(K.RECONCILIATION, NO_STRATEGY, NO_INSTRUMENT):
            b.events.append((now, 1))

    # ---- what follows

    def check(self, now: int) -> list[tuple[Breaker, int]]:
        trips, is_due, self.is_due = [], self.is_due, False
        for b in (b for b in self.breakers if b.is_given and (is_due or b.kind in OF_RESULT)):
            if b.kind == K.POSITION_JUMP:
                position = self.position(b.strategy, b.instrument)
                if b.position is not None:
                    b.events.append((now, position - b.position))
                b.position = position
            found = self.measure(b, now)
            is_above = found > b.threshold or b.forced is not None
            b.last = b.singles[-1] if b.singles else b.last
            b.singles, b.forced = [], None
            if b.is_tripped and found <= b.again_below:
                b.is_tripped = False
            if is_above and not b.is_tripped:
                b.is_tripped = True
                trips.append((b, found))
        if not is_due:
            return trips
        periods = [b.threshold // 4 for b in self.breakers if b.is_given and b.kind in OF_SILENCE]
        periods += [b.width() for b in self.breakers if b.is_given and b.is_tripped and b.kind in WINDOWED]
        self.next_check = now + max(min(periods), CHECK_LEAST_NS) if periods else NEVER
        return trips

    def measure(self, b: Breaker, now: int) -> int:
        of = sum(b.within(at, now) for at in b.of)
        mine = [one.at for one in self.sent if b.strategy in (NO_STRATEGY, one.strategy)]
        match b.kind:
            case K.LOSS:
                return max(0, -self.result(b.strategy))
            case K.DRAWDOWN:
                return self.drawdown(b.strategy)
            case K.FILL_RATE:
                return b.amount(now) * 10_000 // of if of and of >= b.least else 0
            case K.SLIPPAGE | K.UNFILLED_RATE:
                return b.amount(now) // of if of and of >= b.least else 0
            case K.POSITION_JUMP:
                return max(abs(b.amount(now)), b.forced or 0)
            case K.TOO_GOOD:
                return max([b.last, *b.singles])
            case K.LATENCY:
                return max([b.last, *b.singles, *(now - at for at in mine[:1])])
            case K.FEED_STALE:
                return now - self.heard()
            case _:
                return b.amount(now)
