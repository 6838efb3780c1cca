"""The watchdog's line to the venue, where the other end is a socket of the test."""

import socket
from types import SimpleNamespace

import pytest

from openbell.ops.watchdog import venue
from openbell.ops.watchdog.venue import DropCopy, TakeOver


class Line:
    """A take-over whose protocol says one thing for ever; the test is the venue."""

    def __init__(self, outgoing: bytes) -> None:
        ours, self.theirs = socket.socketpair()
        ours.setblocking(False)
        self.take_over = TakeOver.__new__(TakeOver)
        self.take_over.is_over = False
        self.take_over._sock = ours
        self.heard: list[bytes] = []
        self.take_over._ouch = SimpleNamespace(
            on_tick=lambda _: None,
            outgoing=outgoing,
            taken=lambda _: None,
            on_bytes=lambda data, _: self.heard.append(data) or [],
            wants_disconnect=False,
        )


@pytest.fixture
def line():
    made = Line(b"x" * (1 << 20))
    yield made
    made.take_over.close()
    made.theirs.close()


def test_a_venue_that_does_not_read_is_tried_again(line):
    for _ in range(3):
        line.take_over.turn(0)  # more than the kernel takes
    assert not line.take_over.is_over


def test_a_venue_that_is_gone_ends_the_session(line):
    line.theirs.close()
    line.take_over.turn(0)
    assert line.take_over.is_over
    line.take_over.turn(0)
    assert line.heard == []


def test_copies_of_other_accounts_are_not_counted(monkeypatch):
    copy = DropCopy.__new__(DropCopy)
    copy.accepted = copy.canceled = 0
    copy._account = "NODE1"
    monkeypatch.setattr(venue, "split_copy", lambda payload: payload)
    for payload in (("NODE1", b"A"), ("NODE2", b"A"), ("NODE1", b"C"), ("NODE2", b"C"), ("NODE1", b"E")):
        copy._hear(payload)
    assert (copy.accepted, copy.canceled) == (1, 1)
