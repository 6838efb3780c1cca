"""What one person has proposed and another one may approve: kept for ten minutes, used once.

Time is an argument, in ns of a clock that nobody can set. Proposals live in this process: one that dies forgets them,
and what was not approved by then has to be proposed again.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, NamedTuple

from openbell.errors import OpenbellError
from openbell.ops.control.permissions import Act, ScopeKind

VALID_FOR_NS = 10 * 60 * 10**9
OPEN_MAX = 32
ENDED_MAX = 1_024
"""Proposals that are remembered after their end, so that a replay is told what became of the first."""


class Seen(NamedTuple):
    """What stood when something was proposed: a proposal is about that, and about nothing that came later."""

    kills: int
    stops: int
    in_doubt: list[str]
    adjusted: int


class RefusedError(OpenbellError):
    """A request that is not carried out; the message says what, where and the next step."""


@dataclass(frozen=True)
class Person:
    """Who asks: the kernel's user id, and what the node's file says about it."""

    uid: int
    name: str


@dataclass(frozen=True)
class Proposal:
    """One change, exactly as it will be made."""

    id: str
    act: Act
    scope: ScopeKind
    target: str
    proposer: Person
    says: tuple[str, ...]
    why: str
    made_ns: int
    change: Any = None

    @property
    def expires_ns(self) -> int:
        """When it can no longer be approved."""
        return self.made_ns + VALID_FOR_NS

    def shown(self, now_ns: int) -> dict[str, Any]:
        """As other people see it before they approve."""
        return {
            "id": self.id,
            "act": self.act.name.lower(),
            "target": self.target,
            "proposer": self.proposer.name,
            "says": list(self.says),
            "why": self.why,
            "expires_in_s": max(0, (self.expires_ns - now_ns) // 10**9),
        }


class Proposals:
    """The open ones by id, and what became of the others."""

    def __init__(self) -> None:
        self._open: dict[str, Proposal] = {}
        self._ended: OrderedDict[str, str] = OrderedDict()

    def add(self, proposal: Proposal, now_ns: int) -> Proposal:
        """Keep it.

        Raises:
            RefusedError: too many are open.
        """
        self._expire(now_ns)
        if len(self._open) >= OPEN_MAX:
            raise RefusedError(
                f"expected at most {OPEN_MAX} open proposals, found {len(self._open)}; approve or deny some first"
            )
        self._open[proposal.id] = proposal
        return proposal

    def open(self, now_ns: int) -> list[Proposal]:
        """Those that can be approved, the oldest first."""
        self._expire(now_ns)
        return list(self._open.values())

    def look(self, number: str, now_ns: int) -> Proposal:
        """The open proposal of that id.

        Raises:
            RefusedError: there is none, and why.
        """
        self._expire(now_ns)
        if proposal := self._open.get(number):
            return proposal
        became = self._ended.get(number, "was never made here, or before the control process last started")
        raise RefusedError(f"proposal {number[:40]!r}: expected an open one, but it {became}; propose it again")

    def approve(self, number: str, approver: Person, now_ns: int) -> Proposal:
        """Take it: it is used up, whatever comes of it.

        Raises:
            RefusedError: it is not open, or it is the approver's own.
        """
        proposal = self.look(number, now_ns)
        if proposal.proposer.uid == approver.uid:
            raise RefusedError(
                f"proposal {proposal.id}: expected the approval of another person than {proposal.proposer.name} "
                f"(uid {approver.uid}), who proposed it; ask somebody with role risk"
            )
        return self._end(proposal, f"was approved by {approver.name}")

    def deny(self, number: str, by: Person, now_ns: int) -> Proposal:
        """End it unused.

        Raises:
            RefusedError: it is not open.
        """
        return self._end(self.look(number, now_ns), f"was denied by {by.name}")

    def _expire(self, now_ns: int) -> None:
        for proposal in [p for p in self._open.values() if now_ns >= p.expires_ns]:
            self._end(proposal, "has expired after 10 minutes")

    def _end(self, proposal: Proposal, became: str) -> Proposal:
        del self._open[proposal.id]
        self._ended[proposal.id] = became
        if len(self._ended) > ENDED_MAX:
            self._ended.popitem(last=False)
        return proposal
