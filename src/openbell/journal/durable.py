"""Files that are there after a power cut, whole: written beside, synced, renamed, and the folder synced."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from openbell.errors import JournalError


class SyncFailedError(JournalError):
    """What was written to a file may not be on disk, and asking again shows nothing: the pages may be marked clean."""


def replace_durably(path: Path, data: bytes) -> None:
    """Let `path` hold `data`; whoever looks, at any time and after any crash, sees the old file or the new one.

    Raises:
        JournalError: the disk refused. A failed sync is not tried again.
    """
    fresh = path.with_name(path.name + ".new")
    with _refusal("write", fresh), fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    rename_durably(fresh, path)


def rename_durably(fresh: Path, path: Path) -> None:
    """Let `path` be what `fresh`, which is on disk, was. Raises as `replace_durably`."""
    with _refusal("rename", fresh):
        fresh.replace(path)
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Let the contents of `path`, whoever wrote them, be on disk.

    Raises:
        SyncFailedError: the disk refused; only who writes them anew may try it again.
        JournalError: it cannot be opened.
    """
    with _refusal("open", path), path.open("rb") as file, _refusal("sync", path, SyncFailedError):
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Let creations, renames and removals in the folder `path` be on disk. Raises as `replace_durably`."""
    with _refusal("sync", path):
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def _refusal(what: str, path: Path, kind: type[JournalError] = JournalError) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise kind(f"cannot {what} {path}: {error.strerror}; check the disk, its space and who may write") from error
