"""Values from outside and parameters changed while a strategy runs, as strategies are told of them."""

import math
import struct

import numpy as np
import pytest
from tests.engine import desk as d

from openbell import _native as native
from openbell import events
from openbell.strategy import Strategy, param
from openbell.types import NO_STRATEGY, RECORDS, Type
from strategy.world import World, halted, kinds


class Listens(Strategy):
    """Remembers what it was told."""

    size: int = param(5, ge=1, le=100)
    edge: float = param(0.5)
    is_on: bool = param(True)
    heard: float = 0.0
    number: int = 0
    sizes: int = 0

    def on_signal(self, _, signal):
        self.heard += signal.value
        self.number = signal.signal_id

    def on_book(self, *_):
        self.sizes = self.sizes * 1_000 + self.size
        self.edge + float(self.is_on)


def signal(value: float, strategy: int = NO_STRATEGY) -> bytes:
    return events.signal(7, value, ts_ns=5, strategy=strategy, instrument=0, uid=3, pid=4)


def words(strategy: type[Strategy]) -> dict[str, int]:
    return {cell.name: cell.offset for cell in strategy.layout().cells}


def listening() -> World:
    world = World(Listens())
    world.start()
    return world


def test_a_signal_is_told_and_what_it_changed_is_journalled_at_once():
    world = listening()
    assert kinds(world.frame(signal(0.25))) == [Type.STRATEGY_STATE]
    assert (world.strategy.heard, world.strategy.number) == (0.25, 7)


def test_a_signal_of_another_strategy_is_not():
    world = listening()
    assert world.frame(signal(1.0, strategy=1)) == []
    world.frame(signal(1.0, strategy=0))
    assert world.strategy.heard == 1.0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_told_to_nobody(value: float):
    world = listening()
    assert world.frame(signal(value)) == []
    assert world.strategy.heard == 0.0


def test_a_signal_is_48_bytes_in_the_journal():
    row = np.frombuffer(signal(2.5), RECORDS["Signal"])[0]
    assert (row["signal_id"], row["value"], row["uid"], row["pid"]) == (7, 2.5, 3, 4)


def test_parameters_change_together_between_two_frames():
    world, at = listening(), words(Listens)
    world.frame(events.parameter(0, at["size"], 9, "size", continues=True))
    world.book(2)
    assert world.strategy.size == 5  # more of the same change follows
    bits = struct.unpack("<Q", struct.pack("<d", 1.25))[0]
    world.frame(events.parameter(0, at["edge"], bits, "edge", continues=True))
    world.frame(events.parameter(0, at["is_on"], 0, "is_on"))
    assert halted(world.book(3)) == ""
    assert (world.strategy.size, world.strategy.edge, world.strategy.is_on) == (9, 1.25, False)
    assert world.strategy.sizes % 1_000 == 9
    assert world.probe.engine.parameters == [(0, at["size"], 9), (0, at["edge"], bits), (0, at["is_on"], 0)]


def test_what_is_no_parameter_changes_nothing():
    world, at = listening(), words(Listens)
    for word in (0, at["heard"], 99):
        world.frame(events.parameter(0, word, 1))
    world.frame(events.parameter(1, at["size"], 50))
    assert halted(world.book(2)) == ""
    assert (world.strategy.size, world.strategy.heard) == (5, 0.0)


def test_they_hold_over_a_restart_until_the_configuration_changes():
    world, at = listening(), words(Listens)
    world.frame(events.parameter(0, at["size"], 9))
    probe = native.EngineProbe(d.capacity())
    probe.engine.load(world.probe.engine.save())

    again = World(Listens(), probe)
    again.seq = world.seq
    again.frame(events.started(node=1, epoch=2, now_ns=1, seed=7))
    again.book(5)
    assert again.strategy.size == 9

    other = World(Listens(), probe)
    other.seq = again.seq
    other.frame(events.started(node=1, epoch=3, now_ns=1, seed=7, config=b"another"))
    other.book(6)
    assert other.strategy.size == 5
    assert probe.engine.parameters == []
