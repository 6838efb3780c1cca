"""Packs a cold segment with zstd: `<n>.seg.zst` takes the place of `<n>.seg` when it has been read back from disk."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from openbell.errors import JournalDamagedError
from openbell.journal.durable import sync_folder
from openbell.journal.segments import PACKED, open_segment

LEVEL = 1
"""Of zstd: on frames of ITCH, higher ones take twice the time and more for a few percent (docs/tapes.md)."""
CHUNK_BYTES = 1 << 20


def pack_segment(plain: Path, level: int = LEVEL) -> Path:
    """Replace the segment `plain` by a packed one, and return that. Interrupted anywhere, one of both is whole.

    Raises:
        JournalDamagedError: what was written did not read back; the plain segment is still there.
    """
    import zstandard

    unfinished, packed = plain.with_name(f".{plain.name}{PACKED}"), plain.with_name(plain.name + PACKED)
    with plain.open("rb") as source, unfinished.open("wb") as out:
        compressor = zstandard.ZstdCompressor(level=level, write_checksum=True)
        compressor.copy_stream(source, out, size=plain.stat().st_size)
        out.flush()
        os.fsync(out.fileno())
        os.posix_fadvise(out.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # so that the disk is read, not the page cache
    if contents_hash(unfinished) != contents_hash(plain):
        unfinished.unlink()
        raise JournalDamagedError(
            f"packed segment is damaged: expected to read back what {plain} holds, found something else; the plain "
            "segment is still there: check disk and memory"
        )
    unfinished.replace(packed)
    sync_folder(plain.parent)  # the plain one goes only when the packed one has its name
    plain.unlink()
    return packed


def contents_hash(segment: Path) -> bytes:
    """SHA-256 of what a segment holds, unpacked."""
    digest = hashlib.sha256()
    with open_segment(segment) as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.digest()
