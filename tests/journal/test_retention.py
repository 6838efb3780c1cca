"""Old segments are packed and removed by policy; everybody reads what is left, none lacks what recovery needs."""

import json
import os
import random
import shutil
import time

import pytest

from journal.crash.recovers import VERIFIER
from journal.frames import append_all, random_frames, read_all
from openbell import _native as native
from openbell.errors import JournalError
from openbell.journal import Archiver, JournalReader, JournalWriter, packing, seal_finished, verify_seals
from openbell.journal.archiver import archive
from openbell.journal.retention import DAY_S, NS, Retention, retain
from openbell.journal.segments import removed_through, segment_files

OPTIONS = {"segment_bytes": 32 << 10, "frame_bytes_max": 4096, "hot_segments_max": 64}


@pytest.fixture
def archived(hot, disk):
    """A dozen sealed segments, and the frames in all of them."""
    writer = JournalWriter(str(disk), str(hot), **OPTIONS)
    frames = append_all(writer, [f._replace(frame_class=1) for f in random_frames(4, 300)])
    writer.close()
    archiver = Archiver(str(hot), str(disk))
    while archiver.run_once():
        pass
    seal_finished(disk)
    shutil.rmtree(hot)
    return frames


def snapshot_at(disk, seq):
    (disk / "snapshots").mkdir(exist_ok=True)
    (disk / "snapshots" / f"{seq:012}.snap").write_bytes(b"")


def test_cold_segments_are_packed_and_read_as_before(disk, archived):
    sealed = len(list(disk.glob("*.seal")))

    done = retain(disk, Retention(plain_segments=4))

    assert (done.packed, done.removed) == (list(range(1, sealed - 3)), [])
    assert read_all(JournalReader(str(disk), check_crc=True)) == archived
    assert len(list(verify_seals(disk))) == sealed
    assert retain(disk, Retention(plain_segments=4)).packed == []


def test_the_newest_stay_plain_so_that_a_writer_goes_on(hot, disk, archived):
    retain(disk, Retention(plain_segments=0))

    writer = JournalWriter(str(disk), str(hot), **OPTIONS)

    assert writer.last_seq == len(archived)
    later = append_all(writer, random_frames(5, 3))
    assert read_all(JournalReader(str(disk), str(hot), True)) == archived + later


@pytest.mark.usefixtures("archived")
def test_a_journal_whose_newest_segment_is_packed_is_not_taken_for_an_empty_one(hot, disk):
    newest = segment_files(disk)[-1]
    newest.rename(newest.with_name(newest.name + ".zst"))
    with pytest.raises(JournalError, match=r"expected the newest segment in .* to be plain"):
        JournalWriter(str(disk), str(hot), **OPTIONS)


