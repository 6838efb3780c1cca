"""The trading day: steps in order, once, however late somebody asks; and imbalances in between."""

import random

import pytest

from openbell._native import Auction, Phase, Schedule, ScheduleRules, StepKind
from openbell.errors import SnapshotError
from oracles.schedule import OracleSchedule

NEVER = 2**63 - 1
MIDNIGHT = 1_000
# (at, kind, phase, interval, name), as the oracle takes them.
DAY = [
    (100, "PHASE", "OPENING_CALL", 0, "opening call"),
    (120, "PHASE", "CONTINUOUS", 0, "open"),
    (180, "IMBALANCE", "CLOSED", 5, "imbalance before the close"),
    (200, "AUCTION", "CLOSED", 0, "closing auction"),
    (200, "PHASE", "CLOSED", 0, "close"),
]


def native(steps, call_interval=4):
    rows = [
        (at, StepKind[kind], Phase[phase], Auction.CLOSING, interval, name) for at, kind, phase, interval, name in steps
    ]
    return Schedule(ScheduleRules(rows, call_interval))


class Venue:
    """A venue whose phase follows the schedule; keeps what was due."""

    def __init__(self, schedule, steps, phase_of=lambda name: name):
        self.schedule = schedule
        self.phases = {name: phase for _, kind, phase, _, name in steps if kind == "PHASE"}
        self.phase_of = phase_of
        self.told = []

    def until(self, now):
        """Do everything due by `now`; what it was."""
        seen = len(self.told)
        while due := self.schedule.next(now):
            self.told.append(due)
            at, name = due
            if name in self.phases:
                self.enter(self.phases[name], at)
        return self.told[seen:]

    def enter(self, phase, now):
        self.schedule.on_phase(self.phase_of(phase), now)


def venue(steps=DAY, call_interval=4):
    day = Venue(native(steps, call_interval), steps, lambda name: Phase[name])
    day.schedule.open_day(MIDNIGHT)
    return day


def test_steps_come_at_their_time():
    day = venue(call_interval=0)

    assert day.until(MIDNIGHT + 99) == []
    assert day.schedule.next_due == MIDNIGHT + 100
    assert day.until(MIDNIGHT + 100) == [(MIDNIGHT + 100, "opening call")]
    assert day.until(MIDNIGHT + 119) == []
    assert day.until(MIDNIGHT + 120) == [(MIDNIGHT + 120, "open")]


def test_a_late_call_gives_everything_missed_in_order_once():
    day = venue(call_interval=0)

    assert day.until(MIDNIGHT + 1_000) == [
        (MIDNIGHT + 100, "opening call"),
        (MIDNIGHT + 120, "open"),
        (MIDNIGHT + 180, "imbalance before the close"),
        (MIDNIGHT + 195, None),
        (MIDNIGHT + 200, "closing auction"),
        (MIDNIGHT + 200, "close"),
    ]
    assert (day.until(MIDNIGHT + 9_000), day.schedule.next_due) == ([], NEVER)


def test_the_day_begins_anew_with_its_midnight():
    day = venue(call_interval=0)
    day.until(MIDNIGHT + 1_000)
    day.schedule.open_day(MIDNIGHT + 5_000)

    assert day.schedule.scheduled_phase == Phase.CLOSED
    assert [name for _, name in day.until(MIDNIGHT + 5_120)] == ["opening call", "open"]
    assert day.schedule.scheduled_phase == Phase.CONTINUOUS


def test_before_a_day_is_opened_nothing_is_due():
    assert (native(DAY).next(10**18), native(DAY).next_due) == (None, NEVER)


def test_a_call_tells_its_imbalance_at_once_and_on_its_timer():
    day = venue()

    assert [day.until(MIDNIGHT + t) for t in (100, 103, 104, 107, 119)] == [
        [(MIDNIGHT + 100, "opening call"), (MIDNIGHT + 100, None)],
        [],
        [(MIDNIGHT + 104, None)],
        [],
        [(MIDNIGHT + 116, None)],
    ]
    assert day.until(MIDNIGHT + 150) == [(MIDNIGHT + 120, "open")]


