"""Packed segments are read like plain ones, and damage among them is named."""

import numpy as np
import pytest
import zstandard

from openbell.errors import JournalDamagedError, JournalError
from openbell.journal import (
    FrameClass,
    JournalReader,
    JournalWriter,
    journal_hash,
    open_journal,
    seal_finished,
    verify_seals,
)
from openbell.journal.segments import open_segment, segment_files

FRAMES = 3_000


@pytest.fixture
def tape(tmp_path):
    directory = tmp_path / "tape"
    writer = JournalWriter(str(directory), segment_bytes=64 << 10, frame_bytes_max=8192)
    for i in range(FRAMES):
        record = np.full(48, i % 251, np.uint8)
        record[0] = 1
        writer.append(FrameClass.IN, 16, 48, record, source_seq=i, ts_recv=i, ts_seq=i)
    writer.close()
    return directory


def pack(segment, level=3):
    """As `zstd` on the command line does."""
    packed = zstandard.ZstdCompressor(level=level, write_checksum=True).compress(segment.read_bytes())
    segment.with_name(segment.name + ".zst").write_bytes(packed)
    segment.unlink()


def frames_of(tape):
    return [(f.seq, f.ts_recv, f.raw.tobytes()) for f in open_journal(tape, check_crc=True)]


@pytest.mark.parametrize("which", [slice(None), slice(0, 1), slice(1, 3), slice(-1, None)])
def test_some_or_all_packed_read_the_same(tape, which):
    plain = frames_of(tape)

    for segment in segment_files(tape)[which]:
        pack(segment)

    assert frames_of(tape) == plain
    assert len(plain) == FRAMES


@pytest.mark.parametrize("seq", [1, 2, 700, 1_500, FRAMES - 1, FRAMES])
def test_a_reader_finds_its_place(tape, seq):
    for segment in segment_files(tape):
        pack(segment)

    frame = next(iter(open_journal(tape).seek(seq)))

    assert frame.seq == seq


def test_a_frame_outlives_the_reader_that_unpacked_it(tape):
    for segment in segment_files(tape):
        pack(segment)

    kept = [frame.raw for frame in open_journal(tape)]

    assert [int(raw[0, 1]) for raw in kept] == [i % 251 for i in range(FRAMES)]


def test_where_both_exist_the_plain_one_counts(tape):
    plain = frames_of(tape)
    second = segment_files(tape)[1]
    second.with_name(second.name + ".zst").write_bytes(b"cut off while packing")

    assert frames_of(tape) == plain
    assert second in segment_files(tape)


def test_a_segment_that_is_missing_between_packed_ones_is_damage(tape):
    segments = segment_files(tape)
    for segment in segments:
        pack(segment)
    segments[1].with_name(segments[1].name + ".zst").unlink()

    with pytest.raises(JournalDamagedError, match=r"00000002\.seg"):
        frames_of(tape)


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        (lambda _: b"not zstd at all, but long enough", "packed segment is damaged"),
        (lambda data: data[: len(data) // 2], r"found \d+ bytes of 65536|packed segment is damaged"),
        (lambda data: data[:10] + bytes(20) + data[30:], "packed segment is damaged"),
        (lambda _: zstandard.ZstdCompressor(write_content_size=False).compress(b"x" * 9), "found one of -1 bytes"),
        (lambda _: b"", "packed segment is damaged"),
    ],
)
def test_a_damaged_file_is_named(tape, harm, found):
    segment = segment_files(tape)[1]
    pack(segment)
    packed = segment.with_name(segment.name + ".zst")
    packed.write_bytes(harm(packed.read_bytes()))

    with pytest.raises(JournalDamagedError, match=found) as error:
        frames_of(tape)

    assert packed.name in str(error.value)


def test_readers_side_by_side_share_what_was_unpacked(tape, monkeypatch):
    from openbell.journal import segments

    for segment in segment_files(tape):
        pack(segment)
    unpacked, unpack = [], segments.unpack_to_memory
    monkeypatch.setattr(segments, "unpack_to_memory", lambda path: unpacked.append(path) or unpack(path))
    one, other = JournalReader(str(tape)), JournalReader(str(tape))

    for _ in range(FRAMES):
        assert one.next() is not None and other.next() is not None

    assert len(unpacked) == len(segment_files(tape))


def test_a_tape_that_took_the_place_of_another_is_read_anew(tape):
    for segment in segment_files(tape):
        pack(segment)
    reader = JournalReader(str(tape))
    assert reader.next() is not None  # holds the first segment
    first = segment_files(tape)[0]
    with open_segment(first) as file:
        data = bytearray(file.read())
    data[4096 + 64 + 1] ^= 1  # of the first record
    first.write_bytes(zstandard.ZstdCompressor(level=9).compress(bytes(data)))

    assert next(iter(open_journal(tape))).raw[0, 1] == 1


def test_seals_hold_over_packing(tape):
    seal_finished(tape)
    name, seals = journal_hash(tape), list(verify_seals(tape))

    for segment in segment_files(tape):
        pack(segment)

    assert (journal_hash(tape), list(verify_seals(tape))) == (name, seals)
    assert len(seals) > 2


def test_a_writer_takes_no_folder_of_packed_segments(tape):
    for segment in segment_files(tape):
        pack(segment)

    with pytest.raises(JournalError, match=r"expected no segments in .*, found a tape"):
        JournalWriter(str(tape))
