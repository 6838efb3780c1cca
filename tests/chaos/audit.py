"""Reads a node's journal as it grows, and holds every order and fill in it against the venue's own ledger."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from openbell._native import JournalReader, ouch_token_decode
from openbell.journal import records_view
from openbell.types import RECORDS, Type

RECORD_BYTES = RECORDS["Report"].itemsize
BATCH = 1 << 16
OPENS = [int(Type.NEW_ORDER), int(Type.REPLACE_ORDER)]
REPORTS = [int(Type.SENT), int(Type.NOT_SENT), int(Type.ACCEPTED), int(Type.FILLED)]


class Audit:
    """An account of its own: no engine, nothing that the node says of itself beside its journal."""

    def __init__(self, journal_dir: Path, hot_dir: Path) -> None:
        self.reader = JournalReader(str(journal_dir), str(hot_dir), True)
        self.commands: Counter[tuple[int, int]] = Counter()  # (cl_ord_id, version)
        self.outcomes: Counter[tuple[int, int]] = Counter()  # Sent or NotSent of those
        self.accepted: Counter[int] = Counter()
        self.fills: Counter[tuple[int, int]] = Counter()  # (execution, order)
        self.told: dict[int, tuple[int, int]] = {}  # price and quantity of an execution

    def read(self) -> None:
        """What was journalled since the last time."""
        while len((found := self.reader.gather(RECORD_BYTES, [*OPENS, *REPORTS], BATCH))[1]):
            raw = found[0]
            orders = records_view(raw[np.isin(raw[:, 0], OPENS)], "Order")
            self.commands.update(zip(orders["cl_ord_id"].tolist(), orders["version"].tolist(), strict=True))
            for kind in REPORTS:
                self._take(kind, records_view(raw[raw[:, 0] == kind], "Report"))

    def _take(self, kind: int, rows: Any) -> None:
        ids = rows["cl_ord_id"].tolist()
        if kind == Type.ACCEPTED:
            self.accepted.update(ids)
        elif kind == Type.FILLED:
            executions = rows["exec_id"].tolist()
            self.fills.update(zip(executions, ids, strict=True))
            values = zip(rows["last_px"].tolist(), rows["last_qty"].tolist(), strict=True)
            self.told.update(zip(executions, values, strict=True))
        else:
            for command, key in zip(
                rows["command"].tolist(), zip(ids, rows["version"].tolist(), strict=True), strict=True
            ):
                if command in (Type.NEW_ORDER, Type.REPLACE_ORDER):
                    self.outcomes[key] += 1

    def unanswered(self) -> set[tuple[int, int]]:
        """Commands that were journalled and of which nobody knows yet whether they left."""
        self.read()
        return set(self.commands) - set(self.outcomes)

    def expect_nothing_lost(self, ledger: dict[str, Any]) -> None:
        """Compare with the venue's ledger.

        Raises:
            AssertionError: an order or fill is missing, twice, or nobody's.
        """
        self.read()
        assert max(self.commands.values(), default=1) == 1, f"an id was used twice: {twice(self.commands)}"
        assert max(self.outcomes.values(), default=1) == 1, f"an order was sent twice: {twice(self.outcomes)}"
        assert max(self.accepted.values(), default=1) == 1, f"an order was accepted twice: {twice(self.accepted)}"
        assert max(self.fills.values(), default=1) == 1, f"a fill was counted twice: {twice(self.fills)}"
        at_venue = [tuple(ouch_token_decode(order["token"])) for order in ledger["orders"]]
        assert len(set(at_venue)) == len(at_venue), "the venue holds a token twice"
        strangers = set(at_venue) - set(self.commands)
        assert not strangers, f"the venue holds orders that were never journalled: {sorted(strangers)[:5]}"
        at_venue_fills = {(fill["match_id"], ouch_token_decode(fill["token"])[0]) for fill in ledger["fills"]}
        assert set(self.fills) == at_venue_fills, (
            f"fills: {len(at_venue_fills - set(self.fills))} lost, {len(set(self.fills) - at_venue_fills)} made up"
        )

    def told_wrong(self, ledger: dict[str, Any]) -> list[int]:
        """Executions that stand in the venue's ledger with another price or quantity than it has told."""
        self.read()
        stand = {fill["match_id"]: (fill["px"], fill["qty"]) for fill in ledger["fills"] if fill["state"] == "GOOD"}
        return [match for match, values in stand.items() if self.told.get(match, values) != values]

    def counts(self) -> dict[str, int]:
        """What a line of evidence says."""
        return {"orders": len(self.commands), "accepted": len(self.accepted), "fills": len(self.fills)}


def twice(counted: Counter[Any]) -> list[Any]:
    """The first of those that were counted more than once."""
    return [key for key, count in counted.items() if count > 1][:5]
