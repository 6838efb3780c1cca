"""What a writer finds after a crash: whole frames stay, a torn tail goes, damage below the watermark halts."""

import shutil
import struct
from typing import NamedTuple

import pytest

from journal.frames import SMALL, append_all, random_frames, read_all
from openbell._native import JournalReader, JournalWriter, crc32c
from openbell.errors import CapacityError, JournalDamagedError, JournalError
from oracles.journal import SEGMENT_HEADER_BYTES, parse_journal

DURABLE_SEQ_AT = 128 + 16  # in journal.ctl


class Crashed(NamedTuple):
    """A journal whose writer is gone, and what it had appended."""

    frames: list
    last_at: int  # offset of the last frame in segment 1
    end: int


@pytest.fixture
def crashed(hot, disk):
    writer = JournalWriter(str(disk), str(hot), **SMALL)
    frames = append_all(writer, random_frames(3, 20, records_max=3))
    writer.close()
    end = SEGMENT_HEADER_BYTES + sum(64 + len(f.records) for f in frames)
    return Crashed(frames, end - 64 - len(frames[-1].records), end)


def set_durable_seq(hot, seq):
    with (hot / "journal.ctl").open("r+b") as page:
        page.seek(DURABLE_SEQ_AT)
        page.write(struct.pack("<Q", seq))


def patch(path, at, data):
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def reopen(hot, disk):
    return JournalWriter(str(disk), str(hot), **SMALL)


def test_reopened_journal_goes_on_with_the_next_seq_in_a_new_epoch(hot, disk, crashed):
    writer = reopen(hot, disk)
    later = append_all(writer, random_frames(4, 5))

    assert writer.epoch == 2
    assert (disk / "EPOCH").read_text() == "2\n"
    assert later[0].seq == 21
    assert writer.torn_bytes == 0
    assert parse_journal(hot) == crashed.frames + later


def test_tail_torn_at_every_byte_drops_the_last_frame_and_no_other(hot, disk, crashed):
    segment = hot / "00000001.seg"
    whole = segment.read_bytes()
    epoch = 1
    for at in range(crashed.last_at, crashed.end):
        segment.write_bytes(whole[:at] + bytes(len(whole) - at))
        reader = JournalReader(str(disk), str(hot), True)
        is_whole = whole[at : crashed.end].strip(b"\0") == b""  # the torn bytes were zero anyway
        expected = crashed.frames if is_whole else crashed.frames[:-1]
        assert read_all(reader) == expected, at

        writer = reopen(hot, disk)
        epoch += 1
        assert writer.epoch == epoch
        assert writer.last_seq == len(expected)
        later = append_all(writer, random_frames(at, 1))
        writer.close()
        assert parse_journal(hot) == expected + later, at


def test_bytes_that_were_dropped_are_counted(hot, disk, crashed):
    patch(hot / "00000001.seg", crashed.end - 1, b"\xaa")
    patch(hot / "00000001.seg", crashed.last_at + 70, b"\xaa\xaa")

    assert reopen(hot, disk).torn_bytes == crashed.end - crashed.last_at


@pytest.mark.parametrize("at", [0, 4, 9, 14, 16, 24, 40, 64, 100])
def test_damage_below_the_watermark_halts_and_names_the_position(hot, disk, crashed, at):
    set_durable_seq(hot, 20)
    original = (hot / "00000001.seg").read_bytes()[crashed.last_at + at]
    patch(hot / "00000001.seg", crashed.last_at + at, bytes([original ^ 0x10]))
    position = rf"seq 20, .* in .*00000001\.seg at offset {crashed.last_at};"

    with pytest.raises(JournalDamagedError, match=position):
        reopen(hot, disk)
    with pytest.raises(JournalDamagedError, match=position):
        read_all(JournalReader(str(disk), str(hot), True))


def test_missing_bytes_below_the_watermark_halt(hot, disk, crashed):
    set_durable_seq(hot, 20)
    patch(hot / "00000001.seg", crashed.last_at, bytes(crashed.end - crashed.last_at))

    with pytest.raises(JournalDamagedError, match="seq 20, found that its bytes are missing"):
        reopen(hot, disk)


def test_middle_damage_above_the_watermark_ends_the_journal_there(hot, disk, crashed):
    set_durable_seq(hot, 10)
    at = SEGMENT_HEADER_BYTES + sum(64 + len(f.records) for f in crashed.frames[:14])
    patch(hot / "00000001.seg", at + 66, b"\xee\xee\xee")

    writer = reopen(hot, disk)

    assert writer.last_seq == 14
    assert writer.torn_bytes > 0
    assert parse_journal(hot) == crashed.frames[:14]


