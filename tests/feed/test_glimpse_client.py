"""native/feed/glimpse_client.h: one login is one snapshot, whole or of no use, however the bytes come."""

import random

import pytest

from openbell import _native as native
from oracles import soup

S = 1_000_000_000
MESSAGES = [b"R first", b"H second", b"A third"]


def sequenced(messages: list[bytes]) -> bytes:
    return b"".join(soup.packet("S", message) for message in messages)


def answer(next_seq: int = 42) -> bytes:
    """All that a server says after a login."""
    return soup.login_accepted("DAY1", 1) + sequenced([*MESSAGES, native.glimpse_end(next_seq)])


def logged_in(**settings: int) -> native.GlimpseClient:
    client = native.GlimpseClient("SNAP", "secret", **settings)
    client.on_connected()
    assert client.take_outgoing() == soup.login_request("SNAP", "secret", "", 1)
    return client


def test_a_snapshot_in_any_pieces_is_the_same(rng: random.Random):
    stream = soup.packet("+", b"hello") + answer() + b"never read"
    for _ in range(50):
        client, at = logged_in(), 0
        while at < len(stream):
            size = rng.randint(1, 40)
            client.on_bytes(stream[at : at + size])
            at += size

        assert (client.messages, client.next_seq, client.begun) == (MESSAGES, 42, 1)
        assert client.end == native.GlimpseEnd.COMPLETE
        assert client.take_outgoing() == soup.packet("O")


def test_a_snapshot_from_before_what_was_kept_is_of_no_use():
    client = logged_in(first=43)

    client.on_bytes(answer(42))

    assert client.end == native.GlimpseEnd.UNUSABLE


@pytest.mark.parametrize(
    ("stream", "end"),
    [
        (soup.packet("J", b"A"), "REFUSED"),
        (soup.login_accepted("DAY1", 1) + soup.packet("Z"), "CLOSED"),
        (soup.login_accepted("DAY1", 1) + b"\0\0", "BAD_STREAM"),
        (soup.login_accepted("DAY1", 1) + soup.login_accepted("DAY1", 1), "BAD_STREAM"),
        (soup.login_accepted("DAY1", 1) + sequenced([b"G no number, ever!!!!"]), "BAD_STREAM"),
        (soup.packet("A", b"short"), "BAD_STREAM"),
        (sequenced([b"before the login"]), "BAD_STREAM"),
        (soup.packet("?"), "BAD_STREAM"),
    ],
)
def test_what_is_no_snapshot_ends_the_login(stream: bytes, end: str):
    client = logged_in()

    client.on_bytes(stream + answer())

    assert client.end == native.GlimpseEnd[end]
    assert client.next_seq == 0


def test_a_connection_that_ends_before_the_snapshot_has_brought_nothing():
    client = logged_in()
    client.on_bytes(answer()[:-1])

    client.on_disconnected()

    assert (client.end, client.next_seq) == (native.GlimpseEnd.CLOSED, 0)


def test_heartbeats_are_sent_and_a_silent_server_is_left():
    client = logged_in(heartbeat_ns=S, silence_ns=3 * S)
    client.on_bytes(soup.login_accepted("DAY1", 1), 0)

    client.on_tick(S - 1)
    assert client.take_outgoing() == b""
    client.on_tick(S)
    assert client.take_outgoing() == soup.packet("R")
    client.on_bytes(soup.packet("H"), 2 * S)
    client.on_tick(5 * S - 1)
    assert client.end == native.GlimpseEnd.NONE
    client.on_tick(5 * S)

    assert client.end == native.GlimpseEnd.SILENT


def test_each_login_begins_anew():
    client = logged_in()
    client.on_bytes(answer()[:40])
    client.on_disconnected()
    client.on_connected(1)
    client.on_bytes(answer())

    assert client.end == native.GlimpseEnd.COMPLETE
    assert client.begun == 2
    assert client.messages[-3:] == MESSAGES
