"""Classic pcap captures: the UDP datagrams of Ethernet frames over IPv4, in the order of the file.

    file    magic a1b2c3d4 (us) or a1b23c4d (ns), either byte order; 24 bytes, link type 1
    packet  seconds u32, fraction u32, captured u32, on the wire u32; then the captured bytes

A capture ends when its recorder stops: a last packet that is cut is counted, not an error. Whatever is not a whole UDP
datagram over IPv4 is counted by kind and skipped. Source: libpcap, "pcap-savefile(5)"; RFC 791, RFC 768, IEEE 802.1Q.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from openbell.errors import DecodeError

PACKET_BYTES_MAX = 1 << 18
"""libpcap's own largest snapshot length; a greater one is damage."""
_MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
_PCAPNG = b"\x0a\x0d\x0d\x0a"
_ETHERNET, _IPV4, _UDP = 1, 0x0800, 17
_VLANS = (0x8100, 0x88A8)


class Datagram(NamedTuple):
    """A UDP datagram; `ts` is ns since the epoch, addresses are IPv4 in the order of the wire."""

    ts: int
    destination: bytes
    port: int
    payload: bytes


@dataclass
class PcapCounters:
    """Every packet is in exactly one of these."""

    datagrams: int = 0
    other: int = 0
    """Not UDP over IPv4."""
    fragments: int = 0
    truncated: int = 0
    """Captured in part, or with lengths that contradict each other."""
    cut: int = 0
    """The last one, whose end is not in the file."""


def datagrams(file: BinaryIO, counters: PcapCounters) -> Iterator[Datagram]:
    """The datagrams of a capture.

    Raises:
        DecodeError: it is no classic pcap of Ethernet frames, or its packet lengths are damaged.
    """
    head = file.read(24)
    if head[:4] == _PCAPNG:
        raise DecodeError("expected a classic pcap, found pcapng; convert it with: editcap -F pcap IN OUT")
    if len(head) < 24 or head[:4] not in _MAGICS:
        raise DecodeError(f"expected the 24-byte header of a pcap file, found {head[:8].hex()}; is it another format?")
    order, unit = _MAGICS[head[:4]]
    (link,) = struct.unpack_from(order + "I", head, 20)
    if link & 0xFFFF != _ETHERNET:
        raise DecodeError(f"expected Ethernet frames (link type 1), found link type {link & 0xFFFF}")
    packet = struct.Struct(order + "IIII")
    at = 24
    while text := file.read(16):
        if len(text) < 16:
            counters.cut += 1
            return
        seconds, fraction, captured, on_wire = packet.unpack(text)
        if captured > PACKET_BYTES_MAX:
            raise DecodeError(
                f"expected a packet of at most {PACKET_BYTES_MAX} bytes, found {captured} at byte {at}; "
                "the capture is damaged from there on"
            )
        frame = file.read(captured)
        if len(frame) < captured:
            counters.cut += 1
            return
        at += 16 + captured
        found = _datagram(frame, captured < on_wire, counters)
        if found:
            yield Datagram(seconds * 1_000_000_000 + fraction * unit, *found)


def _datagram(frame: bytes, is_part: bool, counters: PcapCounters) -> tuple[bytes, int, bytes] | None:
    at = 12
    while int.from_bytes(frame[at : at + 2]) in _VLANS:
        at += 4
    ip = frame[at + 2 :]
    if int.from_bytes(frame[at : at + 2]) != _IPV4 or len(ip) < 20 or ip[0] >> 4 != 4 or ip[9] != _UDP:
        counters.other += 1
        return None
    if int.from_bytes(ip[6:8]) & 0x3FFF:  # more fragments follow, or this is not the first
        counters.fragments += 1
        return None
    head, total = (ip[0] & 15) * 4, int.from_bytes(ip[2:4])
    udp = ip[head:total]
    size = int.from_bytes(udp[4:6])
    if (is_part and len(ip) < total) or head < 20 or len(udp) < 8 or not 8 <= size <= len(udp):
        counters.truncated += 1
        return None
    counters.datagrams += 1
    return ip[16:20], int.from_bytes(udp[2:4]), udp[8:size]
