"""Breaks: differences that did not go away by themselves, each with a type, an owner and an age.

Two sides are never read at the same instant, so what differs now may only be on its way. A difference is a break
once it has stood unchanged for `grace_ns`; it closes when it is no longer found. Nobody closes one by hand: the books
have to agree. A person may take it over or note why, which changes neither.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from openbell.errors import CapacityError
from openbell.posttrade.ledger import money_text
from openbell.posttrade.reconcile import BreakKind, Difference
from openbell.types import BreakNews

GRACE_NS = 300_000_000
BREAKS_MAX = 10_000
AGES_S = (60, 600, 3_600, 86_400)
"""Bounds of the age classes that a report counts in."""


class BreakKey(NamedTuple):
    """What makes a break one and the same: between whom, of what kind, about what."""

    against: str
    kind: BreakKind
    symbol: str
    key: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Break:
    """One open break. Times are ns; `since` is when the difference was first seen."""

    number: int
    key: BreakKey
    ours: int
    theirs: int
    owner: str
    since: int
    note: str = ""

    def age_s(self, now_ns: int) -> float:
        """How long it has stood."""
        return (now_ns - self.since) / 1e9

    def sentence(self) -> str:
        """As a person reads it."""
        at = self.key.key
        where = f" of order {at[0]}" if at[0] and not at[1] else f" of match {at[1]}" if at[1] else ""
        ours, theirs = (money_text(v) if self.key.kind.is_money else str(v) for v in (self.ours, self.theirs))
        return (
            f"{self.key.kind.name} {self.key.symbol}{where}: we have {ours}, {self.key.against} has "
            f"{theirs}; for {self.owner}" + (f" ({self.note})" if self.note else "")
        )

    def as_dict(self) -> dict[str, str | int]:
        """For machines; what may not fit a double is text."""
        return {
            "number": self.number,
            "against": self.key.against,
            "kind": self.key.kind.name,
            "symbol": self.key.symbol,
            "order": str(self.key.key[0]),
            "match": str(self.key.key[1]),
            "ours": str(self.ours),
            "theirs": str(self.theirs),
            "owner": self.owner,
            "note": self.note,
            "since_ns": self.since,
        }


def news_line(news: BreakNews, known: Break) -> str:
    """What became of a break, as a person reads it."""
    return f"{news.name.lower()} {known.number}: {known.sentence()}"


def ages(breaks: Iterable[Break], now_ns: int) -> dict[str, int]:
    """How many there are, by age: `{"<60s": 3, "<600s": 0, ..., "older": 1}`."""
    counts = {f"<{bound}s": 0 for bound in AGES_S} | {"older": 0}
    for known in breaks:
        age = known.age_s(now_ns)
        counts[next((f"<{bound}s" for bound in AGES_S if age < bound), "older")] += 1
    return counts


class _Seen(NamedTuple):
    values: tuple[int, int]
    since: int


class BreakDesk:
    """Turns differences, looked for again and again, into breaks."""

    def __init__(self, grace_ns: int = GRACE_NS, breaks_max: int = BREAKS_MAX) -> None:
        self.breaks: dict[BreakKey, Break] = {}
        self.opened = 0
        self._grace_ns = grace_ns
        self._breaks_max = breaks_max
        self._seen: dict[BreakKey, _Seen] = {}

    def resume(self, breaks: Iterable[Break], numbers: int) -> None:
        """Go on with breaks that stood when another desk ended; `numbers` is the last number that was given."""
        self.breaks |= {known.key: known for known in breaks}
        self.opened = max(self.opened, numbers)

    def look(
        self, against: str, found: Iterable[Difference], now_ns: int, unsure: Container[BreakKind] = ()
    ) -> list[tuple[BreakNews, Break]]:
        """Take all that differs between us and `against` at `now_ns`; return what is news.

        Kinds that could not be compared this time are `unsure`: what is known of them stays as it is.

        Raises:
            CapacityError: more differs than a desk can hold; the two sides are not of the same account.
        """
        current = {BreakKey(against, d.kind, d.symbol, d.key): d for d in found}
        if len(current) > self._breaks_max:
            raise CapacityError(
                f"reconciliation with {against}: expected at most {self._breaks_max} differences, "
                f"found {len(current)}; are these books of the same account and day?"
            )

        def is_gone(key: BreakKey) -> bool:
            return key.against == against and key not in current and key.kind not in unsure

        news = [(BreakNews.CLOSED, self.breaks.pop(key)) for key in [*self.breaks] if is_gone(key)]
        for key in [key for key in self._seen if is_gone(key)]:
            del self._seen[key]
        for key, difference in current.items():
            if found_news := self._weigh(key, difference, now_ns):
                news.append(found_news)
        return news

    def _weigh(self, key: BreakKey, difference: Difference, now_ns: int) -> tuple[BreakNews, Break] | None:
        values = (difference.ours, difference.theirs)
        if known := self.breaks.get(key):
            if (known.ours, known.theirs) == values:
                return None
            self.breaks[key] = replace(known, ours=values[0], theirs=values[1])
            return BreakNews.CHANGED, self.breaks[key]
        seen = self._seen.get(key)
        if seen is None or seen.values != values:
            seen = self._seen[key] = _Seen(values, now_ns)
        if now_ns - seen.since < self._grace_ns:
            return None
        del self._seen[key]
        self.opened += 1
        self.breaks[key] = Break(self.opened, key, *values, difference.owner, seen.since)
        return BreakNews.OPENED, self.breaks[key]
