"""The archiver: what durable_seq promises, under a dying writer, a dying archiver and a dying host."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys

import pytest

from journal.frames import SMALL, append_all, random_frames, read_all
from openbell._native import Archiver, JournalReader, JournalWriter, SimDisk
from openbell.errors import JournalDamagedError, JournalError, JournalLockedError
from openbell.journal.archiver import archive
from openbell.journal.seal import NO_SEAL, seal_finished, verify_seals
from oracles.journal import parse_journal, parse_segment


def run_to_end(archiver):
    while archiver.run_once():
        pass


def test_archived_files_hold_the_committed_frames_and_no_more(hot, disk):
    writer = JournalWriter(str(disk), str(hot), **SMALL)
    archiver = Archiver(str(hot), str(disk))
    expected = []
    for batch in range(30):
        expected += append_all(writer, random_frames(batch, 12))
        assert writer.durable_seq <= writer.last_seq - 12
        run_to_end(archiver)
        assert writer.durable_seq == writer.last_seq
        assert parse_journal(disk) == expected
        assert read_all(JournalReader(str(disk), check_crc=True)) == expected


def test_hot_segments_go_when_archived_and_readers_fall_over_to_the_files(hot, disk):
    writer = JournalWriter(str(disk), str(hot), **SMALL | {"hot_segments_max": 4})
    archiver = Archiver(str(hot), str(disk))
    slow, fast = JournalReader(str(disk), str(hot)), JournalReader(str(disk), str(hot))
    expected = append_all(writer, random_frames(99, 5))
    assert slow.next()[1] == 1
    for batch in range(60):
        expected += append_all(writer, random_frames(batch, 8))
        run_to_end(archiver)
        assert fast.next() is not None
        read_all(fast)

    assert len(list(hot.glob("*.seg"))) <= 4 < writer.segment
    assert read_all(slow) == expected[1:]
    assert read_all(JournalReader(str(disk), str(hot), True)) == expected


def test_new_archiver_goes_on_where_the_old_one_stopped(hot, disk):
    writer = JournalWriter(str(disk), str(hot), **SMALL)
    expected = []
    for batch in range(12):
        expected += append_all(writer, random_frames(batch, 20))
        archiver = Archiver(str(hot), str(disk))
        if batch % 3:
            archiver.run_once()
        del archiver
        # A predecessor that died while it appended: whole, torn and alien bytes after the watermark.
        newest = max(disk.glob("*.seg"), default=None)
        if newest is not None and batch % 2:
            with newest.open("ab") as file:
                file.write(random.Random(batch).randbytes(batch * 7))
    run_to_end(Archiver(str(hot), str(disk)))

    assert writer.durable_seq == writer.last_seq == 240
    assert parse_journal(disk) == expected


def test_disk_that_differs_below_the_watermark_halts(hot, disk):
    writer = JournalWriter(str(disk), str(hot), **SMALL)
    append_all(writer, random_frames(1, 9))
    archiver = Archiver(str(hot), str(disk))
    run_to_end(archiver)
    del archiver
    path = disk / "00000001.seg"
    data = bytearray(path.read_bytes())
    data[4500] ^= 1
    path.write_bytes(data)

    with pytest.raises(JournalDamagedError, match="offset 4500"):
        Archiver(str(hot), str(disk)).run_once()
    assert writer.is_archiver_failed


def test_failed_sync_is_final_and_the_writer_sees_it(hot, disk):
    sim = SimDisk()
    writer = JournalWriter(str(disk), str(hot), **SMALL)
    archiver = Archiver(str(hot), sim)
    append_all(writer, random_frames(1, 3))
    run_to_end(archiver)
    append_all(writer, random_frames(2, 3))
    sim.fail_sync(1)

    with pytest.raises(JournalError, match="simulated"):
        archiver.run_once()
    with pytest.raises(JournalError, match="failed before"):
        archiver.run_once()
    assert writer.durable_seq == 3
    assert writer.is_archiver_failed


def test_what_a_failed_sync_gave_up_is_written_again_before_it_is_promised(hot, tmp_path, seed):
    """The kernel counts the pages as written, and the next sync succeeds without them."""
    for round_ in range(20):
        for path in hot.iterdir():
            path.unlink()
        sim, base = SimDisk(), tmp_path / f"journal{round_}"
        writer = JournalWriter(str(base), str(hot), **SMALL)
        archiver = Archiver(str(hot), sim)
        expected = append_all(writer, random_frames(round_, 10))
        archiver.run_once()
        expected += append_all(writer, random_frames(round_ + 100, 1 + round_ * 4))
        sim.fail_sync(1)
        with pytest.raises(JournalError, match="simulated"):
            run_to_end(archiver)
        assert writer.durable_seq == 10

        run_to_end(Archiver(str(hot), sim))

        assert writer.durable_seq == len(expected)
        writer.close()
        sim.crash(seed + round_)
        for name in sim.names():
            (base / name).write_bytes(sim.read(name))
        assert parse_journal(base) == expected


def test_second_archiver_is_refused(hot, disk):
    first = Archiver(str(hot), str(disk))
    with pytest.raises(JournalLockedError, match="one archiver"):
        Archiver(str(hot), str(disk))
    del first


def test_power_loss_keeps_everything_up_to_durable_seq(hot, tmp_path, seed):
    rng = random.Random(seed)
    for round_ in range(40):
        for path in hot.iterdir():
            path.unlink()
        sim = SimDisk()
        base = tmp_path / f"journal{round_}"
        writer = JournalWriter(str(base), str(hot), **SMALL)
        archiver = Archiver(str(hot), sim)
        expected = []
        for batch in range(rng.randint(1, 12)):
            expected += append_all(writer, random_frames(batch, rng.randint(1, 25)))
            if rng.random() < 0.7:
                archiver.run_once()
        expected += append_all(writer, random_frames(100, rng.randint(0, 3)))
        if rng.random() < 0.3:  # dies between write and sync
            sim.fail_sync(1)
            with pytest.raises(JournalError):
                archiver.run_once()
                archiver.run_once()
                raise JournalError("there was nothing to sync")
        durable = writer.durable_seq
        writer.close()

        sim.crash(rng.randrange(1 << 60))
        for name in sim.names():
            (base / name).write_bytes(sim.read(name))
        for path in hot.iterdir():
            path.unlink()
        recovered = JournalWriter(str(base), str(hot), **SMALL)

        kept = parse_journal(base)
        assert kept == expected[: len(kept)], f"round {round_}"
        assert len(kept) >= durable, f"round {round_}"
        assert recovered.last_seq == len(kept)
        assert recovered.epoch == 2
        recovered.close()


ARCHIVER = [sys.executable, "-m", "openbell.journal.archiver"]
WRITER = """
import sys
import numpy as np
from openbell.journal import JournalWriter
writer = JournalWriter(sys.argv[1], sys.argv[2], segment_bytes=64 << 10, frame_bytes_max=8192, hot_segments_max=500)
record = np.zeros(48, np.uint8)
print("ready", writer.epoch, flush=True)
while True:
    n = writer.last_seq + 1
    record[:8] = np.frombuffer(n.to_bytes(8, "little"), np.uint8)
    if writer.append(1, 16, 48, np.tile(record, 1 + n % 5), source_seq=n) is None:
        continue
