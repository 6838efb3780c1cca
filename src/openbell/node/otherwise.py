"""What two versions of a decision differ in: what is not asked any more, what is asked beside, or with other numbers.

An intent is compared with the one of the same frame that asks for the same thing: a quote of an instrument, an order
of a side, a cancel of an order; a verdict with that about the same order. What is left over one of both asked alone.
What a strategy keeps for its next life is no decision, and where only that differs is counted and not shown.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np

from openbell.journal import RECORD_OF
from openbell.types import NO_INSTRUMENT, RECORDS, IntentKind, Type

LARGE = 128
HIDDEN: tuple[str, ...] = ("type", "pad", "ts_event", "as_of_seq")
"""Of a record: what is no part of what is asked."""
KEPT = "frames on which a strategy only keeps something else"
Other = tuple[int, bytes, bytes]
"""A frame, the large records of then, and those of now."""


@dataclass(frozen=True)
class Change:
    """One thing that is said otherwise: by one of both alone, or with other numbers."""

    seq: int
    ts_ns: int
    strategy: int
    instrument: int
    kind: str
    """Of the intent (QUOTE, ORDER, ...), or of the record."""
    then: dict[str, Any] | None
    """All that is set in it; None: nothing was said."""
    now: dict[str, Any] | None

    @property
    def fields(self) -> tuple[str, ...]:
        """What differs, where both say something."""
        if self.then is None or self.now is None:
            return ()
        names = [*self.then, *(name for name in self.now if name not in self.then)]
        return tuple(name for name in names if self.then.get(name) != self.now.get(name))

    @property
    def effect(self) -> str:
        """In a few words, the same for all changes of a sort."""
        if self.then is None:
            return "asked beside"
        if self.now is None:
            return "not asked any more"
        if self.then["record"] != self.now["record"]:
            return f"{self.then['record']}, now {self.now['record']}"
        return f"with another {', '.join(self.fields)}"


def changes_of(others: Iterable[Other]) -> Iterator[Change]:
    """Of every frame in turn."""
    for seq, then, now in others:
        for was, is_ in _pairs(_rows(then), _rows(now)):
            row = was if was is not None else is_
            before, after = _set_fields(was), _set_fields(is_)
            if before == after:
                continue
            yield Change(
                seq,
                int(row["ts_event"]),
                int(row["strategy"]),
                int(row["instrument"]) if "instrument" in row.dtype.names else NO_INSTRUMENT,
                _kind(row),
                before,
                after,
            )


def totals_of(others: Sequence[Other], changes: Sequence[Change]) -> dict[str, int]:
    """`QUOTE with another bid_qty`: how often, the most frequent first."""
    found = dict(Counter(f"{change.kind} {change.effect}" for change in changes).most_common())
    kept = len({seq for seq, _, _ in others} - {change.seq for change in changes})
    return found | ({KEPT: kept} if kept else {})


def _rows(raw: bytes) -> list[Any]:
    parts = (raw[at : at + LARGE] for at in range(0, len(raw), LARGE) if raw[at] != Type.STRATEGY_STATE)
    return [np.frombuffer(part, RECORDS[RECORD_OF.get(part[0], "Control")])[0] for part in parts]


def _pairs(then: list[Any], now: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Those that ask for the same thing, in the order of what was said."""
    groups: dict[tuple[object, ...], tuple[list[Any], list[Any]]] = defaultdict(lambda: ([], []))
    for side, rows in enumerate((then, now)):
        for row in rows:
            groups[_about(row)][side].append(row)
    for was, is_ in groups.values():
        yield from zip_longest(was, is_)


def _about(row: Any) -> tuple[object, ...]:
    if RECORD_OF.get(int(row["type"])) == "Order":
        return "Order", int(row["cl_ord_id"]), int(row["version"])
    if int(row["type"]) != Type.INTENT:
        return int(row["type"]), int(row["strategy"])
    kind, is_order = int(row["kind"]), int(row["kind"]) == IntentKind.ORDER
    by_id = int(row["cl_ord_id"]) if kind in (IntentKind.CANCEL, IntentKind.REPLACE) else 0
    return kind, int(row["strategy"]), int(row["instrument"]), int(row["side"]) if is_order else 0, by_id


def _kind(row: Any) -> str:
    number = int(row["type"])
    if number == Type.INTENT:
        return IntentKind(int(row["kind"])).name
    return "order" if RECORD_OF.get(number) == "Order" else Type(number).name


def _set_fields(row: Any) -> dict[str, Any] | None:
    if row is None:
        return None
    hidden = HIDDEN
    if int(row["type"]) == Type.INTENT and int(row["kind"]) not in (IntentKind.CANCEL, IntentKind.REPLACE):
        hidden = (*HIDDEN, "cl_ord_id")  # a number that the strategy's process has given
    found = {name: row[name] for name in row.dtype.names if not name.startswith(hidden) and np.any(row[name] != 0)}
    return {"record": Type(int(row["type"])).name} | {name: _plain(value) for name, value in found.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype == np.uint8:
        return value.tobytes().rstrip(b"\0").hex()
    plain = value.tolist()
    return plain.decode(errors="replace") if isinstance(plain, bytes) else plain
