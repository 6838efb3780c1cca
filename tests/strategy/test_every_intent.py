"""Machine code and Python say the same intents, hear the same signals and take the same parameters."""

from openbell import _native as native
from openbell import events
from openbell.node.record import machine_code
from openbell.types import Type
from strategy.every_intent import EveryIntent
from strategy.world import World, halted, kinds


def run(*, is_compiled: bool) -> list[list[bytes]]:
    world = World(EveryIntent())
    if is_compiled:
        world.host = native.StrategyHost()
        world.host.add_compiled(0, "EveryIntent", EveryIntent(), ["SYM0"], machine_code(EveryIntent))
    size = next(cell.offset for cell in EveryIntent.layout().cells if cell.name == "size")
    world.start(has_book=False)
    said = [world.book(1)]
    said.append(world.frame(events.signal(7, 12.0, ts_ns=5, strategy=0, instrument=0)))
    world.frame(events.parameter(0, size, 9, "size"))
    said.append(world.book(2))
    return said


def test_every_intent_is_said_alike_in_both_speeds():
    compiled, interpreted = run(is_compiled=True), run(is_compiled=False)

    assert [halted(one) for one in interpreted] == ["", "", ""]
    assert [kinds(one).count(Type.INTENT) for one in interpreted] == [10, 1, 9]
    assert interpreted == compiled