def test_of_missed_imbalances_the_last_before_a_step_is_told():
    day = venue()

    assert day.until(MIDNIGHT + 121) == [
        (MIDNIGHT + 100, "opening call"),
        (MIDNIGHT + 116, None),
        (MIDNIGHT + 120, "open"),
    ]


def test_before_the_close_imbalances_are_told_while_trading_is_continuous():
    day = venue()
    day.until(MIDNIGHT + 179)

    assert day.until(MIDNIGHT + 180)[1:] == [(MIDNIGHT + 180, None)]
    day.enter("HALTED", MIDNIGHT + 182)
    assert day.until(MIDNIGHT + 190) == []
    day.enter("CONTINUOUS", MIDNIGHT + 191)
    assert [day.until(MIDNIGHT + t) for t in (191, 195)] == [[(MIDNIGHT + 191, None)], []]
    assert day.until(MIDNIGHT + 196) == [(MIDNIGHT + 196, None)]


def test_a_halted_instrument_finds_where_the_schedule_is():
    day = venue()
    day.until(MIDNIGHT + 110)
    day.enter("HALTED", MIDNIGHT + 111)
    day.schedule.next(MIDNIGHT + 130)

    assert day.schedule.scheduled_phase == Phase.CONTINUOUS


def test_always_open_is_one_step_at_midnight():
    assert Schedule(ScheduleRules([(0, StepKind.PHASE, Phase.CONTINUOUS, Auction.CLOSING, 0, "open")])).next(5) is None
    day = venue([(0, "PHASE", "CONTINUOUS", 0, "open")])

    assert day.until(MIDNIGHT) == [(MIDNIGHT, "open")]
    assert day.schedule.next_due == NEVER


@pytest.mark.parametrize("block", range(4))
def test_random_days_make_schedule_and_oracle_say_the_same(block, seed):
    phases = ["CLOSED", "OPENING_CALL", "CONTINUOUS", "CLOSING_CALL", "HALTED", "REOPENING_CALL"]
    for case in range(100):
        rng = random.Random(f"{seed} {block} {case}")
        times = sorted(rng.randint(0, 150) for _ in range(rng.randint(0, 7)))
        kinds = ("PHASE", "PHASE", "AUCTION", "IMBALANCE")
        steps = [
            (at, rng.choice(kinds), rng.choice(phases), rng.choice((0, 1, 3, 10)), f"step {n}")
            for n, at in enumerate(times)
        ]
        call_interval = rng.choice((0, 1, 4, 7))
        days = [
            Venue(native(steps, call_interval), steps, lambda name: Phase[name]),
            Venue(OracleSchedule(steps, call_interval), steps),
        ]
        now = MIDNIGHT
        for day in days:
            day.schedule.open_day(MIDNIGHT)
        for _ in range(25):
            now += rng.choice((0, 1, 2, 5, 30))
            phase = rng.choice(phases) if rng.random() < 0.3 else ""
            for day in days:
                day.until(now)
                if phase:
                    day.enter(phase, now)
                    day.until(now)

        assert days[0].told == days[1].told, f"{seed} {block} {case}: {steps}"
        assert days[0].schedule.scheduled_phase.name == days[1].schedule.scheduled


def test_a_saved_schedule_goes_on_where_it_was(rng):
    for _ in range(50):
        day, again = venue(), venue()
        stop = MIDNIGHT + rng.randint(90, 210)
        day.until(stop)
        again.schedule.load(day.schedule.save())

        assert again.until(MIDNIGHT + 300) == day.until(MIDNIGHT + 300)
        assert again.schedule.save() == day.schedule.save()


def test_a_snapshot_of_a_longer_day_is_refused():
    day = venue()
    day.until(MIDNIGHT + 300)

    with pytest.raises(SnapshotError, match="expected a schedule of at least 5 steps, found one of 2"):
        native(DAY[:2]).load(day.schedule.save())
