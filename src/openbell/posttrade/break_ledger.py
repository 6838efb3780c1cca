"""The break ledger: what became of every break, in the node's own journal, as `Break` records.

    code         BreakKind                     instrument   id, or none for a currency or an unknown symbol
    flags        BreakNews: opened, closed, changed, assigned
    values       ours, theirs, our order id, the venue's match number
    text         "number against owner symbol note", the note cut to what fits

It stands since its first record. Later ones of the same number say new values (changed, closed) or a new owner and note
(assigned), and nothing else: the desk that compares and the person who assigns do not hear of each other.

Reconciliation writes them through the operator ring, like a person's commands; a replay shows them where they were.
Money, in 10^-18 elsewhere, is told in 10^-8, cut toward zero, and values beyond int64 as the nearest that fits: the
books themselves are compared exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from openbell import events
from openbell.journal import Frame
from openbell.posttrade.breaks import Break, BreakKey
from openbell.posttrade.reconcile import BreakKind
from openbell.types import NO_INSTRUMENT, BreakNews, Type

INT64_MAX, UINT64_MAX = 2**63 - 1, 2**64 - 1
MONEY_UNIT = 10**10
"""Of money in a record: 10^-8 in 10^-18."""


def break_record(known: Break, news: BreakNews, instruments: Mapping[str, int]) -> bytes:
    """The record of a break that opened, changed, closed or was given to somebody."""
    against, owner = known.key.against.replace(" ", "_"), known.owner.replace(" ", "_")
    unit = _unit(known.key.kind)
    values = tuple(max(-INT64_MAX, min(INT64_MAX, _cut(value, unit))) for value in (known.ours, known.theirs))
    return events.control(
        Type.BREAK,
        code=int(known.key.kind),
        flags=int(news),
        instrument=instruments.get(known.key.symbol, NO_INSTRUMENT),
        values=(*values, *(_signed(number) for number in known.key.key)),
        text=f"{known.number} {against} {owner} {known.key.symbol} {known.note}".rstrip(),
    )


@dataclass
class Entry:
    """One break, from its opening to its end; `closed_ns` 0 while it is open."""

    known: Break
    closed_ns: int = 0


@dataclass
class BreakLedger:
    """Takes the frames of a journal in order; `entries` by number."""

    entries: dict[int, Entry] = field(default_factory=dict)

    def take_all(self, frames: Iterable[Frame]) -> BreakLedger:
        """Take every frame, and return this."""
        for frame in frames:
            self.take(frame)
        return self

    def take(self, frame: Frame) -> None:
        """Take the next frame."""
        if frame.is_decision:
            return
        for i in (frame.raw[:, 0] == int(Type.BREAK)).nonzero()[0]:
            record = frame.record(int(i))
            known = read_break(record, frame.ts_seq)
            entry = self.entries.setdefault(known.number, Entry(known))
            _tell(entry, known, BreakNews(int(record["flags"])), frame.ts_seq)

    def open(self) -> list[Break]:
        """Those that stand, the oldest first."""
        return sorted((e.known for e in self.entries.values() if not e.closed_ns), key=lambda known: known.since)


def _tell(entry: Entry, told: Break, news: BreakNews, ts_seq: int) -> None:
    """What `told` adds: a person does not know the newest values, the desk not what people have noted meanwhile."""
    before = entry.known
    match news:
        case BreakNews.OPENED:
            entry.known, entry.closed_ns = replace(told, since=before.since), 0
        case BreakNews.ASSIGNED:
            entry.known = replace(before, owner=told.owner, note=told.note)
        case BreakNews.CHANGED | BreakNews.CLOSED:
            entry.known = replace(before, ours=told.ours, theirs=told.theirs)
            entry.closed_ns = ts_seq if news == BreakNews.CLOSED else 0


def read_break(record: Any, ts_seq: int) -> Break:
    """The break that a record is of."""
    words = bytes(record["text"]).rstrip(b"\0").decode("utf-8", "replace").split(" ", 4)
    number, against, owner, symbol, note = [*words, *[""] * (5 - len(words))]
    ours, theirs, order_id, match = (int(value) for value in record["values"])
    about = (order_id & UINT64_MAX, match & UINT64_MAX)
    kind = BreakKind(int(record["code"]))
    key = BreakKey(against.replace("_", " "), kind, symbol, about)
    return Break(int(number), key, ours * _unit(kind), theirs * _unit(kind), owner.replace("_", " "), ts_seq, note)


def _unit(kind: BreakKind) -> int:
    return MONEY_UNIT if kind.is_money else 1


def _cut(value: int, unit: int) -> int:
    return value // unit if value >= 0 else -(-value // unit)


def _signed(number: int) -> int:
    """A 64-bit id as the record's int64 holds it."""
    return number - (1 << 64) if number > INT64_MAX else number
