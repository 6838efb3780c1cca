"""A stop waits for no disk: neither one that is full nor one that stands still holds back the login or the end."""

import errno
import json
import os
import signal
import subprocess
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.cli.world import wait_for

from configurations import limits_toml, node_toml, watched
from openbell.errors import ConfigError, JournalError
from openbell.node.card import card_of
from openbell.node.config import load_node
from openbell.ops.find import JournalPage
from openbell.ops.watchdog import __main__ as process
from openbell.ops.watchdog import diary, guard
from openbell.ops.watchdog.guard import LOG_NAME, Guard
from openbell.ops.watchdog.venue import Account

READY = {"retransmit": "127.0.0.1:1", "order_entry": "127.0.0.1:1"}
NOBODY, SOMEBODY = 65_534, 65_533
PIDFD_SEND_SIGNAL = signal.pidfd_send_signal
MAKER = Path(__file__).resolve().parents[3] / "strategies" / "market_maker.py"


class LoggedIn:
    """A take-over that the venue completes at once, and that hears nothing more."""

    def __init__(self, account: Account, *_: object) -> None:
        self.account = account
        self.leaves: dict[int, int] = {}
        self.closed: set[int] = set()
        self.is_resolved, self.is_over = True, False

    def turn(self, _: float) -> None:
        pass

    def close(self) -> None:
        self.is_over = True


@pytest.fixture
def home(tmp_path):
    (tmp_path / "limits.toml").write_text(limits_toml())
    (tmp_path / "node.toml").write_text(node_toml(feed=1, ready=READY, strategy=MAKER))
    (tmp_path / "journal").mkdir()
    (tmp_path / "hot").mkdir()
    return tmp_path


@pytest.fixture
def said():
    return []


@pytest.fixture
def dog(home, said, monkeypatch):
    monkeypatch.setattr(guard, "TakeOver", LoggedIn)
    config = load_node(home / "node.toml")
    made = Guard(config, card_of(config, home / "node.toml"), said.append)
    yield made
    made.diary.close()


def whats(home: Path) -> list[str]:
    return [json.loads(line)["what"] for line in (home / "journal" / LOG_NAME).read_text().splitlines()]