def test_crash_across_several_segments_keeps_all(hot, disk):
    writer = JournalWriter(str(disk), str(hot), **SMALL)
    frames = append_all(writer, random_frames(8, 300))
    copy = hot.parent / (hot.name + "-copy")
    try:
        shutil.copytree(hot, copy)  # as a killed writer leaves it: the prepared segment too
        second = JournalWriter(str(disk / "other"), str(copy), **SMALL)
        assert second.last_seq == 300
        later = append_all(second, random_frames(9, 30))
        assert parse_journal(copy) == frames + later
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def test_after_a_reboot_the_archived_files_are_the_journal(hot, disk, crashed):
    segment = (hot / "00000001.seg").read_bytes()
    (disk / "00000001.seg").write_bytes(segment[: crashed.end - 3])
    shutil.rmtree(hot)

    writer = reopen(hot, disk)
    later = append_all(writer, random_frames(1, 3))

    assert writer.torn_bytes > 0
    assert later[0].seq == 20
    assert writer.segment == 2
    assert writer.durable_seq == 19
    assert parse_journal(disk) == crashed.frames[:-1]
    assert read_all(JournalReader(str(disk), str(hot), True)) == crashed.frames[:-1] + later


@pytest.mark.parametrize("promised", [0, 19])
def test_a_frame_that_a_power_cut_has_torn_in_its_middle_is_believed_by_no_reader(hot, disk, crashed, promised):
    segment = (hot / "00000001.seg").read_bytes()[: crashed.end]
    (disk / "00000001.seg").write_bytes(segment[:-8] + bytes(8))  # its head and commit word are there
    if promised:
        set_durable_seq(hot, promised)
    (hot / "00000001.seg").unlink()

    readers = [JournalReader(str(disk), str(hot), check_crc) for check_crc in (False, True)]

    assert [read_all(reader) for reader in readers] == [crashed.frames[:-1]] * 2


def test_a_segment_that_begins_elsewhere_says_where(hot, disk):
    writer = JournalWriter(str(disk), str(hot), **SMALL)
    append_all(writer, random_frames(8, 300))
    first, _, third = (hot / f"0000000{n}.seg" for n in (1, 2, 3))
    raw = bytearray(third.read_bytes())
    first_seq = struct.unpack_from("<Q", raw, 24)[0]
    struct.pack_into("<Q", raw, 16, 2)
    struct.pack_into("<I", raw, 40, crc32c(bytes(raw[:40])))
    (hot / "00000002.seg").write_bytes(raw)
    assert first.is_file()

    with pytest.raises(JournalDamagedError, match=rf"its segment begins with seq {first_seq} \(numbers are left out"):
        read_all(JournalReader(str(disk), str(hot)))


@pytest.mark.usefixtures("crashed")
def test_epoch_is_greater_than_any_seen(hot, disk):
    (disk / "EPOCH").write_text("41\n")
    assert reopen(hot, disk).epoch == 42

    (disk / "EPOCH").write_text(f"{(1 << 18) - 1}\n")
    with pytest.raises(CapacityError, match="epochs are used up"):
        reopen(hot, disk)


@pytest.mark.usefixtures("crashed")
def test_hot_directory_of_another_journal_is_refused(hot, disk):
    (disk / "00000007.seg").write_bytes(b"x")
    with pytest.raises(JournalError, match="belong to different journals"):
        reopen(hot, disk)


def test_zeros_where_a_later_segment_or_the_watermark_promises_frames_are_a_loss(hot, disk):
    writer = JournalWriter(str(disk), str(hot), **SMALL)
    frames = append_all(writer, random_frames(8, 100))
    assert writer.segment == 2
    at = SEGMENT_HEADER_BYTES + 64 + len(frames[0].records)
    patch(hot / "00000001.seg", at, bytes(4))
    reader = JournalReader(str(disk), str(hot))
    assert reader.next()[1] == 1
    with pytest.raises(JournalDamagedError, match=rf"seq 2, found that its bytes are missing, .* at offset {at};"):
        reader.next()


def test_journal_whose_first_segment_was_moved_away_is_damaged_below_the_watermark(hot, disk, crashed):
    set_durable_seq(hot, len(crashed.frames))
    (hot / "00000001.seg").unlink()
    with pytest.raises(JournalDamagedError, match="segment is missing"):
        reopen(hot, disk)
