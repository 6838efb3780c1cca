"""kill -9 of the node under load: after every restart the node and the exchange agree to the last share and cent.

`OPENBELL_KILLS=200` runs the long version (half with cancel-on-disconnect, half without).
"""

import os
import random
import struct

import pytest

from chaos.world import World, wait_for

KILLS = int(os.environ.get("OPENBELL_KILLS", "8"))
FRAMES_BETWEEN_KILLS = (20, 1500)


def assert_agreement(world: World) -> None:
    """Positions, cash and open orders equal the venue's; the flow stands still while we look."""
    wait_for(lambda: world.alive() and world.node_view() == world.venue_view(), "node and venue to agree", 20.0)


@pytest.mark.parametrize("cancel_on_disconnect", [True, False], ids=["cancel-on-disconnect", "orders-survive"])
def test_kill_9_loses_and_doubles_nothing(tmp_path, hot, repo, seed, cancel_on_disconnect):
    draw = random.Random(seed)
    with World(
        tmp_path,
        hot,
        cancel_on_disconnect=cancel_on_disconnect,
        seed=seed % 2**31,
        strategy=repo / "strategies" / "market_maker.py",
    ) as world:
        for kill in range(1, KILLS // 2 + 1):
            world.start()
            world.wait_resolved(kill)
            assert_agreement(world)
            world.set_trading("T")
            target = world.committed_seq() + draw.randint(*FRAMES_BETWEEN_KILLS)
            wait_for(lambda target=target: world.alive() and world.committed_seq() >= target, f"frame {target}")
            world.kill9()
            world.set_trading("H")
        world.start()
        world.wait_resolved(KILLS // 2 + 1)
        assert_agreement(world)

        fills, accepted = world.reports()
        ledger = world.ledger()
        assert max(fills.values(), default=1) == 1, "a fill was counted twice"
        assert max(accepted.values(), default=1) == 1, "an order was accepted twice"
        assert sum(fills.values()) == len(ledger["fills"]), "a fill was missed"
        assert ledger["fills"], "nothing was traded: the test showed nothing"
        print(
            f"{KILLS // 2} kills, {len(accepted)} orders, {len(ledger['fills'])} fills, {world.committed_seq()} frames"
        )
        state = world.follow().strategy_state(1)
        counted, volume = struct.unpack_from("<qq", state, 8)
        assert counted == len(ledger["fills"]), "the strategy's own count did not survive"
        assert volume == sum(fill["qty"] for fill in ledger["fills"])
