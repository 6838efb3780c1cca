"""DURABLE is the witness of what was promised: without it nothing is cut, and a power cut cannot take it away."""

import shutil
import struct
from pathlib import Path

import pytest

from journal.crash.recovers import VERIFIER
from journal.frames import SMALL, append_all, random_frames
from openbell._native import Archiver, JournalWriter, SimDisk, crc32c
from openbell.errors import JournalDamagedError, JournalError
from openbell.journal.cut import cut, whole_part

FRAMES = 20
LATEST_AT = 4096


@pytest.fixture
def archived(hot, disk):
    """A journal after a power cut: one segment, all of it on disk; the file, and the frames that it holds."""
    writer, archiver = JournalWriter(str(disk), str(hot), **SMALL), Archiver(str(hot), str(disk))
    inputs = [frame._replace(frame_class=1, flags=0) for frame in random_frames(3, FRAMES, records_max=3)]
    frames = append_all(writer, inputs)
    while archiver.run_once():
        pass
    del archiver
    writer.close()
    shutil.rmtree(hot)
    assert not VERIFIER.verify(disk).damage
    return disk / "00000001.seg", frames


def flip(path: Path, at: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 0x10
    path.write_bytes(raw)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "LOCK"}


def expect_halt(disk: Path, hot: Path, match: str) -> None:
    """A start cuts nothing and names what is wrong; the verifier finds damage too."""
    before = contents(disk)
    with pytest.raises(JournalDamagedError, match=match):
        JournalWriter(str(disk), str(hot), **SMALL)
    assert contents(disk) == before
    assert VERIFIER.verify(disk).damage


@pytest.mark.parametrize("at", [3, 5000], ids=["in the header", "in the middle"])
def test_damage_without_its_witness_halts(hot, disk, archived, at):
    segment, _ = archived
    flip(segment, at)
    (disk / "DURABLE").unlink()

    expect_halt(disk, hot, r"DURABLE how far it is durable, found segments .* openbell journal cut")


def test_epochs_without_frames_and_witness_halt(hot, disk, archived):
    segment, _ = archived
    segment.unlink()
    (disk / "DURABLE").unlink()

    expect_halt(disk, hot, "found EPOCH and no such file")


@pytest.mark.parametrize("at", [3, LATEST_AT + 3])
def test_either_of_the_two_watermarks_is_witness_enough(hot, disk, archived, at):
    segment, _ = archived
    flip(disk / "DURABLE", at)
    flip(segment, LATEST_AT + 70)

    expect_halt(disk, hot, r"seq 1, .* in .*00000001\.seg at offset 4096;")


def test_a_watermark_in_the_form_of_before_is_read(hot, disk, archived):
    (disk / "DURABLE").write_bytes((disk / "DURABLE").read_bytes()[LATEST_AT:])
    flip(archived[0], 5000)

    expect_halt(disk, hot, "00000001")


def test_what_a_power_cut_has_torn_is_cut_and_kept(hot, disk, archived):
    segment, frames = archived
    tail = 64 + len(frames[-1].records) - 8
    segment.write_bytes(segment.read_bytes()[:-8])
    (disk / "00000002.seg").write_bytes(b"begun")
    place = struct.pack("<QQQ", FRAMES - 1, 1, 4096)
    (disk / "DURABLE").write_bytes(place + struct.pack("<II", crc32c(place), 0))

    assert JournalWriter(str(disk), str(hot), **SMALL).last_seq == FRAMES - 1

    assert len((disk / "00000001.torn").read_bytes()) == tail
    assert (disk / "00000002.torn").read_bytes() == b"begun"


def test_more_than_one_batch_after_a_hole_is_no_power_cut(hot, disk):
    options = {"segment_bytes": 16 << 20, "frame_bytes_max": 256 << 10}
    writer, archiver = JournalWriter(str(disk), str(hot), **options), Archiver(str(hot), str(disk))
    at_start = (disk / "DURABLE").read_bytes()
    for _ in range(40):
        assert writer.append(1, 16, 128, bytearray(b"\1" * 128 * 2_000))
    while archiver.run_once():
        pass
    del archiver
    writer.close()
    shutil.rmtree(hot)
    (disk / "DURABLE").write_bytes(at_start)
    flip(disk / "00000001.seg", 5000)

    expect_halt(disk, hot, "more than a power cut can tear")


def test_the_watermark_survives_every_power_cut_from_the_first_frame_on(hot, disk, seed):
    writer, archive = JournalWriter(str(disk), str(hot), **SMALL), SimDisk()
    archiver = Archiver(str(hot), archive)
    append_all(writer, random_frames(seed, 3))
    archiver.run_once()
    append_all(writer, random_frames(seed + 1, 3))
    archiver.run_once()
    archive.crash(seed)
    first, _, _, crc, _ = struct.unpack_from("<QQQII", archive.read("DURABLE"))
    assert (first, crc) == (3, crc32c(archive.read("DURABLE")[:24]))


def test_a_closed_journal_is_promised_to_its_last_frame(hot, disk, seed):
    writer, archive = JournalWriter(str(disk), str(hot), **SMALL), SimDisk()
    archiver = Archiver(str(hot), archive)
    for n in range(3):
        append_all(writer, random_frames(n, 3))
        archiver.run_once()
    writer.close()
    while archiver.run_once():
        pass
    archive.crash(seed)
    assert struct.unpack_from("<Q", archive.read("DURABLE"))[0] == 9


def test_a_person_says_where_it_ends(hot, disk, archived):
    segment, frames = archived
    at = 4096 + sum(64 + len(f.records) for f in frames[:12])
    after = segment.read_bytes()[at:]
    flip(segment, at + 70)
    (disk / "DURABLE").unlink()

    assert whole_part(disk)[:3] == (12, 1, at)
    with pytest.raises(JournalError, match="expected --through 12"):
        cut(disk, 20)
    cut(disk, 12)

    assert JournalWriter(str(disk), str(hot), **SMALL).last_seq == 12
    assert len((disk / "00000001.torn").read_bytes()) == len(after)
    assert not VERIFIER.verify(disk).damage


def test_a_segment_that_another_one_follows_is_not_cut(disk, archived):
    segment, frames = archived
    (disk / "00000002.seg").write_bytes(segment.read_bytes())
    flip(segment, 4096 + sum(64 + len(f.records) for f in frames[:12]) + 70)
    (disk / "DURABLE").unlink()

    with pytest.raises(JournalError, match=r"found segment 2 after it; nothing was cut: restore the segment"):
        cut(disk, 12)


def test_of_a_first_segment_that_cannot_be_read_nothing_stays_if_a_person_says_so(hot, disk, archived):
    flip(archived[0], 3)
    cut(disk, 0)

    writer = JournalWriter(str(disk), str(hot), **SMALL)
    assert (writer.last_seq, writer.epoch) == (0, 2)
    assert (disk / "00000001.torn").is_file()
