"""A desk whose breaks are kept: it goes on with those of a node's journal, and tells the running node what is news."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from openbell.journal import open_journal
from openbell.ops.control.world import push_record
from openbell.posttrade.break_ledger import BreakLedger, break_record
from openbell.posttrade.breaks import GRACE_NS, Break, BreakDesk
from openbell.types import BreakNews

OF_STATEMENTS = 1_000_000
"""Numbers above it are of breaks against statements: another process gives them than the one that compares all day."""


class NodeDesk:
    """The desk of a running node: what is news goes to its journal, and waits here until that has taken it."""

    def __init__(self, hot_dir: Path, desk: BreakDesk) -> None:
        self.desk = desk
        self._hot_dir = hot_dir
        self._waiting: list[bytes] = []

    def tell(self, news: Iterable[tuple[BreakNews, Break]], instruments: dict[str, int]) -> int:
        """Journal the news; return how many records still wait, for a ring that is full."""
        self._waiting += [break_record(known, what, instruments) for what, known in news]
        while self._waiting and push_record(self._hot_dir, self._waiting[0]):
            del self._waiting[0]
        return len(self._waiting)


def resumed(journal_dir: Path, hot_dir: Path, grace_ns: int = GRACE_NS, *, of_statements: bool = False) -> BreakDesk:
    """A desk that goes on with the breaks of the journal: those against statements, or all others."""
    desk = BreakDesk(grace_ns)
    ledger = BreakLedger().take_all(open_journal(journal_dir, hot_dir))
    ours = {number for number in ledger.entries if (number > OF_STATEMENTS) == of_statements}
    first = OF_STATEMENTS if of_statements else 0
    desk.resume([known for known in ledger.open() if known.number in ours], max(ours, default=first))
    return desk
