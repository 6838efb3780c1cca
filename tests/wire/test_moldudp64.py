"""native/wire/moldudp64.h against its slow twin."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell import _native as native
from oracles import mold

MESSAGES = st.lists(st.binary(max_size=60), max_size=80)


@given(st.integers(1, 2**63), MESSAGES, st.integers(90, 1472))
def test_packets_hold_the_messages_in_order_within_the_limit(seq: int, messages: list[bytes], limit: int):
    packets = native.mold_pack("S000000001", seq, messages, limit)

    unpacked: list[bytes] = []
    for packet in packets:
        assert len(packet) <= limit
        session, first, count, found = native.mold_parse(packet)
        assert (session, first, count) == ("S000000001", seq + len(unpacked), len(found))
        assert mold.parse(packet) == (session, first, count, found)
        assert mold.packet(session, first, found) == packet
        unpacked += found
    assert unpacked == messages


@given(st.binary(max_size=120))
def test_any_bytes_are_read_as_the_oracle_does(datagram: bytes):
    assert native.mold_parse(datagram) == mold.parse(datagram)


@given(st.lists(st.binary(max_size=9), min_size=1, max_size=9), st.integers(0, 12), st.integers(0, 0xFFFF))
def test_a_wrong_count_or_length_is_malformed(messages: list[bytes], count: int, size: int):
    datagram = bytearray(mold.packet("S1", 1, messages))
    datagram[18:20] = count.to_bytes(2, "big")
    datagram[20:22] = size.to_bytes(2, "big")

    assert native.mold_parse(bytes(datagram)) == mold.parse(bytes(datagram))


def test_a_packet_cut_at_any_byte_is_malformed():
    whole = mold.packet("S1", 1, [b"one", b"", b"three"])

    assert {native.mold_parse(whole[:n]) for n in range(len(whole))} == {None}
    assert native.mold_parse(whole) == ("S1        ", 1, 3, [b"one", b"", b"three"])
    assert native.mold_parse(whole + b"\0") is None


def test_numbers_that_wrap_are_malformed():
    assert native.mold_parse(mold.packet("S1", 2**64 - 1, [b"one"])) is None
    assert native.mold_parse(mold.notice("S1", 2**64 - 1)) is not None


def test_heartbeat_and_end_of_session_name_the_next_number():
    assert native.mold_heartbeat("S1", 43) == mold.notice("S1", 43)
    assert native.mold_end_of_session("S1", 43) == mold.notice("S1", 43, mold.END_OF_SESSION)


def test_a_request_is_twenty_bytes():
    request = native.mold_request("S1", 43, 7)

    assert request == mold.notice("S1", 43, 7) and len(request) == 20
    assert native.mold_parse_request(request) == ("S1        ", 43, 7)
    assert native.mold_parse_request(request[:19]) is native.mold_parse_request(request + b"\0") is None


def test_a_message_that_fits_no_packet_is_an_error():
    assert native.mold_pack("S1", 1, [bytes(1378)]) == [mold.packet("S1", 1, [bytes(1378)])]
    with pytest.raises(Exception, match="fits no packet"):
        native.mold_pack("S1", 1, [bytes(1379)])
