"""The order connection is cut in the middle of messages: the node logs in again and agrees with the venue."""

import os
import random

import pytest

from chaos.proxy import CutProxy
from chaos.world import World, wait_for

CUTS = int(os.environ.get("OPENBELL_CUTS", "10"))
FRAMES_BETWEEN_CUTS = (20, 400)


@pytest.mark.parametrize("cancel_on_disconnect", [True, False], ids=["cancel-on-disconnect", "orders-survive"])
def test_a_cut_connection_loses_and_doubles_nothing(tmp_path, hot, repo, seed, cancel_on_disconnect):
    draw = random.Random(seed)
    with (
        World(
            tmp_path,
            hot,
            cancel_on_disconnect=cancel_on_disconnect,
            seed=seed % 2**31,
            strategy=repo / "strategies" / "market_maker.py",
        ) as world,
        CutProxy(world.ready["order_entry"]) as proxy,
    ):
        world.reroute_orders(f"127.0.0.1:{proxy.port}")
        world.start()
        world.wait_resolved(1)
        for cut in range(1, CUTS + 1):
            target = world.committed_seq() + draw.randint(*FRAMES_BETWEEN_CUTS)
            wait_for(lambda target=target: world.alive() and world.committed_seq() >= target, f"frame {target}")
            proxy.cut()
            wait_for(lambda cut=cut: proxy.connections > cut, "the node to connect again")
            wait_for(lambda: world.alive() and world.follow().is_session_up, "the session to be resolved")
        world.set_trading("H")
        wait_for(lambda: world.alive() and world.node_view() == world.venue_view(), "node and venue to agree", 20.0)
        fills, accepted = world.reports()
        ledger = world.ledger()
        assert max(fills.values()) == 1
        assert max(accepted.values()) == 1
        assert sum(fills.values()) == len(ledger["fills"]) > 0
        assert proxy.cuts == CUTS
