"""Conversations with a scripted server. Time is an argument; nothing waits."""

import random

import pytest

from openbell._native import FaultKind, SessionEnd
from openbell.errors import ConfigError
from openbell.types import Type
from oracles import ouch, soup
from venue.client import HEARTBEAT, INSTRUMENT, ORDER_ID, SECOND_NS, client, control, fill, live, order, sequenced

CONNECTED = control(Type.CONNECTED, text=b"S1")
RESOLVED = control(Type.RESOLVED, text=b"S1")


def ended(how: SessionEnd) -> int:
    """The code of a Disconnected record."""
    return int(how)


# ---- login ---------------------------------------------------------------------------------------


def test_a_first_login_asks_for_the_current_session_from_message_1():
    session = client()

    session.on_connected(0)

    assert session.say() == soup.login_request("alice", "secret", "", 1)
    assert not session.is_live


def test_an_accepted_login_is_live_and_says_where_it_stands():
    session = client()
    session.on_connected(0)

    heard = session.hear(soup.login_accepted("S1", 1), now=7)

    assert heard == [CONNECTED | {"ts_event": 7, "values": [1, 0, 0, 0]}]
    assert (session.is_live, session.is_resolved, session.session, session.next_seq) == (True, False, "S1", 1)


def test_a_resumed_session_asks_for_what_was_missed():
    session = client()
    session.resume("S1", 42)
    session.on_connected(0)
    assert session.say() == soup.login_request("alice", "secret", "S1", 42)

    heard = session.hear(soup.login_accepted("S1", 42) + fill(match_id=1) + fill(match_id=2) + HEARTBEAT)

    assert [(r["type"], r.get("source_seq")) for r in heard] == [
        (Type.CONNECTED, None),
        (Type.FILLED, 42),
        (Type.FILLED, 43),
        (Type.RESOLVED, None),
    ]
    assert session.next_seq == 44


def test_a_reconnection_asks_for_the_message_after_the_last():
    session = live()
    session.hear(fill() * 3)
    session.hang_up()

    session.on_connected(1)

    assert session.say() == soup.login_request("alice", "secret", "S1", 4)


def test_a_changed_session_is_logged_into_blank_from_message_1():
    session = client()
    session.resume("YESTERDAY", 900)
    session.on_connected(0)
    session.say()

    assert session.hear(soup.packet("J", b"S")) == []
    assert (session.wants_disconnect, session.may_reconnect) == (True, True)
    [down] = session.hang_up()
    session.on_connected(1)

    assert (down["type"], down["code"]) == (Type.DISCONNECTED, ended(SessionEnd.SESSION_CHANGED))
    assert session.say() == soup.login_request("alice", "secret", "", 1)


def test_an_answer_with_another_session_is_a_changed_session():
    session = client()
    session.resume("S1", 900)
    session.on_connected(0)

    assert session.hear(soup.login_accepted("S2", 900) + fill()) == []
    assert (session.end, session.next_seq, session.session) == (SessionEnd.SESSION_CHANGED, 1, "")


@pytest.mark.parametrize(("reason", "again"), [(b"A", False), (b"S", True), (b"?", False)])
def test_a_refused_login_ends_and_only_an_absent_session_is_tried_again(reason: bytes, again: bool):
    session = client()
    session.on_connected(0)

    session.hear(soup.packet("J", reason) + soup.login_accepted("S1", 1))
    [down] = session.hang_up()

    assert down["code"] == ended(SessionEnd.LOGIN_REFUSED)
    assert (session.may_reconnect, session.is_live) == (again, False)


def test_messages_that_the_venue_no_longer_has_are_a_gap():
    session = client()
    session.resume("S1", 10)
    session.on_connected(0)

    heard = session.hear(soup.login_accepted("S1", 15) + fill())

    assert heard[1] == control(Type.GAP, values=[10, 15, 0, 0])
    assert heard[2]["source_seq"] == 15


def test_a_venue_that_counts_from_before_us_is_not_followed():
    session = client()
    session.resume("S1", 10)
    session.on_connected(0)

    assert session.hear(soup.login_accepted("S1", 9) + fill()) == []
    assert (session.end, session.may_reconnect, session.next_seq) == (SessionEnd.WENT_BACK, False, 10)


def test_numbers_and_names_may_be_padded_on_either_side():
    session = client()
    session.resume("S1", 7)
    session.on_connected(0)

    session.hear(soup.packet("A", b"S1        " + b"7".ljust(20)))

    assert (session.is_live, session.next_seq) == (True, 7)


# ---- resolved ------------------------------------------------------------------------------------


