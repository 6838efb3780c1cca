"""Disks that are full and disks that are read-only: real file systems, in a namespace of their own."""

import os
import subprocess
import sys
import textwrap

import pytest

MOUNTS = ["unshare", "--map-root-user", "--mount"]


def may_mount():
    try:
        return subprocess.run([*MOUNTS, "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


pytestmark = pytest.mark.skipif(not may_mount(), reason="this machine allows no mounts in a namespace")

BEGINNING = """
import os, pathlib, subprocess, sys
import numpy as np
from openbell.errors import JournalError
from openbell.journal import Archiver, JournalReader, JournalWriter
disk, hot = map(pathlib.Path, sys.argv[1:])
options = dict(segment_bytes=64 << 10, frame_bytes_max=8192, hot_segments_max=6)
record = np.ones(48 * 20, np.uint8)
def refused(do):
    try:
        do()
    except JournalError as error:
        return str(error)
    raise AssertionError("expected a refusal")
def readable():
    reader = JournalReader(str(disk), "", True)
    return reader.summary()["last_seq"]
"""


def run(script, tmp_path, hot, *, size):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f'mount -t tmpfs -o size={size} tmpfs "$1" && exec "$0" -c "$3" "$1" "$2"'
    code = BEGINNING + textwrap.dedent(script)
    command = [*MOUNTS, "sh", "-c", mount, sys.executable, str(disk), str(hot), code]
    result = subprocess.run(command, capture_output=True, text=True, env=os.environ, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_full_disk_halts_and_keeps_what_was_promised_until_there_is_room(tmp_path, hot):
    run(
        """
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(150 << 10))
        writer, archiver = JournalWriter(str(disk), str(hot), **options), Archiver(str(hot), str(disk))
        def fill():
            while True:
                for _ in range(20):
                    if writer.append(1, 16, 48, record) is None:
                        return
                archiver.run_once()
        said = refused(fill)
        assert "No space left on device; free space there" in said, said
        assert writer.is_archiver_failed
        promised = writer.durable_seq
        assert 0 < promised <= readable() and promised < writer.last_seq
        while writer.append(1, 16, 48, record) is not None:  # in memory there is room; then it refuses
            assert writer.durable_seq == promised
        appended = writer.last_seq
        assert appended > promised
        ballast.unlink()
        ballast.parent.joinpath("more").write_bytes(b"")
        subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)
        del archiver
        again = Archiver(str(hot), str(disk))
        while again.run_once():
            pass
        assert writer.durable_seq == readable() == appended
        """,
        tmp_path,
        hot,
        size="256k",
    )


def test_a_disk_that_becomes_read_only_is_named_and_a_start_on_it_is_refused(tmp_path, hot):
    run(
        """
        writer, archiver = JournalWriter(str(disk), str(hot), **options), Archiver(str(hot), str(disk))
        writer.append(1, 16, 48, record)
        archiver.run_once()
        writer.close()
        del archiver
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        said = refused(lambda: JournalWriter(str(disk), str(hot), **options))
        assert "Read-only file system" in said and str(disk) in said, said
        assert readable() == 1
        """,
        tmp_path,
        hot,
        size="1m",
    )


def test_full_shared_memory_refuses_frames_and_loses_none(tmp_path, hot):
    run(
        """
        disk, hot = hot, disk  # the small one is that of the hot segments
        writer = JournalWriter(str(disk), str(hot), **options | {"hot_segments_max": 100})
        while writer.append(1, 16, 48, record) is not None:
            pass
        appended = writer.last_seq
        assert appended > 100
        writer.close()
        again = JournalWriter(str(disk), str(hot), **options)
        assert again.last_seq == appended
        """,
        tmp_path,
        hot,
        size="300k",
    )
