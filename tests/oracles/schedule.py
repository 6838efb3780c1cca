"""The trading day moment by moment: every unit of time is looked at."""

from dataclasses import dataclass, field

CALLS = ("OPENING_CALL", "CLOSING_CALL", "REOPENING_CALL")


@dataclass
class OracleSchedule:
    """steps: (at, kind, phase, interval, name), kind "PHASE", "AUCTION" or "IMBALANCE"."""

    steps: list[tuple[int, str, str, int, str]]
    call_interval: int
    clock: int | None = None
    left: list[tuple[int, str, str, int, str]] = field(default_factory=list)
    scheduled: str = "CLOSED"
    phase: str = "CLOSED"
    timed: int = 0
    ticks_from: int = 0
    ticked: int = -1

    def open_day(self, midnight: int) -> None:
        self.clock, self.left = midnight, [(midnight + at, *rest) for at, *rest in self.steps]
        self.scheduled, self.timed = "CLOSED", 0

    def on_phase(self, phase: str, now: int) -> None:
        self.phase, self.ticks_from, self.ticked = phase, now, now - 1

    def interval(self) -> int:
        if self.phase in CALLS:
            return self.call_interval
        return self.timed if self.phase == "CONTINUOUS" else 0

    def next(self, now: int):
        """(at, name), (at, None) for an imbalance, None when nothing is due."""
        if self.clock is None:
            return None
        missed = None
        for moment in range(min(self.clock, self.ticks_from), now + 1):
            if self.left and self.left[0][0] <= moment:
                return missed or self.step()
            if self.ticks_at(moment):
                missed = (moment, None)
                self.ticked = moment
        self.clock = max(self.clock, now)
        return missed

    def step(self):
        at, kind, phase, interval, name = self.left.pop(0)
        if kind == "PHASE":
            self.scheduled = phase
        if kind == "IMBALANCE":
            self.timed, self.ticks_from, self.ticked = interval, at, at - 1
        return (at, name)

    def ticks_at(self, moment: int) -> bool:
        if not self.interval() or moment < self.ticks_from or moment <= self.ticked:
            return False
        return (moment - self.ticks_from) % self.interval() == 0