def test_resolved_comes_once_at_the_first_heartbeat_after_the_replay():
    session = live()

    replay = session.hear(fill() * 2, now=3)
    first = session.hear(HEARTBEAT, now=4)
    later = session.hear(HEARTBEAT + fill() + HEARTBEAT, now=5)

    assert [r["type"] for r in replay] == [Type.FILLED] * 2
    assert first == [RESOLVED | {"ts_event": 4, "values": [3, 0, 0, 0]}]
    assert [r["type"] for r in later] == [Type.FILLED]


def test_every_login_resolves_anew():
    session = live()
    session.hear(HEARTBEAT)
    session.hang_up()
    session.on_connected(1)

    heard = session.hear(HEARTBEAT + soup.login_accepted("S1", 1) + HEARTBEAT)

    assert [r["type"] for r in heard] == [Type.CONNECTED, Type.RESOLVED]


# ---- time ----------------------------------------------------------------------------------------


def test_a_heartbeat_is_due_a_second_after_the_last_word():
    session = live()

    session.on_tick(SECOND_NS - 1)
    assert session.say() == b""
    assert session.next_tick == SECOND_NS
    session.on_tick(SECOND_NS)
    assert session.say() == soup.packet("R")
    session.on_tick(2 * SECOND_NS - 1)
    assert session.say() == b""


