"""`openbell depth` beside a running node and its exchange."""

import json

import pytest
from tests.cli.world import World, openbell, wait_for

from openbell.node.card import read_card
from openbell.ops.depth import DepthFollower


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp("depth")) as made:
        made.run("--live")
        made.wait_for_orders()
        yield made


def test_a_slow_reader_gets_the_newest_depth_and_how_many_updates_it_stands_for(world):
    follower = DepthFollower(read_card(world.hot), levels=3)
    first = {change.symbol: change for change in follower.changes()}
    then = wait_for(lambda: {change.symbol: change for change in follower.changes()}, "a change")

    assert set(first) == {"OBEL", "RING"}
    assert all(change.is_valid and change.updates > 1 and change.trading == "TRADING" for change in first.values())
    for change in [*first.values(), *then.values()]:
        assert 1 <= len(change.bids) <= 3 and 1 <= len(change.asks) <= 3
        assert list(change.bids) == sorted(change.bids, reverse=True) and list(change.asks) == sorted(change.asks)
        assert change.bids[0][0] < change.asks[0][0]
        assert all(qty > 0 and orders > 0 for _, qty, orders in (*change.bids, *change.asks))
    assert all(change.seq > first[symbol].seq and change.updates >= 1 for symbol, change in then.items())


def test_nobody_is_told_twice_of_what_did_not_change(world):
    follower = DepthFollower(read_card(world.hot))
    updates = {change.symbol: change.updates for change in follower.changes()}
    for _ in range(20):
        for change in follower.changes():
            updates[change.symbol] += change.updates

    assert updates == dict(zip(["OBEL", "RING"], follower.updates[:2], strict=True))


def test_as_json_and_as_a_table(world):
    lines = openbell("depth", world.node_file, "--json", "--looks", 1, "--symbol", "RING", check=0).stdout.splitlines()
    shown = openbell("depth", world.node_file, "--looks", 1, "--levels", 2, check=0).stdout

    (ring,) = map(json.loads, lines)
    assert ring["symbol"] == "RING" and ring["is_valid"] and len(ring["bids"]) > 0
    assert "OBEL" in shown and "TRADING" in shown and "ask qty" in shown


@pytest.mark.parametrize("option", [("--every-s", -1), ("--levels", 0), ("--looks", -1)])
def test_what_cannot_be_is_refused_in_one_message(tmp_path, option):
    refused = openbell("depth", tmp_path, *option, check=2).stderr

    assert option[0] in refused and "Traceback" not in refused


def test_no_node_is_said_so(tmp_path):
    assert "expected a node's name" in openbell("depth", tmp_path / "nobody", check=2).stderr
