"""`openbell watchdog` over real processes: the trading process is stopped by a signal, and every order is cancelled."""

import json
import os
import signal
import time

import pytest
from tests.cli.world import World, far_strategy, openbell, wait_for

from configurations import watched
from openbell.ops.find import read_page

WITHIN_S = 2.0


@pytest.fixture
def world(tmp_path):
    with World(tmp_path) as made:
        yield made


def watch(world: World, *lines: str):
    """The node with four resting orders, and a watchdog over it."""
    world.write_node(strategy=far_strategy(world.home), strategy_class="Far")
    text = world.node_file.read_text()
    world.node_file.write_text(watched(text, *lines))
    world.run("--live")
    world.wait_for_orders()
    dog = world.spawn("watchdog", world.node_file)
    assert "its heart beats" in dog.stdout.readline()
    return dog


def stop_engine(world: World) -> tuple[int, float]:
    """SIGSTOP; the process, and seconds until the venue held no order of ours."""
    pid, began = read_page(world.hot).writer_pid, time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: not world.open_orders(), "every order to be cancelled")
    return pid, time.monotonic() - began


def log(world: World) -> list[dict]:
    return [json.loads(line) for line in (world.journal / "watchdog.jsonl").read_text().splitlines()]


def test_a_stopped_engine_loses_its_session_to_a_login_and_comes_back_killed(world):
    dog = watch(world, 'act = "login"')
    pid, took_s = stop_engine(world)
    assert took_s < WITHIN_S
    said = wait_for(lambda: [e for e in log(world) if e["what"] == "stopped"], "its word")[0]
    assert said["open"] == 4
    assert said["left"] == []
    assert "logged in as NODE1, which ended its session" in said["done"]

    before = world.ledger()["orders"]
    os.kill(pid, signal.SIGCONT)
    wait_for(
        lambda: world.status()["kill"] == "HARD" and world.status()["orders"] == [], "the node's own account of it"
    )
    assert [o["token"] for o in world.ledger()["orders"]] == [o["token"] for o in before]

    dog.send_signal(signal.SIGTERM)
    out, _ = dog.communicate(timeout=30)
    assert dog.returncode == 0
    assert "4 orders were open by the journal, 4 confirmed closed" in out
    assert [e["what"] for e in log(world)] == ["began", "stopping", "stopped", "left"]


def test_a_stopped_engine_is_ended_and_its_successor_comes_up_killed(world):
    watch(world, 'act = "end"')
    pid, took_s = stop_engine(world)
    assert took_s < WITHIN_S
    wait_for(lambda: (p := read_page(world.hot)).is_alive and p.writer_pid != pid, "the supervisor's next one")
    wait_for(lambda: world.status_or_none(lambda s: s["kill"] == "HARD" and s["orders"] == []), "killed, and flat")
    assert world.open_orders() == []


def test_a_login_that_the_venue_refuses_is_followed_by_the_end_of_the_process(world):
    watch(world, 'password = "plain:wrong"')
    _, took_s = stop_engine(world)
    said = wait_for(lambda: [e for e in log(world) if e["what"] == "stopped"], "its word")[0]
    assert any("no login as NODE1" in done for done in said["done"])
    assert any("was ended" in done for done in said["done"])
    assert took_s < WITHIN_S


def test_one_that_the_node_started_outlives_its_supervisor_and_goes_with_the_trading_process(world):
    world.write_node(strategy=far_strategy(world.home), strategy_class="Far")
    world.node_file.write_text(watched(world.node_file.read_text(), "with_node = true"))
    run = world.run("--live")
    said = iter(run.stderr.readline, "")
    assert any("watchdog: starts with it; login after 700 ms of silence" in line for line in said)
    assert any("its heart beats" in line for line in said)
    world.wait_for_orders()

    pid, began = read_page(world.hot).writer_pid, time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    run.kill()
    wait_for(lambda: not world.open_orders(), "every order to be cancelled")
    assert time.monotonic() - began < WITHIN_S
    assert wait_for(lambda: [e for e in log(world) if e["what"] == "stopped"], "its word")[0]["left"] == []

    os.kill(pid, signal.SIGCONT)  # it hears now that its supervisor has died, and ends
    wait_for(lambda: log(world)[-1]["what"] == "left", "its end")
    assert not read_page(world.hot).is_alive


def test_without_a_node_there_is_nothing_to_watch(world):
    assert "start it first" in openbell("watchdog", world.node_file, check=2).stderr
