"""The journal read the slow, obvious way: segment files taken apart with struct."""

import struct
from pathlib import Path
from typing import NamedTuple

HEADER = struct.Struct("<8sHHIQQQII")
FRAME = struct.Struct("<IIHBBHHIIQQQqq")
SEGMENT_HEADER_BYTES = 4096
END = 0xFFFFFFFF


class OracleFrame(NamedTuple):
    frame_class: int
    flags: int
    source: int
    record_size: int
    epoch: int
    seq: int
    cause_seq: int
    source_seq: int
    ts_recv: int
    ts_seq: int
    records: bytes


def crc32c(data: bytes) -> int:
    """CRC32C, bit by bit (RFC 3720, appendix B.4)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


BYTE_TABLE = [crc32c(bytes([b])) ^ 0xFF000000 for b in range(256)]


def crc32c_fast(data: bytes) -> int:
    """The same by table, for whole journals."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ BYTE_TABLE[(crc ^ byte ^ 0xFF) & 0xFF]
    return crc ^ 0xFFFFFFFF


def parse_segment(data: bytes) -> tuple[list[OracleFrame], bool]:
    """Frames of one segment, and whether it ends with an end marker. Anything wrong is an AssertionError."""
    magic, version, _node, _epoch, _number, seq, _size, crc, pad = HEADER.unpack_from(data)
    assert (magic, version, pad) == (b"openbell", 1, 0)
    assert crc == crc32c(data[:40])
    assert not any(data[HEADER.size : SEGMENT_HEADER_BYTES])
    frames = []
    at = SEGMENT_HEADER_BYTES
    while at + 4 <= len(data):
        length = int.from_bytes(data[at : at + 4], "little")
        if length == 0:
            break
        if length == END:
            assert not any(data[at + 4 : at + 16])
            return frames, True
        fields = FRAME.unpack_from(data, at)
        _, crc, version, frame_class, flags, source, size, count, epoch, frame_seq, cause, *rest = fields
        assert version == 1
        assert length % 16 == 0
        assert length == 64 + size * count
        assert crc == crc32c_fast(data[at + 8 : at + length])
        assert frame_seq == seq
        records = data[at + 64 : at + length]
        frames.append(OracleFrame(frame_class, flags, source, size, epoch, seq, cause, *rest, records))
        at += length
        seq += 1
    return frames, False


def parse_journal(directory: Path) -> list[OracleFrame]:
    """Every frame of the segments in a directory."""
    frames = []
    for path in sorted(directory.glob("*.seg")):
        data = path.read_bytes()
        if data[:8] == b"openbell":  # else prepared and not begun
            frames += parse_segment(data)[0]
    return frames
