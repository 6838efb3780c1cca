"""Classic pcap: the payload of each UDP datagram or TCP segment (Ethernet, IPv4, VLAN tags skipped)."""

import struct


def payloads(capture: bytes) -> list[bytes]:
    endian = "<" if capture[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    found, at = [], 24
    while at < len(capture):
        (size,) = struct.unpack_from(endian + "I", capture, at + 8)
        found.append(payload(capture[at + 16 : at + 16 + size]))
        at += 16 + size
    return found


def payload(frame: bytes) -> bytes:
    at = 12
    while frame[at : at + 2] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    ip = frame[at + 2 :]
    ip = ip[: int.from_bytes(ip[2:4], "big")]
    transport = ip[(ip[0] & 15) * 4 :]
    if ip[9] == 17:
        return transport[8 : int.from_bytes(transport[4:6], "big")]
    return transport[(transport[12] >> 4) * 4 :]
