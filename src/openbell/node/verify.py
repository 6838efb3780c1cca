"""Plays a journal again and compares every decision: `core` from recorded intents, `strategy` with Python run again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from openbell import _native as native
from openbell.config_types import Speed
from openbell.errors import JournalDamagedError, JournalError
from openbell.journal import RECORD_OF, open_journal
from openbell.node.assemble import binary_hash, digest
from openbell.node.record import RunRecord, StrategyRecord, build_host, machine_code
from openbell.strategy.loader import load_strategy
from openbell.types import RECORDS, Type


@dataclass(frozen=True)
class Finding:
    """One verdict: `differs_at` is the seq of the first frame decided differently, 0 when none is."""

    differs_at: int
    what: str = ""

    @property
    def is_identical(self) -> bool:
        """Whether every decision was the recorded one."""
        return self.differs_at == 0


@dataclass(frozen=True)
class Replayed:
    """What a replay found; `strategy` is None when strategies were not run again."""

    core: Finding
    strategy: Finding | None
    frames: int
    last_seq: int
    state_hash: str
    seconds: float
    notes: tuple[str, ...]

    @property
    def is_identical(self) -> bool:
        """Whether everything that was compared is the same."""
        return self.core.is_identical and (self.strategy is None or self.strategy.is_identical)


def replay(
    journal_dir: Path,
    record: RunRecord,
    *,
    run_strategies: bool,
    tape_dir: Path | None = None,
    hot_dir: Path | None = None,
    speed: Speed | None = None,
) -> Replayed:
    """Play the journal at `journal_dir` again. `tape_dir`, `hot_dir` and `speed` stand for those of `record`.

    Raises:
        JournalDamagedError: the journal or the tape is damaged; the message names the position.
        JournalError: the journal or its tape is not there.
        StrategyError: a strategy cannot be loaded any more.
    """
    open_journal(journal_dir, hot_dir)
    strategies = tuple(one.model_copy(update={"speed": speed or one.speed}) for one in record.strategies)
    tape = _tape(record, tape_dir)
    hot = hot_dir or (Path(record.hot_dir) if record.hot_dir else None)
    if hot is not None and not hot.is_dir():
        hot = None
    host = build_host(strategies) if run_strategies else None
    engine = native.Engine(record.capacity.native())
    began = time.perf_counter()
    report = native.replay_journal(
        engine,
        str(journal_dir),
        str(hot or ""),
        host,
        str(tape or ""),
        record.tape.feed_latency_ns if record.tape else 0,
    )
    seconds = time.perf_counter() - began
    if report.frames_in == 0:
        raise JournalError(f"{journal_dir}: expected frames, found none; is it the journal's directory?")
    notes = list(_end_notes(journal_dir, record, report))
    core = _finding(report.core)
    if core.is_identical and record.end and record.end.state_hash != f"{engine.state_hash:016x}":
        core = Finding(report.last_seq, f"state hash: expected {record.end.state_hash}, found {engine.state_hash:016x}")
    if run_strategies:
        notes += _source_notes(strategies)
    notes += _epoch_notes(journal_dir, hot, record)
    return Replayed(
        core=core,
        strategy=_finding(report.strategy) if run_strategies else None,
        frames=report.frames_in + report.frames_out,
        last_seq=report.last_seq,
        state_hash=f"{engine.state_hash:016x}",
        seconds=seconds,
        notes=tuple(notes),
    )


def _tape(record: RunRecord, given: Path | None) -> Path | None:
    if record.tape is None:
        return given
    from openbell.backtest.tape import tape_hash

    path = given or Path(record.tape.path)
    if not path.is_dir():
        raise JournalError(f"expected the tape of this journal at {path}, found none; say where it is with --tape")
    found = tape_hash(path)
    if found != record.tape.hash:
        raise JournalError(
            f"tape {path}: expected the one that was used, hash {record.tape.hash}, found hash {found}; give it with "
            "--tape"
        )
    return path


def _end_notes(journal_dir: Path, record: RunRecord, report: native.ReplayReport) -> Iterator[str]:
    """A torn end is damage in a finished journal, and what a killed process leaves in a node's."""
    if record.end is not None and report.last_seq != record.end.last_seq:
        where = f"{report.bytes_after} bytes that are no whole frame" if report.bytes_after else "the end"
        raise JournalDamagedError(
            f"{journal_dir}: expected frames up to seq {record.end.last_seq}, found {where} after seq "
            f"{report.last_seq}, in {report.end_path} at offset {report.end_offset}; restore it, or run the "
            "backtest again"
        )
    if report.bytes_after:
        yield (
            f"{report.bytes_after} bytes of an unfinished frame after seq {report.last_seq}, in {report.end_path} at "
            f"offset {report.end_offset}: what a process leaves that is killed while it writes; not replayed"
        )


def _source_notes(strategies: tuple[StrategyRecord, ...]) -> Iterator[str]:
    for one in strategies:
        if not one.is_unchanged():
            yield f"strategy {one.name}: {one.file} is not the source that ran (hash {one.source_hash})"
        elif one.speed == "compiled" and one.object_hash:
            found = machine_code(load_strategy(one.file, one.class_name)).object_hash
            if found != one.object_hash:
                yield f"strategy {one.name}: its machine code is {found} here, {one.object_hash} ran"


def _epoch_notes(journal_dir: Path, hot: Path | None, record: RunRecord) -> Iterator[str]:
    """What each epoch's Started record says beside what is here now."""
    strategies = digest(*(one.identity() for one in record.strategies))
    binary = binary_hash()
    for batch in open_journal(journal_dir, hot).arrays("Started"):
        for row in batch:
            epoch = int(row["epoch"])
            if bytes(row["strategies_hash"]) != strategies:
                yield f"epoch {epoch} ran other strategies than the last one: run again they may say other things"
            if bytes(row["binary_hash"]) != binary:
                yield f"epoch {epoch} ran another build of the native core than this one"


def _finding(difference: native.Difference) -> Finding:
    if difference.seq == 0:
        return Finding(0)
    return Finding(difference.seq, _in_words(difference))


def _in_words(difference: native.Difference) -> str:
    """`record 0: INTENT bid_px: expected 2231500, found 2231400`, at most a line."""
    expected, found = _record(difference.expected), _record(difference.found)
    place = f"record {difference.record}"
    if expected is None or found is None:
        name = _name(found if expected is None else expected)
        missing = f"expected none, found {name}" if expected is None else f"expected {name}, found none"
        return f"{place}: {missing}; {difference.expected_count} records expected, {difference.found_count} found"
    if expected["type"] != found["type"]:
        return f"{place}: expected {_name(expected)}, found {_name(found)}"
    fields = [
        f"{name}: expected {_value(expected[name])}, found {_value(found[name])}"
        for name in expected.dtype.names
        if not name.startswith("pad") and not np.array_equal(expected[name], found[name])
    ]
    return f"{place}: {_name(expected)} {'; '.join(fields)}"


def _record(raw: bytes) -> Any:
    if not raw:
        return None
    return np.frombuffer(raw, RECORDS[RECORD_OF.get(raw[0], "Control")])[0]


def _name(record: Any) -> str:
    number = int(record["type"])
    return Type(number).name if number in list(Type) else f"type {number}"


def _value(value: Any) -> str:
    return str(value.tolist()) if isinstance(value, np.ndarray) else str(value)
