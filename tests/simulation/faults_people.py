"""What people do at the wrong moment: kills, arming, limits, parameters, orderly ends; all by the ways they have."""

import random

from tests.simulation import market as m
from tests.simulation.day import Day
from tests.simulation.faults import fault
from tests.simulation.process import POSITION_MAX, QTY_MAX, RESTLESS

from openbell import events
from openbell.types import ArmState, KillLevel, LimitKind, LimitScope

KILLED_STEPS = (10, 80)
UID = 1_000
WARDEN_PATIENCE_NS = 50_000_000


def _kill(day: Day, level: KillLevel) -> None:
    if (cell := day.node.kill_cell()) is not None:
        cell.request(level, day.clock.now_ns(), UID)


def _release_later(day: Day, rng: random.Random) -> None:
    day.later(rng.randint(*KILLED_STEPS), lambda: day.arm(ArmState.FULL, after_kill=True))


@fault("soft kill", "F39")
def soft_kill(day: Day, rng: random.Random) -> None:
    _kill(day, KillLevel.SOFT)
    _release_later(day, rng)


@fault("hard kill", "F39")
def hard_kill(day: Day, rng: random.Random) -> None:
    _kill(day, KillLevel.HARD)
    _release_later(day, rng)


@fault("cord", "F39", weight=0.5)
def cord(day: Day, rng: random.Random) -> None:
    """The warden's part, the shut socket, is done here: its thread has no place in a simulation."""
    _kill(day, KillLevel.CORD)
    for stream in day.node.streams:
        stream.shutdown()
    _release_later(day, rng)


@fault("warden", "F39", weight=0.5)
def warden(day: Day, rng: random.Random) -> None:
    """The trading process hangs as a kill comes: its patience over, the warden shuts the socket beside it."""
    if day.node.native is None:
        return
    _kill(day, KillLevel.HARD)
    day.clock.advance(WARDEN_PATIENCE_NS)
    day.paused_until_ns = day.clock.now_ns() + rng.choice([1_000_000, 10_000_000])
    for stream in day.node.streams:
        stream.shutdown()
    _release_later(day, rng)


@fault("kill of a strategy", "F39")
def kill_of_a_strategy(day: Day, rng: random.Random) -> None:
    """Or of an instrument: the ticket, then the record by the ring."""
    if (cell := day.node.kill_cell()) is None:
        return
    scope = {"strategy": RESTLESS} if rng.random() < 0.5 else {"instrument": rng.randrange(len(m.SYMBOLS))}
    record = events.kill(rng.choice([KillLevel.SOFT, KillLevel.HARD]), ticket=cell.ask_scoped(), uid=UID, **scope)
    day.node.submit(record)
    release = events.arm(ArmState.FULL, after_kill=True, **scope)
    day.later(rng.randint(*KILLED_STEPS), lambda: day.node.submit(release))


@fault("sender of a kill dies", "F39", weight=0.3)
def sender_of_a_kill_dies(day: Day, rng: random.Random) -> None:
    """It has shut the gate and not said for whom: the next one, or a release, opens it."""
    if (cell := day.node.kill_cell()) is not None:
        cell.ask_scoped()
        _release_later(day, rng)


@fault("kill and release at once", "F39")
def kill_and_release_at_once(day: Day, rng: random.Random) -> None:
    """Two people: one releases what the other has just asked for again."""
    day.arm(ArmState.FULL, after_kill=True)
    _kill(day, KillLevel.HARD)
    _release_later(day, rng)


@fault("armed twice", "F39")
def armed_twice(day: Day, rng: random.Random) -> None:
    day.arm(ArmState.FULL)
    day.arm(ArmState.FULL)


@fault("armed lower", "F39", weight=2)
def armed_lower(day: Day, rng: random.Random) -> None:
    """For a while."""
    day.arm(rng.choice([ArmState.CANCEL_ONLY, ArmState.REDUCE_ONLY, ArmState.LIMITED]))
    day.later(rng.randint(20, 120), lambda: day.arm(ArmState.FULL))


@fault("cancel all", "F39")
def cancel_all(day: Day, rng: random.Random) -> None:
    day.node.submit(events.cancel_all("sim"))
    day.later(rng.randint(5, 40), lambda: day.arm(ArmState.FULL))


@fault("limit lowered", "F38")
def limit_lowered(day: Day, rng: random.Random) -> None:
    """A typo: a tenth, or nothing at all; and taken back."""
    instrument = rng.randrange(len(m.SYMBOLS))
    kind, value = rng.choice([(LimitKind.ORDER_QTY, QTY_MAX), (LimitKind.POSITION_LONG, POSITION_MAX)])

    def give(value: int) -> None:
        day.node.submit(
            events.limit(kind, value, scope=LimitScope.INSTRUMENT, instrument=instrument, version=2, owner="sim")
        )

    give(rng.choice([0, value // 10]))
    day.later(rng.randint(10, 100), lambda: give(value))


@fault("limit x1000", "F38")
def limit_x1000(day: Day, rng: random.Random) -> None:
    """The perimeter has a limit of its own."""
    instrument = rng.randrange(len(m.SYMBOLS))

    def give(value: int) -> None:
        day.node.submit(
            events.limit(
                LimitKind.ORDER_QTY, value, scope=LimitScope.INSTRUMENT, instrument=instrument, version=2, owner="sim"
            )
        )

    give(QTY_MAX * 1_000)
    day.later(rng.randint(10, 100), lambda: give(QTY_MAX))


@fault("parameter", "F39")
def parameter(day: Day, rng: random.Random) -> None:
    """A parameter of a running strategy: larger than a limit, now and then."""
    from tests.simulation.strategies import Restless

    size = next(cell.offset for cell in Restless.layout().cells if cell.name == "size")
    day.node.submit(events.parameter(RESTLESS, size, rng.choice([5, 20, 60, 150]), "size"))


@fault("position moved by hand", "F39")
def position_moved_by_hand(day: Day, rng: random.Random) -> None:
    """Of a fill that the venue never made: what may be opened is judged by the new position at once."""
    lots, px = rng.choice([-60, -5, 5, 60]), rng.randint(1, 1_000_000)
    day.node.submit(
        events.adjustment(RESTLESS, rng.randrange(len(m.SYMBOLS)), qty=lots, px=px, by=events.By(UID, why="sim"))
    )


@fault("signal", "")
def signal(day: Day, rng: random.Random) -> None:
    """No fault: a value from another process."""
    day.node.submit(events.signal(1, rng.random(), ts_ns=day.clock.now_ns(), strategy=RESTLESS, instrument=0))


@fault("orderly stop", "F3", weight=1.5)
def orderly_stop(day: Day, rng: random.Random) -> None:
    """Ctrl-C in the middle of the day: cancels are confirmed, the journal is closed, and it starts again."""
    day.begin_stop()
