"""Whether a node runs what ran when its journal was last written, and what a person has to be told when it does not.

A start with another core, strategy, limits or configuration than those of the journal's newest Started record opens
nothing until a person has said, by the hash of all four, that it is meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from openbell import _native as native
from openbell.node.assemble import digest
from openbell.node.limit_lines import changes
from openbell.node.limits import LimitSet, draft_of
from openbell.node.record import RunRecord
from openbell.types import RECORDS

PARTS = ("binary", "strategies", "limits", "config")
TOLD_MAX = 12
"""Lines of what differs in one part; the rest is counted."""


@dataclass(frozen=True)
class Running:
    """The four hashes of a Started record."""

    binary: bytes
    strategies: bytes
    limits: bytes
    config: bytes

    @property
    def name(self) -> str:
        """What a person acknowledges: 12 letters over all four."""
        return digest(*(getattr(self, part) for part in PARTS)).hex()[:12]

    def parts_unlike(self, before: Running) -> list[str]:
        """Which of the four differ."""
        return [part for part in PARTS if getattr(self, part) != getattr(before, part)]


def running_of(started: bytes) -> Running:
    """What a Started record says."""
    row = np.frombuffer(started, RECORDS["Started"])[0]
    return Running(*(bytes(row[f"{part}_hash"]) for part in PARTS))


def is_unacknowledged(engine: native.Engine) -> bool:
    """Whether the newest epoch runs what nobody has acknowledged yet."""
    flags = int(np.frombuffer(engine.started, RECORDS["Started"])[0]["flags"])
    return bool(flags & native.UNACKNOWLEDGED) and not engine.is_reconciled


def question(engine: native.Engine, now: Running) -> list[str]:
    """What differs from the epoch that `engine` has recovered; empty where nothing has to be acknowledged."""
    if not engine.epoch:
        return []
    differs = now.parts_unlike(running_of(engine.started))
    return differs or (["as before"] if is_unacknowledged(engine) else [])


def held_limits(engine: native.Engine, limits: LimitSet, file: Path) -> str:
    """What is wrong with a file that is older than the limits which the node held at the end of its journal.

    A change while it ran was cut off, or the disk did not take it: the file may allow what had been taken away.
    """
    if engine.limits_version <= limits.version:
        return ""
    return (
        f"expected version {engine.limits_version} of {file}, which the node was told while it ran, found "
        f"{limits.version}; bring that one back ({draft_of(file).name} beside it, where the change was cut off)"
    )


def told(
    before: bytes, now: Running, old: RunRecord | None, new: RunRecord, node: str, held: str = "", doubts: str = ""
) -> Iterator[str]:
    """What differs, with old and new, and the ways to acknowledge it; `held` as `held_limits` says it, `doubts` as
    the recovery does."""
    then = running_of(before)
    epoch = int(np.frombuffer(before, RECORDS["Started"])[0]["epoch"])
    differs = now.parts_unlike(then) if epoch else []
    if doubts:
        yield f"not armed: {doubts}; positions and orders may not be the venue's: reconcile first (openbell reconcile)"
    if differs or held:
        yield f"not armed: what runs is not what ran in epoch {epoch}, and nobody has acknowledged it:"
    elif not doubts:
        yield f"not armed: what runs, and ran in epoch {epoch}, nobody has acknowledged yet"
    if held:
        yield f"  limits: {held}"
    for part in differs:
        yield f"  {part}: {getattr(then, part).hex()[:12]} -> {getattr(now, part).hex()[:12]}"
        if old is not None:
            yield from _details(part, old, new)
    yield f'acknowledge it: openbell arm {node} full --all --release --acknowledge {now.name} --why "..."'
    if not doubts:
        yield f"or, where one person is enough, at the start: openbell run ... --acknowledge {now.name}"


def _details(part: str, old: RunRecord, new: RunRecord) -> Iterator[str]:
    if part not in DETAILS:
        return
    found = list(DETAILS[part](old, new))
    yield from (f"    {line}" for line in found[:TOLD_MAX])
    if len(found) > TOLD_MAX:
        yield f"    and {len(found) - TOLD_MAX} more"


def _strategies(old: RunRecord, new: RunRecord) -> Iterator[str]:
    before, after = ({one.name: one for one in record.strategies} for record in (old, new))
    for name in sorted(before.keys() | after.keys()):
        a, b = before.get(name), after.get(name)
        if a is None or b is None:
            yield f"{name}: {'new' if a is None else 'gone'}"
        elif a.source_hash != b.source_hash:
            yield f"{name}: source {a.source_hash[:12]} -> {b.source_hash[:12]} ({b.file})"
        elif a.object_hash != b.object_hash:
            yield f"{name}: machine code {a.object_hash[:12] or 'none'} -> {b.object_hash[:12] or 'none'}"


def _limits(old: RunRecord, new: RunRecord) -> Iterator[str]:
    if old.limits is None or new.limits is None:
        return
    if old.limits == new.limits:
        yield "as they were changed while it ran"
        return
    yield f"version {old.limits.version} -> {new.limits.version}"
    found = changes(old.limits.compared, new.limits.compared)
    yield from map(str, sorted(found, key=lambda change: -change.factor))  # what is cut off at the end is tighter


def _settings(old: RunRecord, new: RunRecord) -> Iterator[str]:
    before, after = dict(_flat(old.settings)), dict(_flat(new.settings))
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            yield f"{key}: {before.get(key, 'absent')} -> {after.get(key, 'absent')}"


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """`node.seed`, `feeds.0.listen` and so on, with their values."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if pairs is None:
        yield key, str(value)
        return
    for name, inner in pairs:
        yield from _flat(inner, f"{key}.{name}" if key else str(name))


DETAILS = {"strategies": _strategies, "limits": _limits, "config": _settings}
