"""Price bands the slow way: every trade is kept, every second is looked at, prices are fractions.

A change is `(action, at, lo, hi, reference, until, extension)`, as the native bands give it.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

SECOND = 10**9
NEVER = 2**63 - 1
NO_BANDS = (1, NEVER)


@dataclass(frozen=True)
class OracleRules:
    """The names and units of the native `BandRules`."""

    widths: list[tuple[int, int, int, bool]]
    wide_from_ns: int = NEVER
    window_s: int = 300
    move_bps: int = 100
    hold_ns: int = 30 * SECOND
    limit_ns: int = 15 * SECOND
    pause_ns: int = 300 * SECOND
    collar_bps: int = 500


@dataclass
class OracleBands:
    """One instrument's bands."""

    rules: OracleRules
    ticks: tuple[tuple[int, int], ...]
    listed_px: int = 0
    state: str = "off"
    midnight: int = 0
    reference: int = 0
    since: int = 0
    resumed: int = 0  # no mean is looked at before the second after this
    clock: int = 0
    told: tuple[int, int] = NO_BANDS
    trades: list[tuple[int, int]] = field(default_factory=list)
    bid: int = 0
    ask: int = 0
    touched: int = 0
    side: str = ""
    deadline: int = 0
    answer: int | None = None
    extension: int = 0

    def open(self, reference: int, midnight: int, now: int) -> None:
        self.state, self.midnight = "trading", midnight
        self.told = NO_BANDS
        self.begin(reference, now)

    def begin(self, reference: int, now: int) -> None:
        self.reference, self.since, self.resumed, self.clock = reference, now, now, now
        self.trades, self.bid, self.ask, self.extension = [], 0, 0, 0

    def stop(self) -> None:
        self.state, self.told = "off", NO_BANDS

    def on_trade(self, px: int, now: int) -> None:
        self.trades.append((now, px))

    def on_touch(self, bid: int, ask: int, now: int) -> None:
        self.bid, self.ask, self.touched = bid, ask, now

    def on_call_price(self, px: int) -> None:
        self.answer = px

    def next(self, now: int):
        if self.state == "off":
            return None
        seconds = range(self.clock // SECOND * SECOND, now + 1, SECOND)
        wide = self.midnight + self.rules.wide_from_ns
        moments = sorted({self.clock, self.touched, self.deadline, wide, *seconds})
        for at in moments:
            if self.clock <= at <= now:
                self.clock = at
                if change := self.look(at):
                    return change
        self.clock = now
        return None

    def look(self, at: int):
        match self.state:
            case "trading" if self.touching():
                self.state, self.side, self.deadline = "limit", self.touching(), at + self.rules.limit_ns
                return self.change("ENTER_LIMIT", at, self.told, self.deadline)
            case "trading":
                return self.move(at)
            case "limit" if at == self.deadline:
                self.state, self.told = "paused", NO_BANDS
                self.deadline, self.answer = at + self.rules.pause_ns, None
                return self.change("PAUSE", at, self.collar(), self.deadline)
            case "limit" if self.touching() != self.side:
                self.state, self.resumed = "trading", at
                return self.change("LEAVE_LIMIT", at, self.told)
            case "paused" if at == self.deadline:
                self.state = "deciding"
                return self.change("END_CALL", at, self.collar())
            case "deciding" if self.answer is not None:
                return self.decide(at)
        return None

    def decide(self, at: int):
        px, self.answer = self.answer, None
        lo, hi = self.collar()
        if px and not lo <= px <= hi:
            self.state, self.deadline = "paused", at + self.rules.pause_ns
            self.extension += 1
            return self.change("EXTEND", at, self.collar(), self.deadline)
        self.state = "trading"
        self.begin(px or self.reference, at)
        self.told = self.bands(at)
        return self.change("REOPEN", at, self.told)

    def touching(self) -> str:
        if self.told == NO_BANDS:
            return ""
        lo, hi = self.told
        return "upper" if self.bid >= hi else "lower" if 0 < self.ask <= lo else ""

    def move(self, at: int):
        second = at // SECOND
        window = [px for t, px in self.trades if second - self.rules.window_s <= t // SECOND < second]
        if window and at % SECOND == 0 and at > self.resumed:
            mean = Fraction(sum(window), len(window))
            far = abs(mean - self.reference) >= Fraction(self.reference * self.rules.move_bps, 10_000)
            if self.reference == 0 or (far and at - self.since >= self.rules.hold_ns):
                self.reference, self.since = int(mean + Fraction(1, 2)), at
        if self.bands(at) == self.told:
            return None
        self.told = self.bands(at)
        return self.change("SET_BANDS", at, self.told)

    def bands(self, at: int) -> tuple[int, int]:
        if not self.reference:
            return NO_BANDS
        price = self.listed_px or self.reference
        _, bps, px_max, doubles = [row for row in self.rules.widths if price >= row[0]][-1]
        width = Fraction(self.reference * bps, 10_000)
        if px_max:
            width = min(width, Fraction(px_max))
        if doubles and at >= self.midnight + self.rules.wide_from_ns:
            width *= 2
        return self.around(width)

    def collar(self) -> tuple[int, int]:
        return self.around(Fraction(self.reference * self.rules.collar_bps, 10_000) * 2**self.extension)

    def around(self, width: Fraction) -> tuple[int, int]:
        return nearest_tick(self.reference - width, self.ticks), nearest_tick(self.reference + width, self.ticks)

    def change(self, action: str, at: int, span: tuple[int, int], until: int = 0):
        return (action, at, *span, self.reference, until, self.extension)


@cache
def nearest_tick(px: Fraction, ticks: tuple[tuple[int, int], ...]) -> int:
    """The higher of two equally near, and a price."""
    around = range(max(1, int(px) - 250), max(1, int(px)) + 250)
    on_tick = [n for n in around if n % [tick for from_px, tick in ticks if n >= from_px][-1] == 0]
    return min(on_tick, key=lambda n: (abs(n - px), -n))
