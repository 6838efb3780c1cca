"""Sealing that fails is said and tried again; only a failed sync ends the archiver."""

import errno
import os
import threading

import pytest

from journal.frames import SMALL, append_all, random_frames
from openbell.errors import JournalError
from openbell.journal import JournalWriter, archiver, durable, seal, verify_seals
from openbell.journal.archiver import archive
from openbell.journal.durable import SyncFailedError


class Disk:
    """Refuses the first calls of a function of `durable`, as the kernel does."""

    def __init__(self, refusals: int, number: int) -> None:
        self.left, self.number = refusals, number
        self.is_well = threading.Event()

    def __call__(self, _descriptor: int) -> None:
        if self.left:
            self.left -= 1
            raise OSError(self.number, os.strerror(self.number))
        self.is_well.set()


class Asked:
    """A stop once the disk is well again."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    @property
    def is_asked(self) -> bool:
        return self._disk.is_well.is_set()


@pytest.fixture
def written(hot, disk):
    """A journal of which some segments are complete, its writer at work."""
    writer = JournalWriter(str(disk), str(hot), **SMALL)
    append_all(writer, random_frames(1, 120))
    yield
    writer.close()


@pytest.mark.usefixtures("written")
def test_a_disk_that_was_full_is_tried_again_and_what_was_missed_is_sealed(hot, disk, monkeypatch, capfd):
    monkeypatch.setattr(archiver, "SEAL_AGAIN_S", 0.001)
    full = Disk(3, errno.ENOSPC)
    real = durable.replace_durably

    def refusing(path, data):
        try:
            full(0)
        except OSError as error:
            raise JournalError(f"cannot write {path}: {error.strerror}") from error
        real(path, data)

    monkeypatch.setattr(seal, "replace_durably", refusing)
    archive(hot, disk, stop=Asked(full))

    assert len(list(verify_seals(disk))) > 1
    said = capfd.readouterr().err
    assert said.count("cannot write") == 1  # the same is said once
    assert "No space left on device; it is tried again" in said and "it works again" in said


@pytest.mark.usefixtures("written")
def test_a_sync_that_failed_is_not_tried_again_and_ends_the_archiver(hot, disk, monkeypatch, capfd):
    monkeypatch.setattr(archiver, "SEAL_AGAIN_S", 0.001)
    broken = Disk(1, errno.EIO)
    monkeypatch.setattr(durable.os, "fsync", broken)

    with pytest.raises(SyncFailedError, match=r"cannot sync .*00000001\.seg"):
        archive(hot, disk)

    assert (broken.left, broken.is_well.is_set()) == (0, False)
    assert list(disk.glob("*.seal")) == []
    assert "the archiver ends" in capfd.readouterr().err
