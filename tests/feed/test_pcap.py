"""Captures: datagrams with their times, whatever cuts or mixes the file, and any bytes at all."""

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openbell.errors import DecodeError
from openbell.feed.pcap import Datagram, PcapCounters, datagrams
from oracles import pcap as oracle


def read(data):
    counters = PcapCounters()
    return list(datagrams(io.BytesIO(data), counters)), counters


def udp(payload=b"abc", *, flags=0, protocol=17, vlan=b"", size=None, version=0x45):
    body = struct.pack(">HHHH", 1, 26477, len(payload) + 8 if size is None else size, 0) + payload
    head = struct.pack(
        ">BBHHHBBH4s4s", version, 0, 20 + len(body), 1, flags, 9, protocol, 0, b"\1\2\3\4", b"\xe9\x36\x0c\x6f"
    )
    return bytes(12) + vlan + b"\x08\x00" + head + body


def capture(*frames, order="<", magic=0xA1B2C3D4, link=1, on_wire=0):
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    for frame in frames:
        out += struct.pack(order + "IIII", 1_692_700_000, 5, len(frame), on_wire or len(frame)) + frame
    return out


WANTED = (b"\xe9\x36\x0c\x6f", 26477, b"abc")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "unit"), [(0xA1B2C3D4, 1000), (0xA1B23C4D, 1)])
def test_both_byte_orders_and_both_units_of_time(order, magic, unit):
    found, counters = read(capture(udp(), order=order, magic=magic))
    assert found == [Datagram(1_692_700_000 * 10**9 + 5 * unit, *WANTED)]
    assert counters == PcapCounters(datagrams=1)


@pytest.mark.parametrize(
    ("frame", "counted"),
    [
        (udp(vlan=b"\x81\x00\x00\x05"), "datagrams"),
        (udp(protocol=6), "other"),
        (udp(version=0x65), "other"),
        (b"\xff" * 40, "other"),
        (b"", "other"),
        (udp(flags=0x2000), "fragments"),
        (udp(flags=0x0010), "fragments"),
        (udp(flags=0x4000), "datagrams"),
        (udp(size=500), "truncated"),
        (udp(size=3), "truncated"),
        (udp()[:40], "truncated"),
    ],
)
def test_what_is_no_whole_datagram_is_counted_by_its_kind(frame, counted):
    found, counters = read(capture(frame, udp(), on_wire=400 if counted == "truncated" else 0))
    assert [d[1:] for d in found[-1:]] == [WANTED]
    assert vars(counters)[counted] == (2 if counted == "datagrams" else 1)
    assert sum(vars(counters).values()) == 2


def test_a_last_packet_that_is_cut_is_counted_wherever_the_cut_is():
    whole = capture(udp(), udp())
    second = len(capture(udp()))
    for end in range(second + 1, len(whole)):
        found, counters = read(whole[:end])
        assert (len(found), counters.cut) == (1, 1)
    assert read(whole[:second])[1] == PcapCounters(datagrams=1)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "24-byte header"),
        (b"\x0a\x0d\x0d\x0a" + bytes(40), "editcap"),
        (capture(udp(), link=101), "link type 101"),
        (capture() + struct.pack("<IIII", 0, 0, 1 << 30, 1 << 30), "at byte 24"),
    ],
)
def test_what_is_no_capture_is_a_typed_error(data, said):
    with pytest.raises(DecodeError, match=said):
        read(data)


def test_real_captures_hold_what_another_reader_finds(shared_data):
    files = sorted((shared_data / "nasdaq_pcap").glob("*/*.pcap"))
    for file in files:
        data = file.read_bytes()
        found, counters = read(data)
        if "Itch" in file.parent.name:
            assert [d.payload for d in found] == oracle.payloads(data)
        else:
            assert (found, counters.other) == ([], len(oracle.payloads(data)))
    assert len(files) >= 8


@settings(deadline=None)
@given(st.data())
def test_any_damage_is_a_typed_error_or_datagrams(data):
    raw = bytearray(capture(udp(), udp(vlan=b"\x81\x00\x00\x05"), udp(protocol=6)))
    for _ in range(data.draw(st.integers(0, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        _, counters = read(bytes(raw[: data.draw(st.integers(0, len(raw)))]))
    except DecodeError:
        return
    assert sum(vars(counters).values()) <= 3
