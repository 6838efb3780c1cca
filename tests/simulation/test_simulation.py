"""A whole node under a seed: lost and overtaking datagrams, streams cut at any byte, a venue and a node that die.

`OPENBELL_SIMULATIONS=2000 make test ARGS=tests/simulation` runs more seeds; a failing one is `OPENBELL_SEED`.
"""

import os
from pathlib import Path

import pytest
from tests.simulation.world import STRATEGY, World, capacity

from openbell import _native as native
from openbell import events
from openbell.types import RECORDS, OrderState, Type
from oracles.order_records import fields_of

SEEDS = int(os.environ.get("OPENBELL_SIMULATIONS", "50"))
STEPS = 1_500


@pytest.mark.parametrize("run", range(SEEDS))
def test_after_the_faults_the_node_knows_what_the_venue_knows(run: int, seed: int, tmp_path: Path):
    world = World(f"{seed}-{run}", tmp_path)
    world.run(STEPS)
    world.heal()

    assert world.account() == world.venue.holding()
    assert world.open_orders() == world.venue.open_orders()
    assert world.touch() == world.venue.touch()
    assert all(order.state in (OrderState.NEW, OrderState.PARTIALLY_FILLED) for order in world.engine.live_orders())
    assert not world.engine.is_halted(STRATEGY)

    world.wind_down()
    world.close()
    assert world.venue.open_orders() == []
    replayed = native.Engine(capacity())
    report = native.replay_journal(replayed, str(world.journal_dir), str(world.hot_dir))
    assert (report.core_differs_at, report.what) == (0, "")
    assert replayed.state_hash == world.engine.state_hash


@pytest.mark.parametrize("run", range(3))
def test_the_same_seed_gives_the_same_journal(run: int, seed: int, tmp_path: Path):
    journals = []
    for name in ("first", "second"):
        world = World(f"same {seed}-{run}", tmp_path / name)
        world.run(STEPS)
        world.wind_down_from_anywhere()
        journals.append(world.frames())

    assert len(journals[0]) > 300
    assert journals[0] == journals[1]


def test_timers_that_are_due_fire_before_the_next_frame(seed: int, tmp_path: Path):
    world = World(f"timers {seed}", tmp_path)
    deadline = world.engine.next_deadline
    world.clock.advance_to(deadline + 1)

    world.node.submit(events.control(Type.HEARTBEAT))

    came_in = [frame for frame in world.frames() if frame[0] == 1]
    assert [Type(frame[-1][0]) for frame in came_in[-2:]] == [Type.TIMER, Type.HEARTBEAT]
    (timer,) = fields_of(came_in[-2][-1], RECORDS["Timer"])
    assert timer["ts_event"] == deadline
