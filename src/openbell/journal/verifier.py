"""Checks a journal without a line of the code that wrote it: own CRC32C, own walk, standard library alone.

    python verifier.py DIR [--anchor SHA256] [--json]

Format, commit words, CRCs, sequence, epochs, causes, the chain of decision hashes, the seals and their chain. What may
be missing at the end after a power cut, above the watermark in DURABLE, is a torn tail and no damage; anything else
that is not as it was written is, and the first such place is named. Exit code 0: whole, or with a torn tail; 1:
damaged; 2: it could not be looked at.

`openbell journal verify` runs this file as a program of its own. It imports nothing of openbell, and only for packed
segments the package zstandard.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import struct
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

VERSION = 1
SEGMENT_HEADER = struct.Struct("<8sHHIQQQII")
SEGMENT_HEADER_BYTES = 4096
FRAME = struct.Struct("<IIHBBHHIIQQQqq")
END = 0xFFFF_FFFF
END_BYTES = 16
FRAME_BYTES_MAX = 256 * 1024
IN, OUT = 1, 2
AFTER_TAPE = 2
HASH_TYPE = 137
HASH = struct.Struct("<BBHIqQQQ")
RECORD_BYTES = (48, 128)
WATERMARK = struct.Struct("<QQQII")
WATERMARKS_AT = (0, 4096)
"""In DURABLE: the one that is synced, and the one that was written last."""
TORN_BYTES_MAX = (8 << 20) + (256 << 10) + 16
"""What a power cut may tear: one batch of the archiver, which ends with a whole frame."""
MARKS_OF_A_NODE = ("EPOCH", "snapshots", "runs")
"""Beside a journal that a node writes; a tape has none of them, and no DURABLE."""
SEGMENT_BYTES_MAX = 1 << 30
NO_SEAL = "0" * 64
MASK = (1 << 64) - 1
MIX = 0x9E37_79B9_7F4A_7C15


class DamagedError(Exception):
    """The first place that is not as it was written."""


class TornError(Exception):
    """Where a journal ends before its bytes do, above the watermark: at offset `at` of a segment."""

    def __init__(self, what: str, path: Path, at: int) -> None:
        super().__init__(f"{what}, in {path} at offset {at}")
        self.at = at


def _crc_table() -> list[int]:
    """CRC32C (RFC 3720) of two bytes at once: reflected polynomial 0x82F63B78."""
    one = []
    for byte in range(1 << 8):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        one.append(crc)
    first = [one[word & 0xFF] ^ word >> 8 for word in range(1 << 16)]
    return [one[crc & 0xFF] ^ crc >> 8 for crc in first]


CRC_TABLE = _crc_table()


def crc32c(data: bytes | memoryview) -> int:
    """CRC32C of an even number of bytes."""
    crc, table = 0xFFFF_FFFF, CRC_TABLE
    for word in struct.unpack(f"<{len(data) // 2}H", data):
        crc = table[(crc ^ word) & 0xFFFF] ^ crc >> 16
    return crc ^ 0xFFFF_FFFF


def _fold(a: int, b: int) -> int:
    product = a * b
    return (product ^ product >> 64) & MASK


def decision_hash(records: bytes, seed: int) -> int:
    """The rolling hash after a decision of `records` (whole 8-byte words), before which it was `seed`."""
    value = seed ^ MIX
    for word in struct.unpack(f"<{len(records) // 8}Q", records):
        value = _fold(value ^ word, MIX | 1)
    return _fold(value, (len(records) * 2 + 1) ^ MIX)


@dataclass
class Report:
    """What was found; `damage` is empty when nothing is, `torn` when the end is whole."""

    segments: int = 0
    frames: int = 0
    decisions: int = 0
    first_seq: int = 0
    last_seq: int = 0
    epochs: list[int] = field(default_factory=list)
    removed_through: int = 0
    sealed_through: int = 0
    hash: str = NO_SEAL
    damage: str = ""
    torn: str = ""


@dataclass
class Walk:
    """What one frame has to continue."""

    seq: int = 0
    epoch: int = 0
    last_cause: int = 0
    inputs: list[int] = field(default_factory=list)  # not answered, since the last that was
    skipped_from: int = 0  # numbers that stay on a tape, since the last cause
    rolling: int | None = None
    decisions: int = 0


def verify(directory: Path, anchor: str = "") -> Report:
    """Look at the journal in `directory`; never raises for what it finds there."""
    report = Report()
    try:
        files = segment_files(directory)
        spans = _walk(files, _durable_seq(directory), report, _removed_through(directory, report))
        _check_seals(directory, files, spans, report)
        if anchor and anchor not in _chain(directory):
            raise DamagedError(f"expected the anchor {anchor[:16]}... among the seals, found it nowhere in {directory}")
    except DamagedError as error:
        report.damage = str(error)
    return report


def segment_files(directory: Path) -> dict[int, Path]:
    """Segments by number, plain before packed."""
    files = {int(p.name.split(".")[0]): p for p in directory.glob("[0-9]*.seg.zst")}
    files |= {int(p.stem): p for p in directory.glob("[0-9]*.seg")}
    return dict(sorted(files.items()))


def _contents(path: Path) -> bytes:
    if path.suffix != ".zst":
        return path.read_bytes()
    import zstandard

    try:
        with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
            data = stream.read(SEGMENT_BYTES_MAX + 1)
    except zstandard.ZstdError as error:
        raise DamagedError(f"expected a packed segment, found {error}, in {path}") from None
    if not 0 < len(data) <= SEGMENT_BYTES_MAX:
        raise DamagedError(f"expected a packed segment of up to 1 GiB, found {len(data)} bytes, in {path}")
    return bytes(data)


def _durable_seq(directory: Path) -> int:
    path, found = directory / "DURABLE", []
    raw = path.read_bytes() if path.exists() else b""
    for at in WATERMARKS_AT:
        if len(raw) >= at + WATERMARK.size:
            seq, _, _, crc, _ = WATERMARK.unpack_from(raw, at)
            found += [int(seq)] if crc == crc32c(raw[at : at + 24]) else []
    marks = [name for name in MARKS_OF_A_NODE if (directory / name).exists()]
    if not found and (raw or marks):
        raise DamagedError(
            f"expected in {path} how far the journal is durable, found {'other bytes' if raw else 'no such file'}, but "
            f"{', '.join(marks) or 'segments'}; without it nobody knows what its end has lost"
        )
    return max(found, default=0)


def _removed_through(directory: Path, report: Report) -> int:
    path = directory / "RETENTION"
    if path.exists():
        try:
            report.removed_through = int(json.loads(path.read_bytes())["removed_through"])
        except (ValueError, TypeError, KeyError):
            raise DamagedError(
                f"expected what retention has removed, found {path.read_bytes()[:80]!r}, in {path}"
            ) from None
    return report.removed_through


# ---- frames ------------------------------------------------------------------------------------------


def _header(data: bytes, number: int, path: Path) -> tuple[int, int] | None:
    """(first seq, epoch) of a segment, or None when it was never begun."""
    if len(data) < SEGMENT_HEADER_BYTES:
        return None
    magic, version, _, epoch, found, first_seq, _, crc, _ = SEGMENT_HEADER.unpack_from(data)
    if magic != b"openbell" or crc != crc32c(data[:40]):
        return None
    if version != VERSION:
        raise DamagedError(
            f"expected format version {VERSION}, found {version}, in {path}; use the verifier of that one"
        )
    return (first_seq, epoch) if found == number else None


def _walk(files: dict[int, Path], durable_seq: int, report: Report, removed: int) -> dict[int, tuple[int, int]]:
    """First and last seq of every complete segment."""
    spans: dict[int, tuple[int, int]] = {}
    walk, expected = Walk(), 0
    for number, path in files.items():
        if number <= removed:
            continue  # removed by retention and not gone yet
        data = _contents(path)
        header = _header(data, number, path)
        is_last = number == max(files)
        if header is None:
            if not is_last or walk.seq < durable_seq:
                raise DamagedError(f"expected the header of segment {number}, found other bytes, in {path} at offset 0")
            report.torn = f"{len(data)} bytes of a segment that was not begun, in {path}"
            break
        if expected == 0:
            if number != removed + 1 and removed:
                raise DamagedError(f"expected segment {removed + 1} to be the first, found {path}")
            walk.seq = header[0] - 1
            report.first_seq = header[0]
        elif number != expected:
            raise DamagedError(f"expected segment {expected} after {expected - 1}, found {path}")
        expected = number + 1
        try:
            at, is_ended = _walk_segment(data, path, header, walk, report)
        except TornError as torn:
            if walk.seq < durable_seq or (not is_last and _is_begun(files, number + 1)):
                raise DamagedError(str(torn)) from None
            if (torn_bytes := len(data.rstrip(b"\0")) - torn.at) > TORN_BYTES_MAX:
                raise DamagedError(f"{torn}, and {torn_bytes} bytes, more than a power cut can tear") from None
            report.torn = str(torn)
            break
        if not is_ended and not is_last and _is_begun(files, number + 1):
            raise DamagedError(f"expected an end marker after seq {walk.seq}, found none, in {path} at offset {at}")
        if is_ended:
            spans[number] = (header[0], walk.seq)
    if walk.seq < durable_seq:
        raise DamagedError(f"expected frames up to {durable_seq}, as DURABLE says, found {walk.seq}")
    report.last_seq = walk.seq
    return spans


def _is_begun(files: dict[int, Path], number: int) -> bool:
    return number in files and _header(_contents(files[number]), number, files[number]) is not None


def _walk_segment(data: bytes, path: Path, header: tuple[int, int], walk: Walk, report: Report) -> tuple[int, bool]:
    """Go over every frame; where it ended, and whether with an end marker."""
    report.segments += 1
    at, is_first = SEGMENT_HEADER_BYTES, True
    if header[1] < walk.epoch:
        raise DamagedError(f"expected epoch {walk.epoch} or later, found {header[1]} in the header of {path}")
    while at + END_BYTES <= len(data):
        (length,) = struct.unpack_from("<I", data, at)
        if length == 0:
            if any(data[at:]):
                raise TornError(f"expected frame {walk.seq + 1}, found bytes after an empty commit word", path, at)
            return at, False
        if length == END:
            if any(data[at + 4 : at + END_BYTES]):
                raise TornError(f"expected an end marker after seq {walk.seq}, found a torn one", path, at)
            if any(data[at + END_BYTES :]):
                raise DamagedError(f"expected nothing after the end marker, found bytes, in {path} at offset {at}")
            return at, True
        flaw = _flaw(data, at, length, header[0] if is_first else 0, walk)
        if flaw:
            raise TornError(f"expected frame {walk.seq + 1}, found {flaw}", path, at)
        if reason := _contradiction(data, at, length, walk, report):
            raise DamagedError(f"frame {walk.seq}: {reason}, in {path} at offset {at}")
        report.frames += 1
        at += length
        is_first = False
    if any(data[at:]):
        raise TornError(f"expected frame {walk.seq + 1}, found {len(data) - at} bytes", path, at)
    return at, False


def _flaw(data: bytes, at: int, length: int, first_seq: int, walk: Walk) -> str:
    """What is wrong with a frame as bytes; empty when nothing is."""
    if length < FRAME.size or length % 16 or length > FRAME_BYTES_MAX:
        return f"the impossible length {length}"
    if length > len(data) - at:
        return f"a frame of {length} bytes that is cut short"
    _, crc, version, _, flags, _, size, count, _, seq, *_ = FRAME.unpack_from(data, at)
    if version != VERSION:
        return f"format version {version}"
    if size not in RECORD_BYTES or FRAME.size + count * size != length:
        return f"{count} records of {size} bytes in a frame of {length}"
    if crc != crc32c(memoryview(data)[at + 8 : at + length]):
        return "another CRC32C"
    expected = first_seq or walk.seq + 1
    if seq != walk.seq + 1 and not (seq > walk.seq and (flags & AFTER_TAPE or seq == first_seq)):
        return f"seq {seq}"
    return "" if seq >= expected else f"seq {seq}"


def _contradiction(data: bytes, at: int, length: int, walk: Walk, report: Report) -> str:
    """What is wrong with a frame among its fellows, although its bytes are whole."""
    _, _, _, frame_class, _, _, size, _, epoch, seq, cause, *_ = FRAME.unpack_from(data, at)
    if seq != walk.seq + 1 and not walk.skipped_from:
        walk.skipped_from = walk.seq + 1
    walk.seq = seq
    if epoch < walk.epoch:
        return f"expected epoch {walk.epoch} or later, found {epoch}"
    if epoch > walk.epoch:
        report.epochs.append(epoch)
        walk.epoch = epoch
    if frame_class == IN:
        walk.inputs.append(seq)
        return ""
    if frame_class != OUT:
        return f"expected class {IN} or {OUT}, found {frame_class}"
    report.decisions += 1
    is_of_tape = walk.skipped_from and walk.skipped_from <= cause < seq
    is_removed = cause == report.first_seq - 1 and seq == report.first_seq
    if cause not in walk.inputs and not is_of_tape and not is_removed:
        return f"expected the decision on an input after {walk.last_cause}, found cause {cause}"
    walk.last_cause, walk.skipped_from = cause, 0
    walk.inputs = [n for n in walk.inputs if n > cause]
    return _hash_contradiction(data[at + FRAME.size : at + length], size, cause, walk)


def _hash_contradiction(records: bytes, size: int, cause: int, walk: Walk) -> str:
    if size != 128 or records[-128] != HASH_TYPE:
        return ""
    _, _, _, _, _, rolling, _, decisions = HASH.unpack_from(records, len(records) - 128)
    if walk.rolling is None and decisions == 1:
        walk.rolling, walk.decisions = 0, 0
    if walk.rolling is not None:
        if decisions != walk.decisions + 1:
            return f"expected decision {walk.decisions + 1} of the chain, found {decisions}"
        found = decision_hash(records[:-128], walk.rolling ^ cause)
        if found != rolling:
            return f"expected the decision chain to be {found:016x}, found {rolling:016x}"
    walk.rolling, walk.decisions = rolling, decisions
    return ""


# ---- seals -------------------------------------------------------------------------------------------


def _chain(directory: Path) -> Iterator[str]:
    for path in sorted(directory.glob("[0-9]*.seal")):
        yield hashlib.sha256(path.read_bytes()).hexdigest()


def _check_seals(directory: Path, files: dict[int, Path], spans: dict[int, tuple[int, int]], report: Report) -> None:
    prev, expected, next_seq = NO_SEAL, 0, 0
    for path in sorted(directory.glob("[0-9]*.seal")):
        text = path.read_bytes()
        number = int(path.stem)
        try:
            seal = dict(json.loads(text))
            said = (int(seal["first_seq"]), int(seal["last_seq"]))
            segment, size, sha256, before = seal["segment"], int(seal["bytes"]), str(seal["sha256"]), seal["prev"]
        except (ValueError, TypeError, KeyError):
            raise DamagedError(f"expected a seal, found {text[:80]!r}, in {path}") from None
        if segment != number or (expected and number != expected):
            raise DamagedError(f"expected the seal of segment {expected or number}, found that of {segment}, in {path}")
        if before != prev:
            raise DamagedError(
                f"expected the chain to go on from {prev[:16]}..., found {str(before)[:16]}..., in {path}"
            )
        if next_seq and said[0] < next_seq:
            raise DamagedError(f"expected a segment from seq {next_seq} on, found {said[0]}, in {path}")
        if number > report.removed_through:
            _check_sealed(files, number, (size, sha256, said), spans)
        report.sealed_through, prev = number, hashlib.sha256(text).hexdigest()
        expected, next_seq = number + 1, said[1] + 1
    report.hash = prev


def _check_sealed(
    files: dict[int, Path], number: int, seal: tuple[int, str, tuple[int, int]], spans: dict[int, tuple[int, int]]
) -> None:
    if number not in files:
        raise DamagedError(f"expected the sealed segment {number}, found no file of it")
    data = _contents(files[number])
    found = hashlib.sha256(data).hexdigest()
    if found != seal[1] or len(data) != seal[0]:
        raise DamagedError(
            f"expected sha256 {seal[1][:16]}... of {seal[0]} bytes, found {found[:16]}... of {len(data)}, "
            f"in {files[number]}"
        )
    if spans.get(number) != seal[2]:
        raise DamagedError(f"expected frames {seal[2]} in {files[number]}, as its seal says, found {spans.get(number)}")


# ---- as a program ------------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """Verify one journal; the exit code."""
    parser = argparse.ArgumentParser(prog="verifier.py", description="Check a journal, sharing no code with openbell.")
    parser.add_argument("directory", type=Path, help="the journal's directory")
    parser.add_argument("--anchor", default="", help="a hash that was published: the chain of seals must hold it")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")
    options = parser.parse_args(arguments)
    if not options.directory.is_dir():
        print(f"verifier: expected a journal's directory, found none at {options.directory}", file=sys.stderr)
        return 2
    try:
        report = verify(options.directory, options.anchor)
    except (OSError, ImportError) as error:
        print(f"verifier: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(asdict(report), indent=2))
    else:
        _show(report)
    return 1 if report.damage else 0


def _show(report: Report) -> None:
    print(
        f"{report.segments} segments, {report.frames} frames, seq {report.first_seq} to {report.last_seq}, "
        f"{report.decisions} decisions, epochs {report.epochs or 'none'}"
    )
    print(f"sealed through segment {report.sealed_through}, hash {report.hash}")
    if report.removed_through:
        print(f"segments up to {report.removed_through} were removed by retention; their seals are there")
    if report.torn:
        print(f"torn tail: {report.torn}")
    print(f"DAMAGED: {report.damage}" if report.damage else "whole")


if __name__ == "__main__":
    sys.exit(main())
