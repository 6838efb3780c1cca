"""What faults do to the messages of a venue before they stand in a log: hold, reorder, alter, drop.

A filter stands between what the venue says and one log, of an account's reports or (for no account) of the feed. What
it lets through is the log: a replay by sequence gives the same bytes again. Drop copies hear what the venue said.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

from openbell._native import VenueCore

FEED = None
"""The log of the feed, where an account's number is expected otherwise."""


class Filter(ABC):
    """One fault at one log."""

    is_over = False

    @abstractmethod
    def apply(self, messages: list[bytes]) -> list[bytes]:
        """Return what stands in the log instead of `messages`, everything the venue said in one turn."""

    def release(self) -> list[bytes]:
        """Return what is still held: the fault ends."""
        return []


class Diversions:
    """All filters; `settle` is called before anybody is told what is new."""

    def __init__(self, venue: VenueCore, clock: Callable[[], int]) -> None:
        self._venue = venue
        self._clock = clock
        self._filters: dict[int | None, list[Filter]] = {}

    def add(self, account: int | None, one: Filter) -> None:
        """Let `one` see what the venue says from now on."""
        self._venue.divert(account, True, self._clock())
        self._filters.setdefault(account, []).append(one)

    def remove(self, account: int | None, one: Filter) -> None:
        """Put into the log what `one` holds, and let it see nothing more."""
        if one in self._filters.get(account, []):
            self._settle(account)
        if one in self._filters.get(account, []):  # else what it still held ended it
            self._end(account, one)

    def discard(self, account: int, act: Callable[[], None]) -> None:
        """Do `act`; what the venue says of it to the account is never told."""
        self._venue.divert(account, True, self._clock())
        act()
        self._venue.settle(account, [], self._clock())
        if account not in self._filters:
            self._venue.divert(account, False, self._clock())

    def settle(self) -> None:
        """Put into the logs what the filters make of the news."""
        for account in list(self._filters):
            self._settle(account)

    def _settle(self, account: int | None) -> None:
        messages = self._venue.diverted(account)
        if not messages:
            return
        filters = self._filters[account]
        for one in filters:
            messages = one.apply(messages)
        self._venue.settle(account, messages, self._clock())
        for one in [one for one in filters if one.is_over]:
            self._end(account, one)

    def _end(self, account: int | None, one: Filter) -> None:
        filters = self._filters[account]
        filters.remove(one)
        if held := one.release():
            self._venue.settle(account, held, self._clock())
        if not filters:
            del self._filters[account]
            self._venue.divert(account, False, self._clock())


class Layout(NamedTuple):
    """Where a protocol's reports have what faults look at. The first byte is the type, the timestamp is at 1."""

    order: slice
    executed_qty: slice
    executed_px: slice
    reject_reason: slice


LAYOUTS = {
    "ouch42": Layout(slice(9, 23), slice(23, 27), slice(27, 31), slice(23, 24)),
    "ouch50": Layout(slice(9, 13), slice(13, 17), slice(17, 25), slice(13, 15)),
}
ACCEPTED, EXECUTED, CANCELED = b"A", b"E", b"C"


class Lose(Filter):
    """The next report of type `of` never was."""

    def __init__(self, of: bytes) -> None:
        self.of = of

    def apply(self, messages: list[bytes]) -> list[bytes]:
        out = []
        for message in messages:
            if not self.is_over and message[:1] == self.of:
                self.is_over = True
            else:
                out.append(message)
        return out


class Alter(Filter):
    """The next `count` messages that `alter` changes; None lets one pass."""

    def __init__(self, count: int, alter: Callable[[bytes], bytes | None]) -> None:
        self.left = count
        self.alter = alter

    @property
    def is_over(self) -> bool:  # type: ignore[override]
        return self.left == 0

    def apply(self, messages: list[bytes]) -> list[bytes]:
        return [self._altered(message) for message in messages]

    def _altered(self, message: bytes) -> bytes:
        altered = self.alter(message) if self.left else None
        if altered is None:
            return message
        self.left -= 1
        return altered


class FillFirst(Filter):
    """The first order that is filled in the turn of its Accepted: the Executed comes first."""

    def __init__(self, layout: Layout) -> None:
        self.order = layout.order

    def apply(self, messages: list[bytes]) -> list[bytes]:
        for at, ack in enumerate(messages):
            fill = self._next_fill(messages, at) if ack[:1] == ACCEPTED and not self.is_over else None
            if fill is not None:
                self.is_over = True
                return [*messages[:at], messages[fill], ack, *messages[at + 1 : fill], *messages[fill + 1 :]]
        return messages

    def _next_fill(self, messages: list[bytes], at: int) -> int | None:
        order = messages[at][self.order]
        later = range(at + 1, len(messages))
        return next((n for n in later if messages[n][:1] == EXECUTED and messages[n][self.order] == order), None)


class FillLast(Filter):
    """The fills of one order wait until its Canceled was said; `is_open` tells whether it may still be canceled.

    A fill that completes its order sets free those before it: nothing could follow them.
    """

    def __init__(self, layout: Layout, is_open: Callable[[bytes], bool]) -> None:
        self.order = layout.order
        self.is_open = is_open
        self.held: list[bytes] = []

    def apply(self, messages: list[bytes]) -> list[bytes]:
        out: list[bytes] = []
        for at, message in enumerate(messages):
            kind, is_of_held = message[:1], bool(self.held) and message[self.order] == self.held[0][self.order]
            if kind == EXECUTED and not self.is_over and (is_of_held or not self.held):
                self.held.append(message)
                if not self._may_be_canceled(message[self.order], messages[at + 1 :]):
                    out += self._take()
                continue
            out.append(message)
            if kind == CANCELED and is_of_held:
                out += self._take()
                self.is_over = True
        return out

    def release(self) -> list[bytes]:
        return self._take()

    def _may_be_canceled(self, order: bytes, later: list[bytes]) -> bool:
        return self.is_open(order) or any(m[:1] == CANCELED and m[self.order] == order for m in later)

    def _take(self) -> list[bytes]:
        held, self.held = self.held, []
        return held