def test_a_full_disk_holds_nothing_back_and_what_it_lacks_is_said(dog, home, said, monkeypatch):
    def no_space(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(diary.os, "fdatasync", no_space)
        stop = dog.stop("a test")
        wait_for(lambda: sum("not written" in line for line in said) == 2, "two lines that the disk refused")

    assert stop.done == ["its gate is closed", "logged in as NODE1, which ended its session"]
    refused = [line for line in said if "not written" in line]
    assert refused[1].startswith(f"{home / 'journal' / LOG_NAME}: expected to write, found: [Errno 28] No space left")
    assert '"what": "stopped", "reason": "a test"' in refused[1]
    dog.note("space again")
    dog.diary.close()
    assert whats(home)[-1] == "space again"


def test_a_disk_that_stands_still_is_not_waited_for(dog, home, monkeypatch):
    stands, goes_on = threading.Event(), threading.Event()

    def stalled(_: int) -> None:
        stands.set()
        assert goes_on.wait(30)

    with monkeypatch.context() as still:
        still.setattr(diary.os, "fdatasync", stalled)
        dog.note("began")
        assert stands.wait(30)
        stop = dog.stop("a test")
        assert not goes_on.is_set()  # the stop is done, and the first line's sync is not
        assert stop.done[1] == "logged in as NODE1, which ended its session"
        goes_on.set()
        dog.diary.close()
    assert whats(home) == ["began", "stopping", "stopped"]


def test_lines_that_a_standing_disk_keeps_waiting_are_bounded_and_said(dog, said, monkeypatch):
    goes_on = threading.Event()
    with monkeypatch.context() as still:
        still.setattr(diary.os, "fdatasync", lambda _: goes_on.wait(30))
        for number in range(diary.LINES_MAX + 3):
            dog.note(f"line {number}")
        over = [line for line in said if "wait for the disk already" in line]
        assert 2 <= len(over) <= 3  # one may have been taken, and stands
        assert f"line {diary.LINES_MAX + 2}" in over[-1]
        dog.diary.close(0.01)  # the queue is full: it does not wait for it either
        goes_on.set()


def test_a_journal_that_cannot_be_followed_is_noted_and_tried_again(dog, home):
    def broken(_: float) -> None:
        raise JournalError("expected a frame, found other bytes")

    dog.world = SimpleNamespace(poll=broken, engine=None)
    dog._follow(0.0)
    again = dog.world
    assert dog.world.poll is not broken
    dog.world.poll = broken
    dog._follow(guard.RETRY_S / 2)  # not yet
    assert dog.world is again
    dog._follow(guard.RETRY_S)
    assert dog.world is not again
    dog.diary.close()
    assert whats(home) == ["journal", "journal"]


def test_credentials_are_read_while_all_is_well(home, said, monkeypatch):
    (home / "secret").write_text("demo")
    (home / "node.toml").write_text(watched((home / "node.toml").read_text(), f'password = "file:{home / "secret"}"'))
    config = load_node(home / "node.toml")
    monkeypatch.setattr(guard, "TakeOver", LoggedIn)
    dog = Guard(config, card_of(config, home / "node.toml"), said.append)

    (home / "secret").unlink()  # its disk has gone
    assert dog.stop("a test").done[1] == "logged in as NODE1, which ended its session"
    assert dog._held[0].account.password == "demo"
    dog.diary.close()
    with pytest.raises(ConfigError, match="secret"):
        Guard(config, card_of(config, home / "node.toml"), said.append)


@pytest.fixture
def ends(home):
    """A watchdog that ends the process, here one that only sleeps."""
    (home / "node.toml").write_text(watched((home / "node.toml").read_text(), 'act = "end"'))
    config = load_node(home / "node.toml")
    made = Guard(config, card_of(config, home / "node.toml"), lambda _: None)
    yield made
    made.diary.close()


@pytest.fixture
def sleeper(monkeypatch):
    child = subprocess.Popen(["sleep", "1000"], user=SOMEBODY if os.geteuid() == 0 else None)
    monkeypatch.setattr(guard, "read_page", lambda _: JournalPage(child.pid, 1, 1, 0, 0))
    yield child
    child.kill()
    child.wait()


def as_nobody(descriptor: int, number: int) -> None:
    """What the kernel says to another user; who is none of root's cannot become one, and is told the same."""
    if os.geteuid() != 0:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
    os.seteuid(NOBODY)
    try:
        PIDFD_SEND_SIGNAL(descriptor, number)
    finally:
        os.seteuid(0)


def test_a_signal_that_is_refused_is_said_and_the_watch_goes_on(ends, sleeper, home, monkeypatch):
    monkeypatch.setattr(guard.signal, "pidfd_send_signal", as_nobody)
    reasons, turns = ["a test"], iter([False, False, True])
    ends.judge = SimpleNamespace(judge=lambda *_: reasons.pop() if reasons else None, has_beaten=False)

    ends.run(lambda: next(turns))

    stopped = [json.loads(line) for line in (home / "journal" / LOG_NAME).read_text().splitlines()]
    (done,) = [line["done"] for line in stopped if line["what"] == "stopped"]
    assert done == [
        "its gate is closed",
        f"COULD NOT END process {sleeper.pid} ([Errno 1] Operation not permitted): end it as its user or root: "
        f"kill -9 {sleeper.pid}",
    ]
    assert (stopped[-1]["what"], sleeper.poll()) == ("left", None)


def test_a_process_is_ended_and_one_that_has_gone_needs_nothing(ends, sleeper):
    assert ends.stop("a test").done[-1] == f"process {sleeper.pid} was ended: the venue cancels on disconnect"
    assert sleeper.wait(30) == -signal.SIGKILL
    assert ends.stop("a test").done[-1] == "its process has ended by itself"


def test_only_the_node_s_user_and_root_watch_over_it(home, monkeypatch):
    hot, owner = home / "hot", os.geteuid()
    for may in (0, owner):
        monkeypatch.setattr(process.os, "geteuid", lambda may=may: may)
        process.expect_its_user(hot)
    monkeypatch.setattr(process.os, "geteuid", lambda: NOBODY)
    with pytest.raises(ConfigError, match=f"the user of the node, uid {owner}, or as root, found uid {NOBODY}"):
        process.expect_its_user(hot)
    process.expect_its_user(home / "no node")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_user_before_a_closed_folder_is_refused(home):
    home.chmod(0o700)
    os.seteuid(NOBODY)
    try:
        with pytest.raises(ConfigError, match=f"whose folder is closed to us, or as root, found uid {NOBODY}"):
            process.expect_its_user(home / "hot")
    finally:
        os.seteuid(0)


def test_a_watchdog_comes_first_where_it_may(monkeypatch):
    asked: list[tuple[int, int, int]] = []

    def forbidden(*what: int) -> None:
        asked.append(what)
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(process.os, "setpriority", forbidden)
    process.come_first()  # it goes on as it is
    assert asked == [(os.PRIO_PROCESS, 0, process.PRIORITY)]
