"""A real day as several venues of one asset: the tape of one instrument again, each copy some seconds behind."""

from pathlib import Path

import numpy as np
from tests.strategies.sessions import FEED, IN

from openbell._native import JournalWriter
from openbell.journal import open_journal
from openbell.types import Type

DELAY_NS = 5_000_000_000
ORDER_IDS = 1 << 40
"""More than an instrument has orders."""


def many_of_one(tape: Path, out: Path, count: int) -> Path:
    """The instrument of `tape` `count` times, as VEN0, VEN1 ..., the nth `n * DELAY_NS` behind."""
    frames = [
        (frame.ts_recv + number * DELAY_NS, number, copy_of(frame.records, number))
        for frame in open_journal(tape)
        for number in range(count)
    ]
    frames.sort(key=lambda frame: frame[:2])
    journal = JournalWriter(str(out), segment_bytes=64 << 20)
    for at, (ts, _, records) in enumerate(frames, start=1):
        rows = records.view(np.uint8).reshape(-1)
        journal.append(IN, FEED, records.itemsize, rows, source_seq=at, ts_recv=ts, ts_seq=ts)
    journal.close()
    return out


def copy_of(records: np.ndarray, number: int) -> np.ndarray:
    """The records of a frame as another instrument's."""
    copy = records.copy()
    copy["instrument"] = number
    copy["ts_event"] += number * DELAY_NS
    if "symbol" in (records.dtype.names or ()):
        copy["symbol"] = f"VEN{number}".encode()
    else:
        of_orders = np.isin(copy["type"], [Type.BOOK_ADD, Type.BOOK_MODIFY, Type.BOOK_CANCEL, Type.BOOK_EXECUTE])
        copy["order_id"][of_orders] += number * ORDER_IDS
    return copy
