"""The connections of a node are cut, held, broken up, and lose datagrams: it agrees with the venue all the same."""

import os
import random

import pytest

from chaos.kills import agree
from chaos.proxy import CHUNK_BYTES, IN, OUT, TcpProxy, UdpRelay
from chaos.world import World, wait_for
from configurations import free_udp_port

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
        TcpProxy(world.ready["order_entry"]) as proxy,
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
        expect_nothing_lost_or_doubled(world)
        assert proxy.cuts == CUTS


def expect_nothing_lost_or_doubled(world: World) -> None:
    """The market stands still; then both know the same, and every report was told once."""
    world.set_trading("H")
    agree(world)
    fills, accepted = world.reports()
    assert max(fills.values()) == 1
    assert max(accepted.values()) == 1
    assert sum(fills.values()) == len(world.ledger()["fills"]) > 0


def test_what_is_held_one_way_or_both_or_comes_by_single_bytes_is_lost_nowhere(tmp_path, hot, repo, seed):
    maker = repo / "strategies" / "market_maker.py"
    with (
        World(tmp_path, hot, cancel_on_disconnect=True, seed=seed % 2**31, strategy=maker) as world,
        TcpProxy(world.ready["order_entry"]) as proxy,
    ):
        world.reroute_orders(f"127.0.0.1:{proxy.port}")
        world.start()
        world.wait_resolved(1)

        def trade_on(frames: int = 200) -> None:
            target = world.committed_seq() + frames
            wait_for(lambda: world.alive() and world.committed_seq() >= target, f"frame {target}")

        for held in ((OUT,), (IN,), (OUT, IN)):
            trade_on()
            proxy.hold(*held)
            trade_on()
            before = dict(proxy.forwarded)
            trade_on()
            assert all(proxy.forwarded[way] == before[way] for way in held), "it was held"
            proxy.hold()
            wait_for(lambda held=held, was=before: all(proxy.forwarded[w] > was[w] for w in held), "what was held")
        proxy.chunk_bytes = 1
        trade_on()
        proxy.chunk_bytes = CHUNK_BYTES
        expect_nothing_lost_or_doubled(world)
        assert proxy.connections == 1, "none of it was a reason to begin anew"


def test_a_feed_that_loses_doubles_and_reorders_between_processes_leaves_the_same_books(tmp_path, hot, repo, seed):
    maker, port = repo / "strategies" / "market_maker.py", free_udp_port()
    with (
        World(tmp_path, hot, cancel_on_disconnect=True, seed=seed % 2**31, strategy=maker) as world,
        UdpRelay(world.feed, port, seed, 0.05) as relay,
    ):
        world.reroute_feed(port)
        world.start()
        world.wait_resolved(1)
        wait_for(lambda: min(relay.lost, relay.doubled, relay.overtaken) > 20, "harm")
        wait_for(lambda: world.reports()[0], "a fill")
        relay.heal()
        expect_nothing_lost_or_doubled(world)
        engine = world.follow()
        assert all(engine.is_book_valid(i) for i in range(engine.instruments))
        assert not engine.book_faults
