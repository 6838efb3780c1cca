"""Continuous reconciliation: our books against everybody else's, again and again, and what became of the breaks.

A round costs time in proportion to the executions of the day; it runs in a process of its own and is never in the way
of trading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from openbell.config_types import Address
from openbell.errors import NetError, OpenbellError
from openbell.journal.assets import Asset
from openbell.posttrade.books import Books
from openbell.posttrade.breaks import Break, BreakDesk
from openbell.posttrade.drop_copy import DropCopyBooks
from openbell.posttrade.reconcile import BreakKind, differences
from openbell.posttrade.venue_books import ask_venue, venue_books
from openbell.types import BreakNews
from openbell.venue.drop_copy import DropCopyLink

OF_ONE_MOMENT = frozenset({BreakKind.POSITION, BreakKind.POSITION_OF_FILLS, BreakKind.CASH})
"""Sums say something only when both sides have seen the same reports."""
RETRY_S = 1.0


class Counterpart(Protocol):
    """Somebody else's books. `name` is theirs in every break; `why_not` is why they could not be had."""

    name: str
    why_not: str

    def books(self, now_s: float) -> Books | None:
        """What they say now; None: they cannot be had."""
        ...


@dataclass
class AskedBooks:
    """Books that are asked for, at most every `every_s`."""

    name: str
    ask: Callable[[], Books]
    every_s: float = 0.2
    why_not: str = ""
    _asked_at_s: float = float("-inf")
    _said: Books | None = None

    def books(self, now_s: float) -> Books | None:
        """The newest answer."""
        if now_s - self._asked_at_s >= self.every_s:
            self._asked_at_s = now_s
            try:
                self._said, self.why_not = replace(self.ask(), name=self.name), ""
            except (OpenbellError, OSError) as error:  # a request that it refused too: the others are compared
                self._said, self.why_not = None, str(error)
        return self._said


@dataclass
class HeardBooks:
    """Books that are heard on a drop copy; a lost login is made again after `RETRY_S`."""

    link: DropCopyLink
    heard: DropCopyBooks
    name: str = "drop copy"
    why_not: str = "not logged in yet"
    _retry_at_s: float = 0.0
    _is_connected: bool = False

    def books(self, now_s: float) -> Books | None:
        """What was heard so far; None until the login stands."""
        try:
            if not self._is_connected and now_s >= self._retry_at_s:
                self.link.connect()
                self._is_connected = True
            if self._is_connected:
                self.link.poll(now_s)
        except NetError as error:
            self.why_not, self._is_connected = str(error), False
            self._retry_at_s = now_s + RETRY_S
        return self.heard.books() if self.link.is_up else None


def asked_venue(control: str, account: str, assets: Callable[[], Mapping[str, Asset]]) -> AskedBooks:
    """What the exchange at `control` ("host:port" or a Unix socket) holds of `account`; `assets` are ours by symbol."""
    return AskedBooks("venue", lambda: venue_books(ask_venue(control, account), assets()))


def heard_books(address: Address, user: str, password: str, account: str) -> HeardBooks:
    """What a drop copy that logs in as `user` tells of `account`."""
    heard = DropCopyBooks(account.upper())
    return HeardBooks(DropCopyLink(address, user, password, heard.take), heard)


@dataclass
class Round:
    """What one look at everybody found; `silent` could not be had."""

    news: list[tuple[BreakNews, Break]]
    compared: list[str]
    silent: list[str]


class Reconciler:
    """Our books, the others', and the desk between them."""

    def __init__(self, ours: Callable[[], Books], others: Sequence[Counterpart], desk: BreakDesk) -> None:
        self.desk = desk
        self._ours = ours
        self.others = others

    def look(self, now_ns: int) -> Round:
        """Compare once with everybody who can be had."""
        found = Round([], [], [])
        for other in self.others:
            theirs = other.books(now_ns / 1e9)
            if theirs is None:
                found.silent.append(other.name)
                continue
            ours = self._ours()
            is_one_moment = theirs.as_of in (0, ours.as_of)
            unsure = frozenset() if is_one_moment else OF_ONE_MOMENT
            differ = [d for d in differences(ours, theirs) if d.kind not in unsure]
            found.news += self.desk.look(other.name, differ, now_ns, unsure)
            found.compared.append(other.name)
        return found
