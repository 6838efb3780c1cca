"""Another version of a class while the engine goes on: what it takes over, when it is called; a replay knows it."""

import struct

import pytest
from tests.engine import desk as d

from openbell import _native as native
from openbell import events
from openbell._native import OperatorVerb
from openbell.errors import StrategyError
from openbell.strategy import Array, State, Strategy, array, param
from openbell.strategy.carry import Carry, carry, leaves_of
from openbell.types import Type
from strategy.world import World, halted, kinds

VERSION = 7


class Leg(State):
    qty: int = 0
    px: float = 1.5


class Old(Strategy):
    step: int = param(1, ge=1, le=100)
    size: int = param(3)
    books: int = 0
    gone: float = 2.5
    leg: Leg = Leg()
    last: Array[int] = array(int, 2)

    def on_book(self, ctx, book):
        self.books += self.step
        self.leg.qty += 2
        self.last[1] = self.books


class LongLeg(State):
    hops: int = 4
    px: float = 1.5
    qty: int = 0


class New(Strategy):
    size: int = param(3)
    step: int = param(1, ge=1, le=50)
    starts: int = 0
    last: Array[int] = array(int, 2)
    mean: float = 0.25
    leg: LongLeg = LongLeg()
    books: int = 0

    def on_start(self, ctx):
        self.starts += 1

    def on_book(self, ctx, book):
        self.books += 1_000 * self.step
        ctx.quote(book.instrument, bid_px=book.bid_px, bid_qty=self.size)


class Other(Strategy):
    books: float = 0.0


def word(strategy, name):
    return next(leaf.offset for leaf in leaves_of(strategy) if leaf.name == name)


def test_fields_of_one_name_and_type_are_carried_wherever_they_lie():
    found = carry(leaves_of(Old), New(), {})
    at = {leaf.name: leaf.offset for leaf in leaves_of(New)}
    assert found.carries == (
        Carry(0, 0, 1),
        Carry(at["last"], word(Old, "last"), 2),
        Carry(at["mean"], 0, 0, struct.unpack("<Q", struct.pack("<d", 0.25))[0]),
        Carry(at["leg.hops"], 0, 0, 4),
        Carry(at["leg.px"], word(Old, "leg.px"), 1),
        Carry(at["leg.qty"], word(Old, "leg.qty"), 1),
        Carry(at["books"], word(Old, "books"), 1),
    )
    assert found.says == ("new starts", "new mean", "new leg.hops", "without gone")


def test_the_same_fields_are_carried_as_one():
    assert carry(leaves_of(Old), Old(), {}).carries == (Carry(0, 0, Old.layout().state_words),)


def test_a_field_of_another_type_is_refused_and_so_is_a_changed_parameter_out_of_bounds():
    with pytest.raises(StrategyError, match=r"Other.books: expected int, as the version that runs has it, found float"):
        carry(leaves_of(Old), Other(), {})
    with pytest.raises(StrategyError, match=r"New.step: expected 1 <= step <= 50 , found 60"):
        carry(leaves_of(Old), New(), {word(Old, "step"): 60})


class Turns(World):
    """A world whose strategy 0 may be replaced."""

    def __init__(self, probe=None):
        super().__init__(Old(), probe)
        self.asked = []
        self.host.set_versions(native.FoundVersions(self.find))

    def find(self, strategy, version):
        self.asked.append((strategy, version))
        return (New() if version == VERSION else Old()), None

    def tell(self, verb):
        return self.frame(events.control(Type.OPERATOR, code=int(verb), strategy=0))

    def announce(self, changed=None):
        for n, one in enumerate(carry(leaves_of(Old), New(), changed or {}).carries):
            self.frame(events.carry(0, one.new, one.old, one.words, one.bits, is_first=n == 0))

    def replace(self, changed=None):
        self.announce({1: 5})  # one that was given up
        self.announce(changed)
        self.tell(OperatorVerb.STRATEGY_STOP)
        words = {"state_bytes": 8 * New.layout().state_words, "strategies": bytes(range(16)), "source": "ab" * 16}
        self.frame(events.replaced(0, VERSION, **words))
        return self.tell(OperatorVerb.STRATEGY_START)

    def state(self):
        return struct.unpack("<QqqqdqdqQ"[:9], self.probe.engine.strategy_state(0)[:64])[1:]


def test_the_new_version_begins_with_what_the_old_one_knew_unsaid_or_not():
    world = Turns()
    world.start()
    for n in range(5):
        assert world.book(10 + n) == [], "what it only observed is not journalled in every frame"
    world.frame(events.parameter(0, word(Old, "step"), 2))
    assert kinds(world.replace({word(Old, "step"): 2})) == [Type.STRATEGY_STATE]
    starts, first, second, mean, hops, px, qty = world.state()
    assert (starts, first, second, mean, hops, px, qty) == (1, 0, 6, 0.25, 4, 1.5, 12)
    assert world.asked == [(0, VERSION)]
    assert world.probe.engine.strategy_version(0) == VERSION
    assert world.probe.engine.started[40:56] == bytes(range(16))
    assert world.probe.engine.parameters == [(0, word(New, "step"), 2)]
    assert kinds(world.book(30)) == [Type.INTENT, Type.STRATEGY_STATE]
    assert struct.unpack("<q", world.probe.engine.strategy_state(0)[-8:]) == (2_006,)


def test_a_replay_runs_each_version_where_it_ran_and_a_core_replay_needs_neither(tmp_path):
    world = Turns()
    world.start()
    world.book(10)
    world.replace()
    world.book(30)
    again = Turns()
    report = world.replay(tmp_path / "again", again.host)
    assert (report.core_differs_at, report.strategy_differs_at) == (0, 0)
    assert again.asked == [(0, VERSION)]
    stays = native.StrategyHost()
    stays.add(0, "Old", Old(), ["SYM0"])
    assert world.replay(tmp_path / "stays", stays).strategy_differs_at > 0
    assert world.replay(tmp_path / "core", None).core_differs_at == 0


def test_a_start_from_a_snapshot_becomes_the_version_of_the_journal():
    world = Turns()
    world.start()
    world.book(10)
    world.replace()
    probe = native.EngineProbe(d.capacity())
    probe.engine.load(world.probe.engine.save())
    later = Turns(probe)
    later.seq = world.seq
    later.frame(events.started(node=1, epoch=2, now_ns=1, seed=7, strategies=bytes(range(16))))
    assert later.asked == [(0, VERSION)]
    assert later.state()[0] == 2, "on_start of the new version, with its state"
    later.frame(events.started(node=1, epoch=3, now_ns=1, seed=7, strategies=bytes(16)))
    assert later.probe.engine.strategy_version(0) == 0, "other strategies are configured: those count"


def test_a_version_that_cannot_be_had_halts_the_strategy_and_is_asked_for_again():
    world = Turns()
    world.start()

    def fails(strategy, version):
        world.asked.append((strategy, version))
        raise StrategyError("no such file")

    world.host.set_versions(native.FoundVersions(fails))
    said = world.replace()
    assert halted(said) == "StrategyError: no such file (test_replaced.py:182)"
    world.host.set_versions(native.FoundVersions(world.find))
    world.frame(events.arm(native.ArmState.FULL, after_kill=True, strategy=0))
    assert kinds(world.book(30)) == [Type.INTENT, Type.STRATEGY_STATE]
    assert world.state()[0] == 1, "it begins with on_start"
