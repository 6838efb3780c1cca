"""The standby of a node takes over when the kernel says that it has died, not before, and only as its equal."""

import os
import signal

from chaos.audit import Audit
from chaos.kills import agree
from chaos.world import World, wait_for

TAKE_OVERS = 2


def world_of(tmp_path, hot, repo, seed) -> World:
    maker = repo / "strategies/market_maker.py"
    return World(tmp_path, hot, cancel_on_disconnect=True, seed=seed % 2**31, strategy=maker, durability="local")


def test_the_standby_takes_over_and_nothing_is_lost_or_doubled(tmp_path, hot, repo, seed):
    with world_of(tmp_path, hot, repo, seed) as world:
        audit = Audit(world.directory / "journal", hot)
        world.start()
        for epoch in range(2, 2 + TAKE_OVERS):
            world.wait_resolved(epoch - 1)
            world.stand_by()
            world.set_trading("T")
            target = world.committed_seq() + 300
            wait_for(lambda target=target: world.alive() and world.committed_seq() >= target, f"frame {target}")
            assert world.standby.poll() is None
            world.kill9()
            world.promote()
            world.wait_resolved(epoch)
            world.set_trading("H")
            agree(world)
            audit.expect_nothing_lost(world.ledger())
        assert audit.counts()["fills"] > 0
        log = (world.directory / "openbell.node.standby.log").read_text()
        assert log.count("taken over by the standby") == TAKE_OVERS


def test_a_node_that_is_only_stopped_is_not_dead_and_one_that_was_ended_never_writes_again(tmp_path, hot, repo, seed):
    with world_of(tmp_path, hot, repo, seed) as world:
        world.start()
        world.wait_resolved(1)
        world.stand_by()
        os.kill(world.trading.pid, signal.SIGSTOP)
        frames = world.committed_seq()
        world.ledger()  # the exchange has gone on meanwhile
        assert world.standby.poll() is None and world.follow().epoch == 1
        assert world.committed_seq() == frames

        stopped = world.trading
        stopped.kill()  # as the watchdog ends who is silent: by its descriptor, stopped or not
        world.promote()
        world.wait_resolved(2)
        assert stopped.wait() == -signal.SIGKILL
        seen = world.committed_seq()
        wait_for(lambda: world.alive() and world.committed_seq() > seen + 50, "the standby to trade")


def test_a_standby_that_would_decide_otherwise_says_so_and_ends(tmp_path, hot, repo, seed):
    with world_of(tmp_path, hot, repo, seed) as world:
        world.start()
        world.wait_resolved(1)
        text = world.config_path.read_text()
        world.config_path.write_text(
            text.replace('class = "MarketMaker"', 'class = "MarketMaker"\nparams = { size = 50 }')
        )
        other = world._spawn("openbell.node.standby", str(world.config_path))
        assert other.wait(60) == 2
        said = (world.directory / "openbell.node.standby.log").read_text()
        assert "found other" in said or "to decide what the node has journalled for seq" in said
        assert world.alive()
