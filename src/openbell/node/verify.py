"""Plays a journal again and compares every decision: `core` from recorded intents, `strategy` with Python run again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from openbell import _native as native
from openbell.config_types import Speed
from openbell.errors import JournalDamagedError, JournalError
from openbell.journal import RECORD_OF, open_journal
from openbell.node.assemble import binary_hash, digest
from openbell.node.otherwise import Other
from openbell.node.record import RunRecord, StrategyRecord, build_host, machine_code, read_record
from openbell.node.snapshots import usable_snapshots
from openbell.node.versions import as_it_ran, follow_versions
from openbell.strategy.loader import load_strategy
from openbell.types import RECORDS, Type

SEQ_MAX = 2**64 - 1


@dataclass(frozen=True)
class Finding:
    """One verdict: `differs_at` is the seq of the first frame decided differently, 0 when none is."""

    differs_at: int
    what: str = ""
    frames: int = 0
    """How many frames differ."""
    then: str = ""
    now: str = ""

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
    strategy_frames: int = 0
    """On which strategies were run again."""

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
    between: tuple[int, int] = (0, 0),
    instead: Callable[[RunRecord], RunRecord] | None = None,
    others: list[Other] | None = None,
) -> Replayed:
    """Play the journal at `journal_dir` again. `tape_dir`, `hot_dir` and `speed` stand for those of `record`.

    `between` compares only the frames from the first to the second seq (0: the end). `instead` changes what an epoch
    runs, all of it: a what-if; `others` then takes what its strategies say otherwise, frame by frame.

    Raises:
        JournalDamagedError: the journal or the tape is damaged; the message names the position.
        JournalError: the journal or its tape is not there.
        StrategyError: a strategy cannot be loaded any more.
    """
    open_journal(journal_dir, hot_dir)
    hot = live_hot_dir(record, hot_dir)
    lives = list(_lives(journal_dir, hot, record)) if record.tape is None else [Life(0, 0, record)]
    first, last = between[0], between[1] or SEQ_MAX
    engine = native.Engine(record.capacity.native())
    if record.tape is None:
        lives = _begin(engine, lives, journal_dir, hot, first, run_strategies=run_strategies)
    tape = _tape(record, tape_dir)
    reports = []
    began = time.perf_counter()
    for life, next_life in zip(lives, [*lives[1:], None], strict=True):
        host, own = _hosts(journal_dir, life.record, speed, instead) if run_strategies else (None, [])
        reports.append(
            native.replay_journal(
                engine,
                str(journal_dir),
                str(hot or ""),
                host,
                str(tape or ""),
                record.tape.feed_latency_ns if record.tape else 0,
                own,
                first,
                min(last, next_life.first_seq - 1) if next_life else last,
                instead is not None,
            )
        )
        if others is not None:
            others += reports[-1].others
        if next_life is None or next_life.first_seq > last:
            break
    seconds = time.perf_counter() - began
    frames = sum(report.frames_in + report.frames_out for report in reports)
    if frames == 0:
        raise JournalError(f"{journal_dir}: expected frames, found none; is it the journal's directory, and the range?")
    core = next((report.core for report in reports if report.core.seq), reports[-1].core)
    strategy = next((report.strategy for report in reports if report.strategy.seq), reports[-1].strategy)
    notes = list(_end_notes(journal_dir, record, reports[-1])) if last == SEQ_MAX else []
    finding = _finding(core, sum(report.core_frames for report in reports))
    is_other_end = record.end and last == SEQ_MAX and record.end.state_hash != f"{engine.state_hash:016x}"
    if finding.is_identical and is_other_end:
        assert record.end
        said = f"state hash: expected {record.end.state_hash}, found {engine.state_hash:016x}"
        finding = Finding(reports[-1].last_seq, said)
    if run_strategies:
        last_life = lives[-1].record.model_copy(update={"strategies": _as_ran(journal_dir, lives[-1].record)})
        notes += _source_notes(_at_speed(last_life, speed))
    notes += _epoch_notes(journal_dir, hot, lives)
    return Replayed(
        core=finding,
        strategy=_finding(strategy, sum(r.strategy_differs for r in reports)) if run_strategies else None,
        frames=frames,
        last_seq=reports[-1].last_seq,
        state_hash=f"{engine.state_hash:016x}",
        seconds=seconds,
        notes=tuple(notes),
        strategy_frames=sum(report.strategy_frames for report in reports),
    )


def _hosts(
    journal_dir: Path, record: RunRecord, speed: Speed | None, instead: Callable[[RunRecord], RunRecord] | None
) -> tuple[native.StrategyHost, list[tuple[int, native.StrategyHost]]]:
    """Those of the trading thread, and one by one those of processes of their own; versions come with their events."""
    ran = record.model_copy(update={"strategies": _as_ran(journal_dir, record)})
    strategies = _at_speed(instead(ran) if instead else ran, speed)
    host = build_host(tuple(one for one in strategies if one.process == "trading"))
    own = [(one.id, build_host((one,))) for one in strategies if one.process == "own"]
    for each in (host, *(of_one for _, of_one in own)):
        if instead is None and record.tape is None:
            follow_versions(each, journal_dir, strategies, speed)
    return host, own


class Life(NamedTuple):
    """One epoch of a node: its Started frame, and what ran."""

    epoch: int
    first_seq: int
    record: RunRecord


def _lives(journal_dir: Path, hot: Path | None, newest: RunRecord) -> Iterator[Life]:
    """Every epoch with its own record; with `newest` where none was kept, or where that is not the journal's own."""
    is_its_own = newest == read_record(journal_dir)
    found = [
        (int(row["epoch"]), int(seq))
        for rows, seqs, _ in open_journal(journal_dir, hot).batches("Started")
        for row, seq in zip(rows, seqs, strict=True)
    ]
    for epoch, seq in found or [(0, 0)]:
        yield Life(epoch, seq, (is_its_own and epoch and read_record(journal_dir, epoch)) or newest)


