"""Two nodes on one journal: whoever writes in its folder belongs to one hot folder, and the other is refused."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from journal.frames import SMALL, append_all, random_frames
from openbell._native import Archiver, FolderLock, JournalWriter
from openbell.errors import JournalLockedError
from openbell.exchange.journal import VenueJournal
from openbell.exchange.journal_config import JournalSettings

HOLDER = """
import sys
from openbell._native import Archiver, JournalWriter
writer = JournalWriter(sys.argv[1], sys.argv[2], segment_bytes=64 << 10, frame_bytes_max=8192, hot_segments_max=64)
archiver = Archiver(sys.argv[2], sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(hot):
    """The hot folder of another node."""
    directory = hot.with_name(hot.name + "-other")
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_second_node_is_refused_by_name_before_anything_is_cut_or_written(hot, other, disk):
    writer, archiver = JournalWriter(str(disk), str(hot), **SMALL), Archiver(str(hot), str(disk))
    append_all(writer, random_frames(1, 200))
    archiver.run_once()
    before = contents(disk)

    with pytest.raises(JournalLockedError, match=rf"expected {disk} to be free, .* {hot}, pid {os.getpid()}") as said:
        JournalWriter(str(disk), str(other), **SMALL)
    with pytest.raises(JournalLockedError, match=rf"on host {os.uname().nodename} .*stop that node first"):
        Archiver(str(other), str(disk))

    assert "nothing was read or written" in str(said.value)
    assert contents(disk) == before
    append_all(writer, random_frames(2, 5))
    while archiver.run_once():
        pass
    assert writer.durable_seq == 205


def test_the_folder_is_not_free_before_the_archiver_has_written_all(hot, other, disk):
    writer, archiver = JournalWriter(str(disk), str(hot), **SMALL), Archiver(str(hot), str(disk))
    append_all(writer, random_frames(1, 20))
    writer.close()

    with pytest.raises(JournalLockedError, match="one node"):
        JournalWriter(str(disk), str(other), **SMALL)

    while archiver.run_once():
        pass
    del archiver
    assert JournalWriter(str(disk), str(other), **SMALL).last_seq == 20


def test_a_node_that_was_killed_holds_nothing(hot, other, disk):
    command = [sys.executable, "-c", HOLDER, str(disk), str(hot)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(JournalLockedError, match=rf"pid {holder.pid} on host"):
            FolderLock(str(disk), str(other))
        holder.send_signal(signal.SIGKILL)
        holder.wait()

        with FolderLock(str(disk), str(other)):
            assert f"hot {other}\n" in (disk / "LOCK").read_text()
        FolderLock(str(disk), str(hot)).release()


def test_a_hot_folder_is_known_by_itself_and_not_by_its_path(hot, other, disk):
    """As in two containers that each have a shared memory of their own, and one volume."""
    with FolderLock(str(disk), str(hot)):
        hot.rename(other)
        hot.mkdir()
        with pytest.raises(JournalLockedError, match="one node"):
            FolderLock(str(disk), str(hot))
        FolderLock(str(disk), str(other)).release()


def test_the_processes_of_one_node_share_it(hot, disk):
    with FolderLock(str(disk), str(hot)), FolderLock(str(disk), str(hot)):
        assert JournalWriter(str(disk), str(hot), **SMALL).epoch == 1


def test_a_second_exchange_is_refused_whatever_day_it_would_begin(tmp_path, other):
    def exchange(hot: Path) -> VenueJournal:
        return VenueJournal(JournalSettings(dir=tmp_path / "exchange", hot_dir=hot))

    first = exchange(tmp_path / "hot")
    with pytest.raises(JournalLockedError, match="one node"):
        exchange(other)
    assert first.unfinished() is None
