"""What becomes of sealed segments: packed when they are cold, removed when the policy lets go of them.

Nothing is touched that is not sealed, and nothing is removed that a recovery may need: the frames after the oldest
snapshot that is kept. Seals stay, so that the chain can be followed from the first segment on. What was removed stands
in the file RETENTION before it goes; segments go oldest first and one by one, so that a power cut leaves no hole.
"""

from __future__ import annotations

import json
import struct
import time
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from openbell._native import JournalReader
from openbell.journal.durable import replace_durably, sync_folder
from openbell.journal.frames import Frame
from openbell.journal.packing import pack_segment
from openbell.journal.segments import (
    PACKED,
    RETENTION,
    RUNS,
    open_segment,
    removed_through,
    segment_file,
    segment_files,
)

DAY_S = 86_400
NS = 1_000_000_000
PLAIN_MIN = 2
"""Sealed segments that always stay plain: recovery reads the newest, and readers a little behind the next."""
_EPOCH_AT = 12  # in the segment header, see native/journal/segment.h


@dataclass(frozen=True)
class Retention:
    """How long a journal keeps its sealed segments, and in which form. None: for ever."""

    plain_segments: int | None = None
    """Newest sealed segments that stay plain; older ones are packed."""
    keep_days: float | None = None
    """Older ones are removed: older by the engine's time of their last frame against that of the newest sealed frame,
    and by the host's clock against the time of their seal. Neither clock alone removes anything."""
    keep_bytes: int | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is ever to be done."""
        return self == Retention()


class Retained(NamedTuple):
    """What one pass did: numbers of segments; `held` would have gone, but a recovery may need it."""

    packed: list[int]
    removed: list[int]
    held: list[int]


def retain(directory: Path, policy: Retention, *, now_s: float | None = None) -> Retained:
    """Pack and remove what `policy` says in the journal at `directory`. Only one process at a time does this.

    Raises:
        JournalDamagedError: a packed segment did not read back; the plain one is still there.
    """
    packed = _pack(directory, policy)
    removed, held = _remove(directory, policy, time.time() if now_s is None else now_s)
    return Retained(packed, removed, held)


def _sealed(directory: Path) -> list[int]:
    """Numbers of the sealed segments that are there, oldest first."""
    files = {int(path.name.partition(".")[0]) for path in segment_files(directory)}
    return sorted(files & {int(path.stem) for path in directory.glob("[0-9]*.seal")})


def _pack(directory: Path, policy: Retention) -> list[int]:
    if policy.plain_segments is None:
        return []
    cold = _sealed(directory)[: -max(policy.plain_segments, PLAIN_MIN)]
    plain = [number for number in cold if segment_file(directory, number).suffix != PACKED]
    for number in plain:
        pack_segment(segment_file(directory, number))
    return plain


def _remove(directory: Path, policy: Retention, now_s: float) -> tuple[list[int], list[int]]:
    sealed = _sealed(directory)[:-PLAIN_MIN]
    before = removed_through(directory)
    unwanted = [n for n in sealed if n <= before] + _unwanted(
        directory, [n for n in sealed if n > before], policy, now_s
    )
    needed = _needed_seq(directory)
    going = [n for n in unwanted if _seal(directory, n)["last_seq"] < needed]
    if going and going[-1] > before:
        replace_durably(directory / RETENTION, json.dumps({"removed_through": going[-1]}).encode() + b"\n")
    for number in going:
        segment_file(directory, number).unlink()
        sync_folder(directory)
    if going:
        _forget_runs(directory)
    return going, [n for n in unwanted if n not in going]


def _forget_runs(directory: Path) -> None:
    """What an epoch ran is kept as long as the frames of it."""
    with open_segment(segment_files(directory)[0]) as file:
        (oldest,) = struct.unpack_from("<I", file.read(_EPOCH_AT + 4), _EPOCH_AT)
    for path in (directory / RUNS).glob("[0-9]*.json"):
        if int(path.stem) < oldest:
            path.unlink()


def _unwanted(directory: Path, sealed: list[int], policy: Retention, now_s: float) -> list[int]:
    """The oldest of `sealed`, up to the last that is too old or too much."""
    size = sum(path.stat().st_size for path in segment_files(directory))
    too_many = 0 if policy.keep_days is None else _count_old(directory, sealed, policy.keep_days * DAY_S, now_s)
    for i, number in enumerate(sealed, start=1):
        if policy.keep_bytes is not None and size > policy.keep_bytes:
            too_many = max(too_many, i)
        size -= segment_file(directory, number).stat().st_size
    return sealed[:too_many]


def _count_old(directory: Path, sealed: list[int], age_s: float, now_s: float) -> int:
    """How many of `sealed`, the oldest first, are older by both clocks; few segments are read, they may be packed."""
    sealed_at = [(directory / f"{number:08}.seal").stat().st_mtime for number in sealed]
    by_host = max((i for i, at_s in enumerate(sealed_at, start=1) if now_s - at_s > age_s), default=0)
    if not by_host:
        return 0
    newest = int(max(directory.glob("[0-9]*.seal")).stem)
    since_ns = _last_ns(directory, newest) - int(age_s * NS)
    return bisect_left(sealed[:by_host], since_ns, key=lambda number: _last_ns(directory, number))


def _last_ns(directory: Path, number: int) -> int:
    """The engine's time of a sealed segment's last frame."""
    reader = JournalReader(str(directory))
    reader.seek(_seal(directory, number)["last_seq"])
    last = reader.next()
    return Frame._make(last).ts_seq if last is not None else 0


def _needed_seq(directory: Path) -> int:
    """The first frame that a recovery from the oldest snapshot needs; without snapshots it needs all."""
    oldest = min((directory / "snapshots").glob("*.snap"), default=None)
    return int(oldest.stem) + 1 if oldest else 0


def _seal(directory: Path, number: int) -> dict[str, int]:
    return dict(json.loads((directory / f"{number:08}.seal").read_bytes()))
