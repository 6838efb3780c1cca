"""A small tape of one instrument for tests: a synthetic order-by-order market, one record a frame."""

from pathlib import Path

import numpy as np
from bench.flow import make

from openbell._native import JournalWriter
from openbell.types import RECORDS, TradingState, Type

FEED = 16
IN = 1


def write_tape(
    directory: Path, events: int = 3_000, seed: int = 7, symbol: str = "OBEL", segment_bytes: int = 64 << 20
) -> Path:
    """Write `events` records after an instrument that trades; prices in 1e-4, tick 0.01."""
    return write_records(directory, make(events, seed=seed), symbol, segment_bytes)


def write_records(directory: Path, records: np.ndarray, symbol: str = "OBEL", segment_bytes: int = 64 << 20) -> Path:
    """Write these records of the market after an instrument that trades."""
    opening = int(records["ts_event"][0]) - 1_000
    journal = JournalWriter(str(directory), segment_bytes=segment_bytes)
    opened = (instrument_record(opening, symbol), _trading(opening))
    for number, record in enumerate((*opened, *records[:, None]), start=1):
        ts = int(record["ts_event"][0])
        raw = record.view(np.uint8)
        journal.append(IN, FEED, record.itemsize, raw, source_seq=number, ts_recv=ts, ts_seq=ts)
    journal.close()
    return directory


def instrument_record(ts: int, symbol: str, instrument: int = 0, tick: int = 100) -> np.ndarray:
    """One `Instrument` record; prices in 1e-4."""
    record = np.zeros(1, RECORDS["Instrument"])
    record["type"], record["ts_event"], record["symbol"] = Type.INSTRUMENT, ts, symbol.encode()
    record["currency"], record["px_decimals"], record["tick"], record["lot"] = b"USD", 4, tick, 1
    record["multiplier"], record["instrument"] = 1, instrument
    return record


def _trading(ts):
    record = np.zeros(1, RECORDS["Market"])
    record["type"], record["ts_event"], record["ref"] = Type.STATUS, ts, TradingState.TRADING
    return record
