"""The files of a journal's segments: plain, or packed with zstd once they are cold.

A packed segment is `<n>.seg.zst`: the same bytes in one zstd frame that states its size. It takes the place of
`<n>.seg`; where both exist (someone was interrupted while packing) the plain one counts.
"""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import BinaryIO, cast

from openbell.errors import JournalDamagedError

PACKED = ".zst"
RETENTION = "RETENTION"
"""Beside the segments: which of them were removed, and why nobody misses them."""
RUNS = "runs"
"""Folder of what each epoch of a node ran, by epoch."""
SEGMENT_BYTES_MAX = 1 << 30
"""What a packed segment may say that it holds; more is damage."""
FRAME_HEADER_BYTES_MAX = 18
WRITE_BYTES = 1 << 20
FIRST_SEQ_AT = 24


def segment_files(directory: Path) -> list[Path]:
    """The segments of a journal in their order, one file each."""
    files = {int(path.name.partition(".")[0]): path for path in directory.glob(f"[0-9]*.seg{PACKED}")}
    files |= {int(path.stem): path for path in directory.glob("[0-9]*.seg")}
    return [files[number] for number in sorted(files)]


def segment_file(directory: Path, number: int) -> Path:
    """The file of segment `number`; the plain one when there is none."""
    plain = directory / f"{number:08}.seg"
    packed = plain.with_name(plain.name + PACKED)
    return packed if not plain.exists() and packed.exists() else plain


def first_seq_of(segment: Path) -> int:
    """The number of a segment's first frame, as its header says: native/journal/segment.h."""
    with open_segment(segment) as file:
        (seq,) = struct.unpack_from("<Q", file.read(FIRST_SEQ_AT + 8), FIRST_SEQ_AT)
    return int(seq)


def removed_through(directory: Path) -> int:
    """The last segment that retention has removed; 0 when it has removed none."""
    path = directory / RETENTION
    return int(json.loads(path.read_bytes())["removed_through"]) if path.exists() else 0


def open_segment(path: Path) -> BinaryIO:
    """The bytes of a segment as a stream, unpacked."""
    if path.suffix != PACKED:
        return path.open("rb")
    import zstandard

    return cast(BinaryIO, zstandard.ZstdDecompressor().stream_reader(path.open("rb"), closefd=True))


def unpack_to_memory(path: str) -> int:
    """A descriptor of memory that holds the segment `path`, unpacked; the native reader maps it and closes it.

    Raises:
        JournalDamagedError: the file is no packed segment, or cut.
    """
    import zstandard

    memory = os.memfd_create(Path(path).name, os.MFD_CLOEXEC)
    try:
        with Path(path).open("rb") as packed, open(memory, "wb", closefd=False) as out:
            size = zstandard.frame_content_size(packed.read(FRAME_HEADER_BYTES_MAX))
            if not 0 < size <= SEGMENT_BYTES_MAX:
                raise _damaged(path, f"one of {size} bytes")
            packed.seek(0)
            _, done = zstandard.ZstdDecompressor().copy_stream(packed, out, write_size=WRITE_BYTES)
        if done != size:
            raise _damaged(path, f"{done} bytes of {size}")
    except zstandard.ZstdError as error:
        os.close(memory)
        raise _damaged(path, str(error)) from error
    except BaseException:
        os.close(memory)
        raise
    return memory


def _damaged(path: str, found: str) -> JournalDamagedError:
    return JournalDamagedError(
        f"packed segment is damaged: expected one zstd frame of a whole segment, found {found}, in {path}; restore "
        "this segment from a copy"
    )
