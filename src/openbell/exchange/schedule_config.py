"""The trading day as configuration: `[schedule]`, a preset or steps."""

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import Field

from openbell._native import Auction, Phase, ScheduleRules, StepKind
from openbell.config import Problem, Settings
from openbell.exchange.rules_types import NS_PER_MS, TimeOfDay, TimeText, time_of_day, under

PhaseText = Literal["closed", "opening_call", "continuous", "closing_call", "halted", "reopening_call"]


class StepSettings(Settings):
    """One moment of the day: a phase begins, an auction runs, or imbalances are told from then on."""

    at: TimeText
    phase: PhaseText | None = None
    auction: Literal["closing"] | None = None
    imbalance_ms: int | None = Field(default=None, ge=0, le=3_600_000, description="one so often; 0: no more")
    name: str = Field(default="", max_length=40)

    def cross_check(self) -> Iterable[Problem]:
        """Yield that the step says not one thing."""
        said = [key for key in ("phase", "auction", "imbalance_ms") if getattr(self, key) is not None]
        if len(said) != 1:
            yield Problem((), f"expected one of phase, auction and imbalance_ms, found {' and '.join(said) or 'none'}")

    def row(self) -> tuple[int, StepKind, Phase, Auction, int, str]:
        """Return the step as the native schedule has it."""
        if self.phase is not None:
            return self._row(StepKind.PHASE, self.phase.replace("_", " "), phase=Phase[self.phase.upper()])
        if self.auction is not None:
            return self._row(StepKind.AUCTION, f"{self.auction} auction")
        return self._row(StepKind.IMBALANCE, "imbalance", interval_ns=(self.imbalance_ms or 0) * NS_PER_MS)

    def _row(
        self, kind: StepKind, name: str, *, phase: Phase = Phase.CLOSED, interval_ns: int = 0
    ) -> tuple[int, StepKind, Phase, Auction, int, str]:
        return (self.at, kind, phase, Auction.CLOSING, interval_ns, self.name or name)


class ScheduleSettings(Settings):
    """`[schedule]`: the trading day, by preset or step by step.

    `us_equity`: a call from 09:28, open at 09:30, imbalances before the close from 15:50 on, the closing auction (or
    the end of a call from `closing_call` on) and the close at 16:00. Times are those of the exchange's midnight.
    """

    preset: Literal["always_open", "us_equity"] = "always_open"
    closing_call: TimeText | None = Field(default=None, description='preset "us_equity": when it begins')
    steps: tuple[StepSettings, ...] = Field(default=(), max_length=64, description="instead of a preset, in order")
    call_imbalance_ms: int = Field(default=1_000, ge=0, le=3_600_000, description="in every call; 0: none")

    def cross_check(self) -> Iterable[Problem]:
        """Yield steps out of order or beside a preset, and a closing call at the wrong time."""
        if self.steps and (self.preset != "always_open" or self.closing_call is not None):
            yield Problem(("steps",), "expected no steps beside preset or closing_call; write all of the day as steps")
        if self.closing_call is not None and (self.preset != "us_equity" or not _in_us_day(self.closing_call)):
            yield Problem(("closing_call",), 'expected a time after "09:30" and before "16:00", of preset "us_equity"')
        for index, step in enumerate(self.steps):
            yield from under(("steps", index), step.cross_check())
            if index and step.at < self.steps[index - 1].at:
                yield Problem(("steps", index, "at"), "expected a time not before that of the step above")

    def native(self) -> ScheduleRules:
        """Return the day as the venue runs it."""
        return ScheduleRules([step.row() for step in self._steps()], self.call_imbalance_ms * NS_PER_MS)

    def _steps(self) -> Sequence[StepSettings]:
        if self.preset == "us_equity":
            return _us_day(self.closing_call)
        return self.steps or (StepSettings(at=TimeOfDay(0), phase="continuous", name="open"),)


def _in_us_day(at: int) -> bool:
    return time_of_day("09:30") < at < time_of_day("16:00")


def _us_day(closing_call: TimeOfDay | None) -> list[StepSettings]:
    close = time_of_day("16:00")
    closing = (
        StepSettings(at=close, auction="closing")
        if closing_call is None
        else StepSettings(at=closing_call, phase="closing_call")
    )
    imbalances = [
        StepSettings(at=time_of_day("15:50"), imbalance_ms=10_000, name="imbalance every 10 s"),
        StepSettings(at=time_of_day("15:55"), imbalance_ms=1_000, name="imbalance every second"),
    ]
    return [
        StepSettings(at=time_of_day("09:28"), phase="opening_call"),
        StepSettings(at=time_of_day("09:30"), phase="continuous", name="open"),
        *(step for step in imbalances if step.at < closing.at),
        closing,
        StepSettings(at=close, phase="closed", name="close"),
    ]
