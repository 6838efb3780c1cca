"""A second node on the journal of a first one, as in two containers: own shared memory, one volume."""

import os
import signal
import subprocess
import sys

from tests.cli.world import ENV, WAIT_S, World, openbell, wait_for

from openbell.journal import open_journal


def test_a_second_node_on_one_journal_is_refused_and_the_first_trades_on(tmp_path):
    with World(tmp_path) as world:
        first = world.run("--live", "--json")
        world.wait_for_orders()
        second = tmp_path / "second.toml"
        second.write_text(world.node_file.read_text().replace('run_dir = "hot"', 'run_dir = "hot2"'))
        card = (world.journal / "card.json").read_bytes()

        refused = [
            openbell("run", second, "--live", check=2).stderr,
            by_hand("openbell.node.trading", second),
            by_hand("openbell.node.snapshots", second),
        ]

        for said in refused:
            assert f"expected {world.journal} to be free" in said, said
            assert f"hot folder {world.hot}, pid " in said and str(first.pid) in said and "stop that node first" in said
        assert (world.journal / "card.json").read_bytes() == card
        assert (world.journal / "EPOCH").read_text() == "1\n"
        fills = len(world.ledger()["fills"])
        wait_for(lambda: len(world.ledger()["fills"]) > fills, "another fill of the first node")
        first.send_signal(signal.SIGINT)
        assert first.communicate(timeout=WAIT_S) and first.returncode == 0
    assert openbell("journal", "verify", world.journal, check=0).stdout.rstrip().endswith("whole")
    assert {frame.epoch for frame in open_journal(world.journal)} == {1}


def by_hand(module: str, node_file: os.PathLike[str]) -> str:
    """What the module says on standard error; it must not start."""
    command = [sys.executable, "-m", module, str(node_file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False, env=ENV)
    assert done.returncode, done.stdout
    return done.stderr
