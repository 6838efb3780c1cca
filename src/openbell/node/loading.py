"""Versions of strategies of the trading thread are loaded beside it, a little at a time, before they are asked for.

An import takes about a millisecond, the lowering of a compiled class ten. A thread of the trading process does that:
the trading thread offers it the interpreter at every tick and takes it back after `SLICE_S`. The control process asks
by a line in a pipe, and finds the answer in a file.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from openbell.errors import OpenbellError
from openbell.node.versions import Versions

DOOR = "versions.door"
SLICE_S = 0.0001
END = b"end\n"
END_WITHIN_S = 1.0


@contextlib.contextmanager
def loading_beside(versions: Versions, hot_dir: Path) -> Iterator[None]:
    """Load what is asked for, as long as the body runs."""
    door, before = hot_dir / DOOR, sys.getswitchinterval()
    with contextlib.suppress(FileExistsError):
        os.mkfifo(door, 0o660)
    fd = os.open(door, os.O_RDWR)  # both ends: nobody's death closes it
    thread = threading.Thread(target=_serve, args=(versions, hot_dir, fd), name="versions", daemon=True)
    sys.setswitchinterval(SLICE_S)
    thread.start()
    try:
        yield
    finally:
        os.write(fd, END)  # who reads closes
        thread.join(END_WITHIN_S)
        sys.setswitchinterval(before)


def _serve(versions: Versions, hot_dir: Path, fd: int) -> None:
    with open(fd, "rb") as door:
        while (line := door.readline()) != END:
            strategy, number = map(int, line.split())
            error = ""
            try:
                versions.prepare(strategy, number)
            except (OpenbellError, OSError) as failed:
                error = str(failed)
            draft = _answer(hot_dir, strategy).with_suffix(".draft")
            draft.write_text(json.dumps({"version": number, "error": error}))
            draft.replace(_answer(hot_dir, strategy))


def _answer(hot_dir: Path, strategy: int) -> Path:
    return hot_dir / f"version-{strategy}.json"


def ask_to_load(hot_dir: Path, strategy: int, number: int) -> None:
    """Let the trading process load a version.

    Raises:
        OSError: no trading process listens.
    """
    _answer(hot_dir, strategy).unlink(missing_ok=True)
    fd = os.open(hot_dir / DOOR, os.O_WRONLY | os.O_NONBLOCK)
    try:
        os.write(fd, f"{strategy} {number}\n".encode())
    finally:
        os.close(fd)


def loaded(hot_dir: Path, strategy: int, number: int) -> str | None:
    """None while that version is not loaded; then why it could not be, or an empty text."""
    try:
        answer = json.loads(_answer(hot_dir, strategy).read_bytes())
    except FileNotFoundError:
        return None
    return str(answer["error"]) if answer["version"] == number else None
