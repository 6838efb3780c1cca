"""The warden by itself: it shuts the stream of a trading thread that does not answer a kill, and of no other."""

import socket
import threading
import time

import pytest

from openbell import _native as native
from openbell.journal import Counters, KillCell
from openbell.types import KillLevel

PATIENCE_S = 0.05
WAIT_S = 20.0


class Guarded:
    """A connected order session under a warden; the trading thread is whoever calls `cell.ack`."""

    def __init__(self, folder) -> None:
        self.cell = KillCell.open(str(folder / "kill"))
        self.counters = Counters.open(str(folder / "counters"))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.trading = native.Poller()
        self.connect()
        self.other = native.TcpSocket(*self.listener.getsockname())  # of another venue
        self.other.connect_within(5 * 10**9)
        self.other_venue = self.listener.accept()[0]
        self.other_venue.settimeout(WAIT_S)
        acted = self.counters.counter("warden_acted")
        self.warden = native.Warden(self.cell, [self.stream, self.other], acted, self.trading)

    def connect(self) -> None:
        self.stream = native.TcpSocket(*self.listener.getsockname())
        self.stream.connect_within(5 * 10**9)
        self.venue = self.listener.accept()[0]
        self.venue.settimeout(WAIT_S)

    def shown(self) -> int:
        return dict(self.counters.read())["warden_acted"]

    def wait(self, *, acted: bool) -> None:
        give_up = time.monotonic() + WAIT_S
        while (self.warden.has_acted, self.shown()) != (acted, int(acted)):
            assert time.monotonic() < give_up, f"waited {WAIT_S} s for the warden"
            threading.Event().wait(0.001)

    def is_shut(self) -> bool:
        return self.venue.recv(1) == b"" == self.other_venue.recv(1)

    def pass_turns(self) -> None:
        """Until the warden has woken the trading thread for a bell that rings now: it has looked since."""
        for _ in range(2):
            self.cell.ring()
            give_up = time.monotonic() + WAIT_S
            while not (self.trading.wait(10**7) or self.trading.was_woken):  # two rings may be heard as one
                assert time.monotonic() < give_up
                self.cell.ring()


@pytest.fixture
def guarded(tmp_path):
    made = Guarded(tmp_path)
    yield made
    made.venue.close()
    made.other_venue.close()
    made.listener.close()


@pytest.mark.parametrize("level", [KillLevel.SOFT, KillLevel.HARD])
def test_a_kill_that_is_not_answered_shuts_the_stream_after_some_patience(guarded, level):
    began = time.monotonic()
    guarded.cell.request(level, 1, 2)
    assert guarded.is_shut()
    assert time.monotonic() - began >= PATIENCE_S / 2  # it looks every ms, as long as it is let run
    guarded.wait(acted=True)
    guarded.pass_turns()
    assert guarded.warden.has_acted

    guarded.cell.ack(level)
    guarded.pass_turns()
    assert guarded.warden.has_acted  # until a person releases it
    assert guarded.cell.release(guarded.cell.generation)
    guarded.wait(acted=False)


def test_a_kill_that_is_answered_is_the_trading_thread_s(guarded):
    guarded.cell.ack(KillLevel.HARD)
    guarded.cell.request(KillLevel.HARD, 1, 2)
    began = time.monotonic()
    while time.monotonic() - began < 2 * PATIENCE_S:
        guarded.pass_turns()
    assert (guarded.warden.has_acted, guarded.shown()) == (False, 0)


def test_a_kill_of_one_strategy_that_is_not_taken_shuts_all(guarded):
    ticket = guarded.cell.ask_scoped()
    assert guarded.is_shut()
    guarded.wait(acted=True)
    guarded.cell.take_scoped(ticket)
    guarded.wait(acted=False)


def test_a_cord_shuts_at_once_and_keeps_down_whatever_is_answered(guarded):
    guarded.cell.ack(KillLevel.CORD)
    guarded.cell.request(KillLevel.CORD, 1, 2)
    assert guarded.is_shut()
    guarded.wait(acted=True)
