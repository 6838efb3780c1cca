"""The watchdog's own way to a venue and to a process, over a real exchange and a real node."""

import os
import signal
import time
from dataclasses import replace

import pytest
from tests.cli.world import World, far_strategy, wait_for

from configurations import watched
from openbell.config_types import Address
from openbell.errors import NetError
from openbell.events import record
from openbell.node.card import read_card
from openbell.node.config import NodeConfig, load_node
from openbell.ops.find import read_page
from openbell.ops.watchdog import venue
from openbell.ops.watchdog.guard import GRACE_AFTER_KILL_S, Guard, Stop
from openbell.ops.watchdog.venue import Account, DropCopy, TakeOver
from openbell.types import KillLevel, Type

DROP_COPY = """
[[drop_copies]]
name = "COPY"
password = "plain:demo"
accounts = ["NODE1"]
"""


class Copied(World):
    """A world whose exchange has a drop copy."""

    more_exchange = DROP_COPY


@pytest.fixture
def world(tmp_path):
    with Copied(tmp_path) as made:
        made.write_node(strategy=far_strategy(made.home), strategy_class="Far")
        made.run("--live")
        made.wait_for_orders()
        yield made


def config_of(world: World, *lines: str) -> NodeConfig:
    path = world.home / "watched.toml"
    path.write_text(watched(world.node_file.read_text(), *lines))
    return load_node(path)


def guard_of(world: World, *lines: str) -> tuple[Guard, list[str]]:
    said: list[str] = []
    return Guard(config_of(world, *lines), read_card(world.hot), said.append), said


WITH_COPY = ('drop_copy = "COPY"', 'drop_copy_password = "plain:demo"')


def test_a_silent_node_is_stopped_by_a_login_that_the_drop_copy_hears_of(world):
    guard, said = guard_of(world, *WITH_COPY)
    pid, give_up = read_page(world.hot).writer_pid, time.monotonic() + 20
    stopped: list[int] = []

    def is_over() -> bool:
        """Stops the node when it is watched, and ends when the venue has told the drop copy of its orders."""
        if guard.judge.has_beaten and guard.copy and not stopped:
            os.kill(pid, signal.SIGSTOP)
            stopped.append(pid)
        return (guard.copy is not None and guard.copy.canceled == 4) or time.monotonic() > give_up

    try:
        guard.run(is_over)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert "4 orders were open by the journal, 4 confirmed closed" in said[-1]
    assert time.monotonic() < give_up
    assert world.open_orders() == []


def test_orders_long_after_a_kill_are_counted_by_the_drop_copy(world):
    guard, _ = guard_of(world, *WITH_COPY)
    assert guard.signs(0.0).opened_after_kill == 0
    guard.copy = copy = DropCopy(guard.accounts[0], "COPY")
    guard.cell.request(KillLevel.HARD, time.time_ns(), 0)
    assert guard.signs(1.0).opened_after_kill == 0
    copy.accepted += 1  # it was on its way
    assert guard.signs(1.0 + GRACE_AFTER_KILL_S / 2).opened_after_kill == 0
    copy.accepted += 2
    assert guard.signs(1.0 + GRACE_AFTER_KILL_S).opened_after_kill == 2
    guard._drop_copy()  # the next login hears what comes after it, and is no reason to forget these
    assert guard.signs(2.0).opened_after_kill == 2


def test_a_drop_copy_that_ends_is_noted_and_asked_for_again(world):
    guard, _ = guard_of(world, 'drop_copy = "COPY"', 'drop_copy_password = "plain:wrong"')
    guard._hear_copy(0.0)
    wait_for(lambda: guard._hear_copy(0.1) or guard.copy is None, "the refusal")
    assert guard._copy_retry_s > 0
    guard._hear_copy(guard._copy_retry_s / 2)
    assert guard.copy is None
    guard.diary.close()
    assert '"drop copy"' in (world.journal / "watchdog.jsonl").read_text()


def test_an_address_that_has_no_number_now_stays_a_name(monkeypatch):
    def nobody(*_: object, **__: object) -> None:
        raise OSError("no such host")

    monkeypatch.setattr(venue.socket, "getaddrinfo", nobody)
    assert venue.resolved(Address("venue.example", 7)) == Address("venue.example", 7)


def account_of(config: NodeConfig) -> Account:
    return Account.of(config.sessions[0], config.watchdog)


def test_a_venue_that_is_not_there_is_an_error_with_its_address(world):
    nowhere = replace(account_of(config_of(world, *WITH_COPY)), address=Address("127.0.0.1", 1))
    with pytest.raises(NetError, match=r"127\.0\.0\.1:1: expected the venue"):
        TakeOver(nowhere, "", 1, 0, 1.0)
    with pytest.raises(NetError, match=r"drop copy COPY: expected a venue at 127\.0\.0\.1:1"):
        DropCopy(nowhere, "COPY")


def test_without_a_venue_the_process_is_ended(world):
    guard, said = guard_of(world)
    guard.accounts = [replace(guard.accounts[0], address=Address("127.0.0.1", 1))]
    pid = read_page(world.hot).writer_pid
    stop = guard.stop("a test")
    assert "no login" in stop.done[1]
    assert stop.done[2] == f"process {pid} was ended: the venue cancels on disconnect"
    assert "a test: its gate is closed" in said[0]
    wait_for(lambda: not world.open_orders(), "cancel-on-disconnect")


def test_a_process_that_has_ended_by_itself_needs_no_end(world, monkeypatch):
    guard, _ = guard_of(world)
    page = read_page(world.hot)
    gone = os.spawnlp(os.P_NOWAIT, "true", "true")
    os.waitpid(gone, 0)
    monkeypatch.setattr(
        "openbell.ops.watchdog.guard.read_page", lambda _: type(page)(gone, 1, 1, page.committed_seq, 0)
    )
    stop = Stop("x", 0.0)
    guard._end_process(stop)
    assert stop.done == ["its process has ended by itself"]

    pages = iter([page, type(page)(page.writer_pid + 1, 1, 1, 0, 0)])
    monkeypatch.setattr("openbell.ops.watchdog.guard.read_page", lambda _: next(pages))
    guard._end_process(stop)
    assert stop.done == ["its process has ended by itself"] * 2


def test_an_account_is_left_when_nobody_took_it_back(world):
    config = config_of(world)
    over = TakeOver(account_of(config), "", 1, 0, 1.0)
    wait_for(lambda: over.turn(0.01) or over.is_resolved, "the login")
    guard, _ = guard_of(world)
    guard._held, guard._held_until_s = [over], 10.0
    guard._hold(9.0)
    assert not over.is_over or over not in guard._held
    guard._hold(11.0)
    assert over.is_over
    over.turn(0.01)  # nothing more to say
    assert guard._held == []


def test_an_order_that_was_filled_meanwhile_is_not_open(world):
    config = config_of(world)
    over = TakeOver(account_of(config), "", 1, 0, 1.0)
    over.leaves = {5: 100}
    fill = record("Report", type=int(Type.FILLED), cl_ord_id=5, last_qty=60)
    over._take(fill)
    assert over.closed == set()
    over._take(record("Report", type=int(Type.REPLACED), cl_ord_id=5, leaves_qty=60))
    over._take(fill)
    assert over.closed == {5}
    over.close()


def test_what_is_not_confirmed_is_said_loudly():
    stop = Stop("r", 0.0, done=["x"], leaves={1: 100, 2: 100}, closed={2, 3}, took_ms=5)
    assert stop.line("n") == (
        "n: r: x after 5 ms; 2 orders were open by the journal, 1 confirmed closed; NOT CONFIRMED: 1, ask the venue"
    )
