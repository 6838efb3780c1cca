"""native/wire/soupbintcp.h against its slow twin, and against captured logins."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell import _native as native
from oracles import pcap, soup

PACKETS = st.lists(st.tuples(st.sampled_from("+AJSHZLURO"), st.binary(max_size=80)), max_size=12)


def parse_all(stream: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
    found = []
    while True:
        framing, kind, payload, used = native.soup_parse(stream)
        if framing != "complete":
            assert (framing, used) == ("incomplete", 0)
            return found, stream
        found.append((kind, payload))
        stream = stream[used:]


@given(PACKETS, st.binary(max_size=2))
def test_a_stream_is_split_as_the_oracle_does(packets: list[tuple[str, bytes]], cut: bytes):
    stream = b"".join(native.soup_packet(kind, payload) for kind, payload in packets)
    tail = native.soup_packet("S", b"not all of it")[: len(cut)]

    assert stream == b"".join(soup.packet(kind, payload) for kind, payload in packets)
    assert parse_all(stream + tail) == soup.packets(stream + tail) == (packets, tail)


def test_a_packet_cut_at_any_byte_uses_nothing():
    whole = soup.packet("S", b"payload")

    assert {native.soup_parse(whole[:n])[0::3] for n in range(len(whole))} == {("incomplete", 0)}
    assert native.soup_parse(whole) == ("complete", "S", b"payload", 10)
    assert native.soup_parse(whole + b"\0") == ("complete", "S", b"payload", 10)


def test_the_largest_packet_is_read():
    whole = soup.packet("S", bytes(65534))

    assert native.soup_parse(whole) == ("complete", "S", bytes(65534), 65537)
    assert native.soup_packet("S", bytes(65534)) == whole


def test_a_stream_that_cannot_be_followed_is_broken():
    assert native.soup_parse(b"\0\0")[0] == "broken"
    assert native.soup_parse(soup.packet("S", bytes(81)), payload_max=80)[0] == "broken"
    assert native.soup_parse(soup.packet("S", bytes(80)), payload_max=80)[0] == "complete"


@pytest.mark.parametrize("session, seq", [("", 0), ("000010059B", 1), ("42", 2**64 - 1)])
def test_logins_are_written_as_the_document_says(session: str, seq: int):
    request = native.soup_login_request("user", "secret", session, seq)
    accepted = native.soup_login_accepted(session, seq)

    assert request == soup.login_request("user", "secret", session, seq) and len(request) == 49
    assert accepted == soup.login_accepted(session, seq) and len(accepted) == 33
    assert native.soup_parse_login_request(request[3:]) == ("user", "secret", session, seq)
    assert native.soup_parse_login_accepted(accepted[3:]) == (session, seq)


@pytest.mark.parametrize("number", ["7", "7".ljust(20), "7".rjust(20), "7".rjust(20, "0"), "   007".ljust(20)])
@pytest.mark.parametrize("session", ["S1".ljust(10), "S1".rjust(10)])
def test_logins_are_read_liberally(number: str, session: str):
    padded = number.ljust(20)

    assert native.soup_parse_login_accepted(f"{session}{padded}".encode()) == ("S1", 7)
    assert native.soup_parse_login_request(f"  userpw        {session}{padded}".encode()) == ("user", "pw", "S1", 7)


@pytest.mark.parametrize("number", ["", "x", "1x", "-1", "1 2", "1\0", str(2**64), "9" * 20])
def test_a_login_without_a_number_is_none(number: str):
    payload = f"{'S1':>10}{number:>20}".encode()

    assert native.soup_parse_login_accepted(payload) is None
    assert native.soup_parse_login_request(b"user  password  " + payload) is None


def test_a_login_cut_at_any_byte_is_none_and_a_longer_one_is_read():
    payload = soup.login_request("user", "pw", "S1", 1)[3:]

    assert {native.soup_parse_login_request(payload[:n]) for n in range(46)} == {None}
    assert native.soup_parse_login_request(payload + b"15000") == ("user", "pw", "S1", 1)


def test_captured_streams_are_written_again_byte_for_byte(shared_data: Path):
    captures = [
        capture
        for folder in ("JnxEquities.Pts.Ouch.v1.11", "Nasdaq.Nsm.Ouch.v5.0")
        for capture in sorted((shared_data / "nasdaq_pcap" / folder).glob("*.pcap"))
    ]
    assert len(captures) == 11

    for capture in captures:
        for segment in pcap.payloads(capture.read_bytes()):
            found, rest = parse_all(segment)

            assert found and rest == b""
            assert b"".join(native.soup_packet(kind, payload) for kind, payload in found) == segment
            for kind, payload in found:
                assert kind != "L" or native.soup_parse_login_request(payload) is not None
                assert kind != "A" or native.soup_parse_login_accepted(payload) is not None


def test_captured_logins_are_read_and_written_again(shared_data: Path):
    folder = shared_data / "nasdaq_pcap/JnxEquities.Pts.Ouch.v1.11"
    [request] = pcap.payloads((folder / "LoginRequestPacket.pcap").read_bytes())
    [accepted] = pcap.payloads((folder / "LoginAcceptedPacket.pcap").read_bytes())

    assert native.soup_parse_login_request(request[3:]) == ("user", "password", "", 0)
    assert native.soup_parse_login_accepted(accepted[3:]) == ("1689192121", 135)
    assert native.soup_login_request("user", "password", "", 0) == request
    assert native.soup_login_accepted("1689192121", 135) == accepted
