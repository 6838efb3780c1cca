"""The limits in force at a running node, what another file would change, and the records that change it.

A set that was approved takes the place of the node's own file and of the limits in its record, so that the next start
has it too and does not ask again what loosens; the one before stays beside the file under its version. It is on disk as
a draft before the node is told, so that no end of this process leaves the node with limits that nobody can find. What
the disk does not take is not loosened; what tightens is done even so, and said.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from openbell.config import Problem
from openbell.errors import ConfigError, JournalError
from openbell.journal.durable import rename_durably, replace_durably
from openbell.node.config import NodeConfig
from openbell.node.limit_lines import (
    changes,
    changing_records,
    compared_lines,
    currency_lines,
    expect_meant,
    lines_of,
    rates_of,
    spoken_lines,
)
from openbell.node.limits import LimitSet, draft_of, parse_limits
from openbell.node.record import LimitsRecord, read_record
from openbell.ops.control.proposals import RefusedError
from openbell.ops.control.world import World

ORIGIN = Path("the proposed limits")


@dataclass(frozen=True)
class LimitsChange:
    """A file of limits beside the set in force: what differs, whether anything is loosened, the records that do it."""

    says: tuple[str, ...]
    is_loosening: bool
    records: tuple[bytes, ...]
    is_current: Callable[[], bool]  # nothing else was changed since
    keep: Callable[[], None]  # on disk, before the node is told; refused where it loosens and cannot be kept
    taken: Callable[[], tuple[str, ...]]  # it is in force now; what went wrong with its file


class NodeLimits:
    """The set in force, beside the file that the node starts with."""

    def __init__(self, config: NodeConfig, world: World) -> None:
        self._config, self._world = config, world
        self.path = config.node.limits
        self.in_force: LimitSet = config.limits
        self._draft = draft_of(self.path)
        self._unkept = ""  # why the draft is not on disk

    def show(self) -> list[str]:
        """Every limit in words."""
        return spoken_lines(self.in_force)

    def compare(self, text: str) -> LimitsChange:
        """What `text`, a file of limits, would change.

        Raises:
            RefusedError: it is none, does not fit the node, or cannot be meant: what, where and the next step.
        """
        self._expect_known()
        try:
            limits = parse_limits(text, ORIGIN)
            if problems := list(self._config.check_limits(limits)):
                raise ConfigError("; ".join(_spelled(problem) for problem in problems))
            self._expect_same_money(limits)
            expect_meant(compared_lines(self.in_force), self.in_force.version, limits, origin=ORIGIN)
        except ConfigError as error:
            raise RefusedError(f"limits: {error}") from None
        found = changes(lines_of(self.in_force), lines_of(limits))
        try:
            records = changing_records(found, limits, self._world.strategies, self._world.instruments())
        except KeyError as error:
            raise RefusedError(
                f"limits: the node has not heard of {error} yet; ask again when the feed is up"
            ) from None
        version = self.in_force.version
        is_loosening = any(change.is_loosening or change.begins_anew for change in found)
        return LimitsChange(
            says=tuple(str(change) for change in found),
            is_loosening=is_loosening,
            records=tuple(records),
            is_current=lambda: self.in_force.version == version,
            keep=lambda: self._keep(text, is_loosening),
            taken=lambda: self._take(limits),
        )

    def _expect_known(self) -> None:
        """A change that was cut off has left the node with limits that are not those of the file."""
        held = self._world.limits_version()
        if held > self.in_force.version:
            raise RefusedError(
                f"limits: expected the node to hold version {self.in_force.version} of {self.path}, found {held}; "
                f"bring the file of that version back ({self._draft.name} beside it, where a change was cut off), and "
                "start the node again"
            )

    def _expect_same_money(self, limits: LimitSet) -> None:
        held, found = ([*currency_lines(one.base_currency, rates_of(one))] for one in (self.in_force, limits))
        if differs := changes(held, found):
            raise RefusedError(
                f"limits: base_currency, conversions: expected those in force, found {'; '.join(map(str, differs))}; "
                "these change with a start of the node"
            )

    def _keep(self, text: str, is_loosening: bool) -> None:
        before, self._unkept = self.path.with_name(f"{self.path.name}.v{self.in_force.version}"), ""
        try:
            replace_durably(self._draft, text.encode())
            if not before.exists():
                os.link(self.path, before)
        except (JournalError, OSError) as error:
            if is_loosening:
                raise RefusedError(f"limits: {error}; nothing was loosened") from None
            self._unkept = str(error)

    def _take(self, limits: LimitSet) -> tuple[str, ...]:
        old, self.in_force = self.in_force.version, limits
        alarms = []
        try:
            self._put()
        except JournalError as error:
            alarms.append(
                f"ALARM: the node holds version {limits.version}, the file still says {old}: {error}; put the new one "
                f"at {self.path} by hand: the next start refuses the old one"
            )
        try:
            if record := read_record(self._config.node.journal_dir):  # with which the next start compares
                record.model_copy(update={"limits": LimitsRecord.of(limits)}).write(self._config.node.journal_dir)
        except JournalError as error:
            alarms.append(f"ALARM: the next start compares with version {old}: {error}")
        for alarm in alarms:
            print(f"limits: {alarm}", file=sys.stderr, flush=True)
        return tuple(alarms)

    def _put(self) -> None:
        if self._unkept:
            raise JournalError(self._unkept)
        rename_durably(self._draft, self.path)


def _spelled(problem: Problem) -> str:
    return f"{'.'.join(map(str, problem.path))}: {problem.message}"
