"""Frames and their records as NumPy sees them: structured, read-only views of the journal's own bytes."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from openbell._native import JournalReader
from openbell.errors import JournalError
from openbell.types import RECORDS, Type

Records = np.ndarray[Any, np.dtype[np.void]]

BATCH_RECORDS = 1 << 18
"""Records that `Journal.arrays` puts into one array unless told otherwise."""


class FrameClass(IntEnum):
    """Whether a frame is an input of the engine or its decision."""

    IN = 1
    OUT = 2


class Source(IntEnum):
    """Who a frame comes from (native/journal/frame.h): the first number of each range."""

    NODE = 0
    OPERATOR = 1
    FEED = 16
    ORDER_ENTRY = 64


def _record_of(type_: Type) -> str:
    if type_ < Type.INSTRUMENT:
        return {Type.TIMER: "Timer", Type.SIGNAL: "Signal"}.get(type_, "Market")
    if Type.ACCEPTED <= type_ <= Type.DENIED:
        return "Report"
    if Type.APPROVED <= type_ <= Type.MASS_CANCEL or type_ in (Type.STOP_HELD, Type.STOP_ENDED):
        return "Order"
    named = {
        Type.INSTRUMENT: "Instrument",
        Type.STARTED: "Started",
        Type.LIMIT: "Limit",
        Type.INTENT: "Intent",
        Type.TIMER_ARMED: "TimerArmed",
        Type.STRATEGY_STATE: "StrategyState",
        Type.HASH: "Hash",
        Type.EXCHANGE_INPUT: "ExchangeInput",
        Type.QUARANTINED: "Quarantined",
    }
    return named.get(type_, "Control")


RECORD_OF: dict[int, str] = {int(type_): _record_of(type_) for type_ in Type}
"""Type of a record -> name of its layout in `openbell.types.RECORDS`."""


def records_view(raw: np.ndarray[Any, np.dtype[np.uint8]], name: str) -> Records:
    """Rows of bytes, one per record, as records of layout `name`. No copy."""
    return raw.view(RECORDS[name]).reshape(-1)


class Frame(NamedTuple):
    """One frame. Times are ns since the Unix epoch, UTC; `raw` is one read-only row of bytes per record."""

    frame_class: int
    seq: int
    epoch: int
    source: int
    source_seq: int
    cause_seq: int
    ts_recv: int
    ts_seq: int
    flags: int
    raw: np.ndarray[Any, np.dtype[np.uint8]]

    @property
    def is_decision(self) -> bool:
        """Whether the engine said this (class OUT)."""
        return self.frame_class == FrameClass.OUT

    @property
    def records(self) -> Records:
        """The records, read by the layout of the first: 48-byte frames hold `Market` or `Timer` alone."""
        return records_view(self.raw, RECORD_OF.get(int(self.raw[0, 0]), "Control"))

    def record(self, i: int) -> Any:
        """Record `i`, read by the layout of its own type (a decision mixes several)."""
        return records_view(self.raw[i : i + 1], RECORD_OF.get(int(self.raw[i, 0]), "Control"))[0]


class Journal:
    """A journal or tape, read in order. Iterating again goes on where the last iteration ended."""

    def __init__(self, path: str | Path, hot: str | Path | None = None, *, check_crc: bool = False) -> None:
        self.path = Path(path)
        self.hot = Path(hot) if hot is not None else None
        self._check_crc = check_crc
        self.reader = self._open()

    def _open(self) -> JournalReader:
        return JournalReader(str(self.path), str(self.hot) if self.hot else "", self._check_crc)

    def __iter__(self) -> Iterator[Frame]:
        """Frames committed up to now; for more, iterate again."""
        while (frame := self.reader.next()) is not None:
            yield Frame._make(frame)

    def seek(self, seq: int) -> Journal:
        """Go to frame `seq`, or the first after it; 0 is the oldest there is."""
        self.reader.seek(seq)
        return self

    def arrays(self, name: str, batch_records: int = BATCH_RECORDS) -> Iterator[Records]:
        """All records of layout `name` from the beginning, in arrays of about `batch_records`.

        48-byte frames that hold `Market` records only are copied at memory speed, without Python per frame.
        """
        for records, _, _ in self.batches(name, batch_records):
            yield records

    def batches(self, name: str, batch_records: int = BATCH_RECORDS) -> Iterator[tuple[Records, Any, Any]]:
        """As `arrays`, each with two more: seq and ts_recv (ns) of the frame of every record."""
        reader = self._open()
        types = [type_ for type_, record in RECORD_OF.items() if record == name]
        if not types:
            raise KeyError(f"expected one of {sorted(RECORDS)}, found {name!r}")
        while True:
            raw, seqs, times = reader.gather(RECORDS[name].itemsize, types, batch_records)
            if not len(seqs):
                return
            yield records_view(raw, name), seqs, times

    def summary(self) -> dict[str, Any]:
        """Counts over the whole journal: frames, records, bytes, seqs, times, records by type, epochs."""
        return dict(self._open().summary())


def open_journal(path: str | Path, hot: str | Path | None = None, *, check_crc: bool = False) -> Journal:
    """Open the journal in directory `path` for reading; `hot` is the node's shared-memory directory.

    Raises:
        JournalError: there is no such directory.
        JournalDamagedError: while reading, when bytes below the durable watermark are wrong.
    """
    if not Path(path).is_dir() and (hot is None or not Path(hot).is_dir()):
        raise JournalError(f"expected a journal directory, found none at {path}; see `openbell tape --help`")
    return Journal(path, hot, check_crc=check_crc)
