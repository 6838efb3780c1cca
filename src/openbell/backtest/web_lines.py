"""Recordings of WebSocket streams, one message a line behind the time of its receipt; plain or gzip.

1723161253937085768 {"stream": ...}                    ns since the epoch
1652459225.5037491: {"arg": ...}                       seconds since the epoch
wss://host/path <- 1652459225.2987883: {"op": ...}     sent by the recorder: skipped, as are lines without a message
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from openbell.errors import DecodeError

LINE_BYTES_MAX = 16 << 20
PROGRESS_BYTES = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"
_LINE = re.compile(rb"(?:\S+://\S+ (?P<way><->|<-|->) )?(?P<time>\d{1,19}(?:\.\d{1,12})?):? ?(?P<body>.*)", re.S)


class WebLine(NamedTuple):
    """A message as it was received."""

    number: int
    ts_recv: int
    body: bytes


def web_lines(file: Path, on_bytes: Callable[[int, int], None] | None = None) -> Iterator[WebLine]:
    """The messages of a recording; `on_bytes` is told, about every megabyte, how many bytes on disk
    and how many lines are read.

    Raises:
        DecodeError: the file is missing or damaged, or a line has no time; the message names the line.
    """
    told = 0
    number = 0
    try:
        with file.open("rb") as raw:
            is_gzip = raw.read(2) == GZIP_MAGIC
            raw.seek(0)
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if is_gzip else raw
            while text := stream.readline(LINE_BYTES_MAX):
                number += 1
                if on_bytes and raw.tell() - told >= PROGRESS_BYTES:
                    told = raw.tell()
                    on_bytes(told, number)
                if (line := _parsed(file, number, text.rstrip(b"\r\n"))) is not None:
                    yield line
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DecodeError(
            f"expected a whole gzip file at {file}, found it damaged behind line {number}: {error}; download it again"
        ) from error
    except OSError as error:
        raise DecodeError(f"expected a recording at {file}: {error}; check the path") from error


def _parsed(file: Path, number: int, text: bytes) -> WebLine | None:
    if not text:
        return None
    match = _LINE.fullmatch(text)
    if match is None:
        raise DecodeError(
            f"expected a time and a message in line {number} of {file}, found {text[:60]!r}; is this a recording of "
            "WebSocket messages?"
        )
    if match["way"] == b"<-" or not match["body"]:
        return None
    return WebLine(number, _ns(match["time"].decode()), match["body"])


def _ns(text: str) -> int:
    whole, _, fraction = text.partition(".")
    if not fraction and len(whole) > 10:
        return int(whole)
    return int(whole) * 1_000_000_000 + int(fraction[:9].ljust(9, "0"))