def test_an_order_counts_as_a_heartbeat():
    session = live()
    session.on_tick(SECOND_NS // 2)
    assert session.encode(order(), INSTRUMENT.tobytes())
    session.on_tick(SECOND_NS * 3 // 4)

    session.on_tick(SECOND_NS)
    assert session.say() == b""
    session.on_tick(SECOND_NS * 7 // 4)

    assert session.say() == soup.packet("R")


def test_heartbeats_do_not_pile_up_before_a_peer_that_does_not_read():
    session = live()
    for second in range(1, 14):
        session.on_tick(second * SECOND_NS)

    assert session.outgoing == soup.packet("R")


def test_a_silent_peer_is_dead_after_15_seconds():
    session = live()
    session.hear(HEARTBEAT, now=SECOND_NS)

    session.on_tick(16 * SECOND_NS - 1)
    assert not session.wants_disconnect
    session.on_tick(16 * SECOND_NS)

    assert (session.wants_disconnect, session.is_live, session.may_reconnect) == (True, False, True)
    assert session.hear(fill(), now=16 * SECOND_NS) == []
    [down] = session.hang_up(now=17 * SECOND_NS)
    assert (down["code"], down["ts_event"]) == (ended(SessionEnd.DEAD_PEER), 17 * SECOND_NS)


def test_an_unanswered_login_times_out():
    session = client(login_timeout_ns=2 * SECOND_NS)
    session.on_connected(SECOND_NS)
    session.say()

    assert session.next_tick == 3 * SECOND_NS
    session.on_tick(3 * SECOND_NS - 1)
    assert (session.wants_disconnect, session.outgoing) == (False, b"")
    session.on_tick(3 * SECOND_NS)

    assert session.end == SessionEnd.LOGIN_TIMEOUT


def test_nothing_is_due_while_down():
    session = client()

    assert session.next_tick == 2**63 - 1
    session.on_tick(100 * SECOND_NS)
    assert (session.outgoing, session.hang_up()) == (b"", [])


# ---- ends ----------------------------------------------------------------------------------------


def test_a_lost_connection_is_reported_once():
    session = live()

    [down] = session.hang_up(now=3)

    assert down == control(
        Type.DISCONNECTED, ts_event=3, code=ended(SessionEnd.CLOSED), text=b"closed by the peer or the network"
    )
    assert session.hang_up() == []


def test_an_ended_session_waits_for_a_person():
    session = live()

    assert session.hear(soup.packet("Z") + fill()) == []
    assert (session.end, session.may_reconnect) == (SessionEnd.END_OF_SESSION, False)
    session.hang_up()
    session.resume("S2", 1)

    assert session.may_reconnect


def test_logging_out_says_so_and_still_listens():
    session = live()

    session.log_out()
    assert session.say() == soup.packet("O")
    [report] = session.hear(fill())
    [down] = session.hang_up()

    assert (report["type"], down["code"]) == (Type.FILLED, ended(SessionEnd.LOGGED_OUT))


def test_a_connection_starts_with_nothing_of_the_last_one():
    session = live()
    session.hear(fill()[:10])
    session.keep(b"half an order")
    session.hang_up()

    session.on_connected(1)

    assert session.say() == soup.login_request("alice", "secret", "S1", 1)
    assert len(session.hear(soup.login_accepted("S1", 1) + fill())) == 2


# ---- bytes ---------------------------------------------------------------------------------------

STREAM = (
    soup.packet("+", b"hello")
    + soup.login_accepted("S1", 1)
    + fill(match_id=1)
    + sequenced(type="S", ts=0, event="S")
    + fill(match_id=2)
    + HEARTBEAT
    + soup.packet("U", b"anything")
    + sequenced(type="J", ts=5, token=ouch.token(ORDER_ID, 2), reason="X")
    + HEARTBEAT
)


def whole() -> list[dict[str, object]]:
    session = client()
    session.on_connected(0)
    return session.hear(STREAM)


def test_a_stream_cut_at_any_byte_says_the_same():
    expected = whole()

    for cut in range(len(STREAM) + 1):
        session = client()
        session.on_connected(0)
        assert session.hear(STREAM[:cut]) + session.hear(STREAM[cut:]) == expected, cut
    assert [r.get("source_seq") for r in expected] == [None, 1, 3, None, 4]


def test_a_stream_in_pieces_of_any_size_says_the_same():
    for size in range(1, 20):
        session = client()
        session.on_connected(0)
        pieces = [STREAM[i : i + size] for i in range(0, len(STREAM), size)]

        assert [r for piece in pieces for r in session.hear(piece)] == whole()


def test_the_longest_packet_fits_and_more_than_the_buffer_may_come_at_once():
    session = live()
    longest = soup.packet("+", bytes(65_534))

    heard = session.hear((longest + fill()) * 3 + longest[:1_000])
    heard += session.hear(longest[1_000:] + fill())

    assert [r["source_seq"] for r in heard] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("data", "kind", "again"),
    [
        (b"\x00\x00", FaultKind.FRAMING, True),
        (soup.packet("x"), FaultKind.UNKNOWN_PACKET, True),
        (soup.packet("L", bytes(46)), FaultKind.UNKNOWN_PACKET, True),
        (soup.login_accepted("S1", 1), FaultKind.UNEXPECTED, True),
        (soup.packet("J", b"A"), FaultKind.UNEXPECTED, True),
        (soup.packet("S"), FaultKind.BAD_MESSAGE, False),
        (soup.packet("S", b"?" * 40), FaultKind.BAD_MESSAGE, False),
        (soup.packet("S", b"E" * 39), FaultKind.BAD_MESSAGE, False),
    ],
)
def test_bytes_that_cannot_be_followed_end_the_session(data: bytes, kind: FaultKind, again: bool):
    session = live()
    before = len(soup.login_accepted("S1", 1)) + len(fill())

    heard = session.hear(fill() + data + fill())

    assert [r["source_seq"] for r in heard] == [1]
    assert session.fault is not None
    assert (session.fault["kind"], session.fault["position"], session.fault["source_seq"]) == (kind, before, 2)
    assert (session.end, session.may_reconnect, session.next_seq) == (SessionEnd.BAD_STREAM, again, 2)
    assert session.hear(fill()) == []
    assert session.hang_up()[0]["code"] == ended(SessionEnd.BAD_STREAM)


def test_a_fault_names_the_message():
    session = live()

    session.hear(soup.packet("S", b"E" * 39))

    assert session.fault is not None
    assert (session.fault["packet_type"], session.fault["message_type"], session.fault["size"]) == ("S", "E", 39)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (fill(), FaultKind.UNEXPECTED),
        (soup.packet("A", b"S1"), FaultKind.BAD_LOGIN),
        (soup.packet("A", b" " * 30), FaultKind.BAD_LOGIN),
        (soup.packet("A", b"S1".rjust(10) + b"seven".rjust(20)), FaultKind.BAD_LOGIN),
        (soup.packet("A", b"S1".rjust(10) + b"9" * 20), FaultKind.BAD_LOGIN),
        (soup.packet("J"), FaultKind.BAD_LOGIN),
        (soup.packet("Z"), FaultKind.UNEXPECTED),
    ],
)
def test_a_login_that_cannot_be_read_ends_the_session(data: bytes, kind: FaultKind):
    session = client()
    session.on_connected(0)

    assert session.hear(data) == []
    assert session.fault is not None
    assert (session.fault["kind"], session.is_live) == (kind, False)


def test_garbage_never_harms(rng: random.Random):
    for _ in range(300):
        session = client()
        session.on_connected(0)
        garbage = bytearray(STREAM)
        for _ in range(rng.randrange(1, 6)):
            garbage[rng.randrange(len(garbage))] = rng.randrange(256)

        heard = session.hear(bytes(garbage))

        assert len(heard) <= len(STREAM) // 3
        assert session.wants_disconnect or session.fault is None
        session.hang_up()
        assert not session.is_live


def test_a_session_that_could_not_beat_is_refused():
    with pytest.raises(ConfigError, match="heartbeat_ns < dead_ns"):
        client(dead_ns=SECOND_NS)
    with pytest.raises(ConfigError, match="user of at most 6 characters, got 8"):
        client().__class__(user="longname")