def test_what_is_too_much_goes_oldest_first_but_not_what_a_recovery_needs(disk, archived):
    size = sum(path.stat().st_size for path in segment_files(disk))
    policy = Retention(keep_bytes=size // 2)
    assert retain(disk, policy).removed == []  # without a snapshot everything is needed
    snapshot_at(disk, archived[70].seq)

    done = retain(disk, policy)

    assert done.removed == list(range(1, len(done.removed) + 1)) and done.held
    assert removed_through(disk) == done.removed[-1]
    left = read_all(JournalReader(str(disk), check_crc=True))
    assert left == archived[-len(left) :] and left[0].seq <= archived[70].seq + 1
    assert len(list(verify_seals(disk))) == len(list(disk.glob("*.seal")))
    report = VERIFIER.verify(disk)
    assert (report.damage, report.first_seq, report.removed_through) == ("", left[0].seq, done.removed[-1])


def archived_over(hot, disk, days):
    """As `archived`, its frames at the same distance in engine time over so many days."""
    frames = [f._replace(frame_class=1) for f in random_frames(4, 300)]
    writer = JournalWriter(str(disk), str(hot), **OPTIONS)
    later = [f._replace(ts_seq=int(i * days * DAY_S * NS / len(frames))) for i, f in enumerate(frames)]
    later = append_all(writer, later)
    writer.close()
    archive(hot, disk)
    snapshot_at(disk, later[-1].seq)
    return later


def seals(disk):
    return [json.loads(path.read_bytes()) for path in sorted(disk.glob("*.seal"))]


def test_what_is_too_old_by_both_clocks_goes(hot, disk):
    frames = archived_over(hot, disk, 10)
    now_s, all_seals = (disk / "00000001.seal").stat().st_mtime, seals(disk)
    newest_ns = frames[all_seals[-1]["last_seq"] - 1].ts_seq
    old = [s for s in all_seals[:-2] if newest_ns - frames[s["last_seq"] - 1].ts_seq > 3 * DAY_S * NS]

    assert retain(disk, Retention(keep_days=3), now_s=now_s + 2 * DAY_S).removed == []
    done = retain(disk, Retention(keep_days=3), now_s=now_s + 4 * DAY_S)

    assert done.removed == [s["segment"] for s in old]
    assert 2 < len(old) < len(all_seals) - 2


def test_a_clock_that_was_set_far_ahead_removes_nothing(hot, disk):
    archived_over(hot, disk, 2)

    assert retain(disk, Retention(keep_days=3), now_s=time.time() + 40_000 * DAY_S).removed == []


@pytest.mark.usefixtures("archived")
def test_a_packed_segment_is_read_back_from_the_disk(disk, monkeypatch):
    done, fsync, advise, read = [], os.fsync, os.posix_fadvise, packing.contents_hash
    monkeypatch.setattr(packing.os, "fsync", lambda fd: done.append("synced") or fsync(fd))
    monkeypatch.setattr(packing.os, "posix_fadvise", lambda *what: done.append(what[1:]) or advise(*what))
    monkeypatch.setattr(packing, "contents_hash", lambda path: done.append("read") or read(path))

    packing.pack_segment(segment_files(disk)[0])

    assert done[:3] == ["synced", (0, 0, os.POSIX_FADV_DONTNEED), "read"]


def test_what_an_epoch_ran_goes_with_its_last_frame(hot, disk, archived):
    writer = JournalWriter(str(disk), str(hot), **OPTIONS)
    later = append_all(writer, [f._replace(frame_class=1) for f in random_frames(5, 300)])
    writer.close()
    archiver = Archiver(str(hot), str(disk))
    while archiver.run_once():
        pass
    seal_finished(disk)
    (disk / "runs").mkdir()
    runs = [disk / f"runs/{epoch:06}.json" for epoch in (1, 2)]
    for run in runs:
        run.write_bytes(b"{}")

    snapshot_at(disk, archived[-30].seq)
    assert retain(disk, Retention(keep_bytes=1)).removed
    assert [run.exists() for run in runs] == [True, True]

    snapshot_at(disk, later[-1].seq)
    (disk / "snapshots" / f"{archived[-30].seq:012}.snap").unlink()
    assert retain(disk, Retention(keep_bytes=1)).removed
    assert [run.exists() for run in runs] == [False, True]


def test_a_removal_that_was_interrupted_is_completed(disk, archived):
    snapshot_at(disk, archived[-1].seq)
    first = (disk / "00000001.seg").read_bytes()
    done = retain(disk, Retention(keep_bytes=60_000))
    (disk / f"{done.removed[-1]:08}.seg").write_bytes(first)

    assert retain(disk, Retention(keep_bytes=60_000)).removed == done.removed[-1:]
    assert not (disk / f"{done.removed[-1]:08}.seg").exists()


def test_a_replay_from_the_first_frame_says_that_it_is_gone(disk, archived):
    snapshot_at(disk, archived[-1].seq)
    retain(disk, Retention(keep_bytes=60_000))
    capacity = native.EngineCapacity()
    capacity.instruments_max = capacity.strategies_max = 2

    with pytest.raises(JournalError, match=r"expected frame 1, found that the journal begins at \d+"):
        native.recover(native.Engine(capacity), str(disk))


def test_a_missing_segment_that_retention_did_not_remove_is_damage(disk, archived):
    snapshot_at(disk, archived[-1].seq)
    retain(disk, Retention(keep_bytes=60_000))
    random.Random(1).choice(segment_files(disk)[:-2]).unlink()

    assert "expected" in VERIFIER.verify(disk).damage