def _begin(
    engine: native.Engine, lives: list[Life], journal_dir: Path, hot: Path | None, first: int, *, run_strategies: bool
) -> list[Life]:
    """Bring `engine` to the newest snapshot before `first`; what a strategy has not journalled yet is in none, so that
    strategies begin with their epoch. The lives that remain.
    """
    here = next((n for n, life in reversed(list(enumerate(lives))) if life.first_seq <= first), 0)
    limit = lives[here].first_seq if run_strategies else first
    for snapshot in usable_snapshots(journal_dir, hot or journal_dir):
        if snapshot.seq < limit:
            engine.load(snapshot.state)
            break
    remaining = next((n for n, life in reversed(list(enumerate(lives))) if life.first_seq <= engine.seq + 1), 0)
    return lives[remaining:]


def _as_ran(journal_dir: Path, record: RunRecord) -> tuple[StrategyRecord, ...]:
    return tuple(as_it_ran(journal_dir, one) for one in record.strategies)


def _at_speed(record: RunRecord, speed: Speed | None) -> tuple[StrategyRecord, ...]:
    return tuple(one.model_copy(update={"speed": speed or one.speed}) for one in record.strategies)


def live_hot_dir(record: RunRecord, given: Path | None) -> Path | None:
    """The directory in shared memory that still holds the newest frames, if there is one."""
    hot = given or (Path(record.hot_dir) if record.hot_dir else None)
    return hot if hot is not None and hot.is_dir() else None


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


def _epoch_notes(journal_dir: Path, hot: Path | None, lives: list[Life]) -> Iterator[str]:
    """What each epoch's Started record says beside what is here now."""
    binary = binary_hash()
    records = {life.epoch: life.record for life in lives}
    for batch in open_journal(journal_dir, hot).arrays("Started"):
        for row in batch:
            epoch = int(row["epoch"])
            ran = records.get(epoch, lives[-1].record)
            if bytes(row["strategies_hash"]) != digest(*(one.identity() for one in ran.strategies)):
                yield f"epoch {epoch} ran other strategies than the last one: run again they may say other things"
            if bytes(row["binary_hash"]) != binary:
                yield f"epoch {epoch} ran another build of the native core than this one"


def _finding(difference: native.Difference, frames: int) -> Finding:
    if difference.seq == 0:
        return Finding(0)
    return Finding(difference.seq, in_words(difference), frames, *sides(difference))


def sides(difference: native.Difference) -> tuple[str, str]:
    """The two records side by side, all that is set in them."""
    return _whole(_record(difference.expected)), _whole(_record(difference.found))


def _whole(record: Any) -> str:
    if record is None:
        return "nothing"
    hidden = ("type", "pad", "ts_event", "text", "bytes")
    fields = [
        f"{name} {_value(record[name])}"
        for name in record.dtype.names
        if not name.startswith(hidden) and np.any(record[name] != 0)
    ]
    return " ".join([_name(record), *fields])


def in_words(difference: native.Difference) -> str:
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
