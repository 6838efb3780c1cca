"""A generated order-by-order tape of one instrument, made once into run/bench: the flow of `bench/flow.py`."""

from pathlib import Path

import numpy as np

from bench import flow
from bench.harness import REPO

EVENTS = 10_000_000
SEED = 7
SYMBOL = b"FLOW"


def generated_tape(events: int = EVENTS) -> Path:
    """The tape; every record in a frame of its own, received when it happened."""
    tape = REPO / f"run/bench/flow{events}"
    if not tape.is_dir():
        print(f"making {events:_} events of {tape.name}, once (about {events // 100_000} s)", flush=True)
        _write(tape, generated_events(events))
    return tape


def generated_events(events: int = EVENTS) -> np.ndarray:
    """The same as `Market` records, kept beside the tape."""
    file = REPO / f"run/bench/flow{events}.npy"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, flow.make(events, SEED))
    return np.load(file)


def _write(tape: Path, events: np.ndarray) -> None:
    from openbell._native import JournalWriter
    from openbell.backtest.tape_directory import new_directory
    from openbell.types import RECORDS, TradingState, Type

    instrument = np.zeros(1, RECORDS["Instrument"])
    named = {"type": Type.INSTRUMENT, "symbol": SYMBOL, "currency": b"USD", "asset": 1, "locate": 1, "px_decimals": 4}
    for name, value in (named | {"tick": flow.TICK, "lot": 1, "multiplier": 1}).items():
        instrument[name] = value
    status = np.zeros(1, RECORDS["Market"])
    status["type"], status["ref"] = Type.STATUS, TradingState.TRADING
    began = int(events["ts_event"][0]) - 1
    instrument["ts_event"] = status["ts_event"] = began
    rows = events.view(np.uint8).reshape(len(events), -1)
    with new_directory(tape) as directory:
        writer = JournalWriter(str(directory))
        for record in (instrument, status):
            row = record.view(np.uint8)
            writer.append(1, 16, len(row), row, source_seq=1, ts_recv=began, ts_seq=began)
        for n, (row, ts) in enumerate(zip(rows, events["ts_event"].tolist(), strict=True), start=2):
            writer.append(1, 16, rows.shape[1], row, source_seq=n, ts_recv=ts, ts_seq=ts)
        writer.close()
