"""The limits in force at a running node, what another file would change, and the records that change it.

A set that was approved takes the place of the node's own file and of the limits in its record, so that the next start
has it too and does not ask again what loosens; the one before stays beside the file under its version.
"""

from __future__ import annotations

import os
from pathlib import Path

from openbell.config import Problem
from openbell.errors import ConfigError
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
from openbell.node.limits import LimitSet, parse_limits
from openbell.node.record import LimitsRecord, read_record
from openbell.ops.control.desk import LimitsChange
from openbell.ops.control.proposals import RefusedError
from openbell.ops.control.world import World

ORIGIN = Path("the proposed limits")


class NodeLimits:
    """The set in force, beside the file that the node starts with."""

    def __init__(self, config: NodeConfig, world: World) -> None:
        self._config, self._world = config, world
        self.path = config.node.limits
        self.in_force: LimitSet = config.limits

    def show(self) -> list[str]:
        """Every limit in words."""
        return spoken_lines(self.in_force)

    def compare(self, text: str) -> LimitsChange:
        """What `text`, a file of limits, would change.

        Raises:
            RefusedError: it is none, does not fit the node, or cannot be meant: what, where and the next step.
        """
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
        return LimitsChange(
            says=tuple(str(change) for change in found),
            is_loosening=any(change.is_loosening or change.begins_anew for change in found),
            records=tuple(records),
            is_current=lambda: self.in_force.version == version,
            taken=lambda: self._take(limits, text),
        )

    def _expect_same_money(self, limits: LimitSet) -> None:
        held, found = ([*currency_lines(one.base_currency, rates_of(one))] for one in (self.in_force, limits))
        if differs := changes(held, found):
            raise RefusedError(
                f"limits: base_currency, conversions: expected those in force, found {'; '.join(map(str, differs))}; "
                "these change with a start of the node"
            )

    def _take(self, limits: LimitSet, text: str) -> None:
        before = self.path.with_name(f"{self.path.name}.v{self.in_force.version}")
        draft = self.path.with_name(f"{self.path.name}.draft")
        draft.write_text(text)
        if not before.exists():
            os.link(self.path, before)
        draft.replace(self.path)
        self.in_force = limits
        if record := read_record(self._config.node.journal_dir):  # with which the next start compares
            record.model_copy(update={"limits": LimitsRecord.of(limits)}).write(self._config.node.journal_dir)


def _spelled(problem: Problem) -> str:
    return f"{'.'.join(map(str, problem.path))}: {problem.message}"
