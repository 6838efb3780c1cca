"""What another limit, strategy or parameter would have said in a journal; where two states of one journal part.

Nothing here knows what would have followed. Each decision is judged against what really happened until then: the books,
fills and orders of the journal. The fill of an order that never was, and what it would have changed, nobody knows.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from openbell import _native as native
from openbell.errors import ConfigError, StrategyError
from openbell.journal.assets import Asset, assets_of, names_of
from openbell.node.limit_lines import lines_of, record_of
from openbell.node.limits import load_limits
from openbell.node.otherwise import Change, Other, changes_of, totals_of
from openbell.node.record import RunRecord, StrategyRecord
from openbell.node.snapshots import usable_snapshots
from openbell.node.verify import SEQ_MAX, in_words, live_hot_dir, replay
from openbell.strategy.loader import load_strategy


@dataclass(frozen=True)
class WhatIf:
    """What another limit, strategy or parameter would have decided otherwise."""

    change: str
    looked_at: int
    """Frames on which strategies were asked, or orders that were judged."""
    differs: int
    """How many of those."""
    changes: tuple[Change, ...] = ()
    """Of the first 10,000 of them, in order."""
    totals: dict[str, int] = field(default_factory=dict)
    strategies: dict[int, str] = field(default_factory=dict)
    assets: dict[int, Asset] = field(default_factory=dict)
    symbols: dict[int, str] = field(default_factory=dict)
    """What people call each instrument."""
    note: str = ""

    @property
    def is_identical(self) -> bool:
        """Whether nothing would have been decided otherwise."""
        return self.differs == 0


def what_if(
    journal_dir: Path,
    record: RunRecord,
    changes: Sequence[str],
    *,
    hot_dir: Path | None = None,
    tape_dir: Path | None = None,
    between: tuple[int, int] = (0, 0),
) -> WhatIf:
    """Play the journal with `changes`: `limits=FILE`, `strategy=FILE` or `FILE:CLASS`, `NAME=VALUE`, of one of several
    strategies `STRATEGY.NAME=VALUE` and `strategy.NAME=FILE`.

    Raises:
        ConfigError: a change names nothing that this journal has.
        OpenbellError: as `replay`, and what a file of limits or a strategy can be wrong about.
    """
    said = ", ".join(changes)
    limits = [change.partition("=")[2] for change in changes if change.startswith("limits=")]
    if limits and len(changes) > 1:
        raise ConfigError(f"what-if: expected limits alone, found {said}; ask about one thing at a time")
    if limits:
        return _limits(journal_dir, record, Path(limits[0]), said, live_hot_dir(record, hot_dir), between)
    _changed(record, changes)  # a typo is told before a long replay
    others: list[Other] = []
    found = replay(
        journal_dir,
        record,
        run_strategies=True,
        tape_dir=tape_dir,
        hot_dir=hot_dir,
        between=between,
        instead=lambda of_epoch: _changed(of_epoch, changes),
        others=others,
    )
    assert found.strategy
    tape = (tape_dir or Path(record.tape.path)) if record.tape else None
    where = (tape, journal_dir) if tape else (journal_dir,)
    return _found(said, record, found.strategy_frames, found.strategy.frames, others, where, hot_dir)


def _found(
    said: str,
    record: RunRecord,
    looked_at: int,
    differs: int,
    others: list[Other],
    where: tuple[Path, ...],
    hot_dir: Path | None,
    note: str = "",
) -> WhatIf:
    changes = tuple(changes_of(others))
    names = {one.id: one.name for one in record.strategies}
    assets = assets_of(where, live_hot_dir(record, hot_dir)) if changes else {}
    symbols = names_of(assets, [feed["name"] for feed in record.settings.get("feeds", ())])
    return WhatIf(said, looked_at, differs, changes, totals_of(others, changes), names, assets, symbols, note)


def _limits(
    journal_dir: Path, record: RunRecord, file: Path, said: str, hot: Path | None, between: tuple[int, int]
) -> WhatIf:
    if record.tape is not None:
        raise ConfigError(
            "what-if: expected the journal of a node for limits=FILE, found a backtest's, which leaves its market data "
            "on the tape; run the backtest again with other limits"
        )
    limits = load_limits(file)
    ids = {one.name: one.id for one in record.strategies}
    lines = [(line.symbol, record_of(line, limits, ids)) for line in lines_of(limits)]
    first, last = between[0], between[1] or SEQ_MAX
    before = next((s for s in usable_snapshots(journal_dir, hot or journal_dir) if s.seq < first), None)
    state = before.state if before else b""
    report = native.what_if_limits(
        record.capacity.native(), lines, str(journal_dir), str(hot or ""), state, first, last
    )
    note = "so many differ that the rest of the journal was not looked at" if report.is_cut else ""
    differs = report.now_refused + report.now_passes
    return _found(said, record, report.judged, differs, report.others, (journal_dir,), hot, note)


def _changed(record: RunRecord, changes: Sequence[str]) -> RunRecord:
    strategies = {one.name: one for one in record.strategies}
    for change in changes:
        left, equals, value = change.partition("=")
        if not equals:
            raise ConfigError(f"what-if: expected limits=FILE, strategy=FILE or NAME=VALUE, found {change!r}")
        owner, dot, key = left.rpartition(".")
        if left == "strategy" or owner == "strategy":
            one = _strategy(strategies, key if dot else "", change)
            file, _, named = value.partition(":")
            other = {"file": file, "class_name": named or _class_in(file, one.class_name), "object_hash": ""}
            strategies[one.name] = one.model_copy(update=other)
        else:
            one = _strategy(strategies, owner, change)
            params = one.params | {key: _parameter(value)}
            strategies[one.name] = one.model_copy(update={"params": params})
    return record.model_copy(update={"strategies": tuple(strategies.values())})


def _class_in(file: str, ran: str | None) -> str:
    """The class that ran, where the other file has one of its name; else the only one."""
    if ran is not None:
        with contextlib.suppress(StrategyError):
            return load_strategy(file, ran).__name__
    try:
        return load_strategy(file).__name__
    except StrategyError as error:
        raise ConfigError(f"what-if: {error}; here: strategy=FILE:CLASS") from None


def _strategy(strategies: dict[str, StrategyRecord], name: str, change: str) -> StrategyRecord:
    if not name and len(strategies) == 1:
        return next(iter(strategies.values()))
    if name not in strategies:
        known = ", ".join(sorted(strategies)) or "none"
        raise ConfigError(f"what-if {change!r}: expected one of the strategies {known}, found {name or 'no name'!r}")
    return strategies[name]


def _parameter(text: str) -> bool | int | float | str:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text, text)


# ---- where two states part


@dataclass(frozen=True)
class Bisection:
    """Between which two frames this core and the snapshots part, and the first decision there that differs."""

    agrees_at: int
    differs_at: int
    decision: int
    what: str
    replayed: int

    @property
    def is_identical(self) -> bool:
        """Whether nothing parts."""
        return not self.differs_at and not self.decision

    def lines(self) -> list[str]:
        """As a person reads it."""
        if self.is_identical:
            return [f"this core agrees with every snapshot and decision up to seq {self.agrees_at:,}"]
        found = [f"state: agrees at seq {self.agrees_at:,}, differs in the snapshot at seq {self.differs_at:,}"]
        if not self.differs_at:
            found = [f"state: agrees with the last snapshot, at seq {self.agrees_at:,}"]
        if self.decision:
            return [*found, f"first decision that differs: seq {self.decision:,}: {self.what}"]
        return [*found, "no decision in between differs: something changed that had said nothing yet"]


def bisect(journal_dir: Path, record: RunRecord, *, hot_dir: Path | None = None) -> Bisection:
    """Find the first frame at which this core and the one that wrote journal and snapshots part.

    By halves over the snapshots, each replay from the last state that agreed; then frame by frame. A state that has
    once parted is taken to stay apart.

    Raises:
        ConfigError: a backtest has no snapshots.
    """
    if record.tape is not None:
        raise ConfigError("bisect: expected a node's journal with snapshots, found a backtest's; use openbell replay")
    hot = live_hot_dir(record, hot_dir)
    snapshots = sorted(usable_snapshots(journal_dir, hot or journal_dir))
    replayed, agreed, low, high = 0, (0, b""), 0, len(snapshots)
    while low < high:
        middle = (low + high) // 2
        engine, report = _play(journal_dir, record, hot, agreed[1], snapshots[middle].seq)
        replayed += report.frames_in
        if engine.state_hash == snapshots[middle].state_hash:
            agreed, low = (engine.seq, engine.save()), middle + 1
        else:
            high = middle
    until = snapshots[low].seq if low < len(snapshots) else SEQ_MAX
    _, report = _play(journal_dir, record, hot, agreed[1], until)
    core, at = report.core, until if until != SEQ_MAX else 0
    if not core.seq and not at:
        return Bisection(report.last_seq, 0, 0, "", replayed + report.frames_in)
    what = in_words(core) if core.seq else ""
    return Bisection(agreed[0], at, core.seq, what, replayed + report.frames_in)


def _play(
    journal_dir: Path, record: RunRecord, hot: Path | None, state: bytes, until: int
) -> tuple[native.Engine, native.ReplayReport]:
    engine = native.Engine(record.capacity.native())
    if state:
        engine.load(state)
    report = native.replay_journal(engine, str(journal_dir), str(hot or ""), to_seq=until)
    return engine, report