"""


@pytest.mark.parametrize("kill", range(4))
def test_killed_writer_leaves_a_prefix_that_holds_everything_durable(hot, disk, kill):
    archiver = Archiver(str(hot), str(disk))
    durable_target = [1, 500, 3000, 6000][kill]
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(disk), str(hot)], stdout=subprocess.PIPE, env=os.environ, text=True
    )
    try:
        assert process.stdout.readline() == "ready 1\n"
        reader = JournalReader(str(disk), str(hot), True)
        while archiver.durable_seq < durable_target:
            archiver.run_once()
        seen = read_all(reader)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    durable = archiver.durable_seq

    writer = JournalWriter(str(disk), str(hot), segment_bytes=64 << 10, frame_bytes_max=8192, hot_segments_max=500)
    run_to_end(archiver)  # the killed one may have filled the hot space
    later = append_all(writer, random_frames(kill, 3))
    run_to_end(archiver)

    frames = parse_journal(disk)
    assert [f.source_seq for f in frames[:-3]] == list(range(1, len(frames) - 2))
    assert [int.from_bytes(f.records[:8], "little") for f in frames[:-3]] == [f.seq for f in frames[:-3]]
    assert frames[-3:] == later
    assert len(frames) - 3 >= max(durable, len(seen))
    assert frames[: len(seen)] == seen
    assert {f.epoch for f in frames[-3:]} == {2}


def test_reader_in_another_process_sees_every_frame_in_order(hot, disk):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(disk), str(hot)], stdout=subprocess.PIPE, env=os.environ, text=True
    )
    try:
        process.stdout.readline()
        reader = JournalReader(str(disk), str(hot), True)
        expected_seq = 1
        while expected_seq <= 20_000:
            for frame in read_all(reader):
                assert frame.seq == frame.source_seq == expected_seq
                assert len(frame.records) == 48 * (1 + expected_seq % 5)
                expected_seq += 1
    finally:
        process.kill()
        process.communicate()
    assert reader.segment > 3


def test_process_ends_by_itself_when_the_writer_closes_and_seals_the_chain(hot, disk):
    writer = JournalWriter(str(disk), str(hot), **SMALL)
    expected = append_all(writer, random_frames(6, 200))
    writer.close()

    result = subprocess.run([*ARCHIVER, str(hot), str(disk)], timeout=60)

    assert result.returncode == 0
    assert parse_journal(disk) == expected
    seals = list(verify_seals(disk))
    assert [s.segment for s in seals] == list(range(1, writer.segment))
    assert seals[0].prev == NO_SEAL
    first, _ = parse_segment((disk / "00000001.seg").read_bytes())
    assert (seals[0].first_seq, seals[0].last_seq) == (1, len(first))
    assert seals[0].sha256 == hashlib.sha256((disk / "00000001.seg").read_bytes()).hexdigest()


def test_process_makes_a_last_pass_on_sigterm(hot, disk):
    writer = JournalWriter(str(disk), str(hot), **SMALL)
    process = subprocess.Popen(
        [sys.executable, "-m", "openbell.journal.archiver", str(hot), str(disk), "--wait-us", "0"]
    )
    expected = append_all(writer, random_frames(6, 100))
    while writer.durable_seq < 100:
        pass
    process.terminate()

    assert process.wait(timeout=60) == 0
    assert parse_journal(disk) == expected


def test_altered_segment_and_removed_seal_break_the_chain(tmp_path):
    writer = JournalWriter(str(tmp_path), **SMALL)
    append_all(writer, random_frames(2, 200))
    writer.close()
    seals = seal_finished(tmp_path)
    assert len(seals) == writer.segment
    assert seals[-1].last_seq == 200
    assert seal_finished(tmp_path) == []

    path = tmp_path / "00000002.seg"
    whole = path.read_bytes()
    path.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
    with pytest.raises(JournalDamagedError, match=r"00000002\.seg"):
        list(verify_seals(tmp_path))
    path.write_bytes(whole)
    seal = tmp_path / "00000002.seal"
    seal.write_text(json.dumps(json.loads(seal.read_text()) | {"bytes": 1}))
    with pytest.raises(JournalDamagedError, match=r"chain is broken.*00000003\.seal"):
        list(verify_seals(tmp_path))


def test_archive_in_process_waits_for_nothing_when_all_is_durable(hot, disk):
    writer = JournalWriter(str(disk), str(hot), **SMALL)
    expected = append_all(writer, random_frames(1, 10))
    writer.close()

    archive(hot, disk)

    assert parse_journal(disk) == expected
