"""Who may do what, to whom: the whole matrix. What does not stand here is denied; docs/control.md shows it."""

from __future__ import annotations

from enum import Enum, IntEnum


class Role(Enum):
    """What a person is for the node; `[[operators]] roles`."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    TRADER = "trader"
    RISK = "risk"


class ScopeKind(Enum):
    """What an act is about."""

    NODE = "node"
    STRATEGY = "strategy"
    INSTRUMENT = "instrument"


class Act(IntEnum):
    """What is done. The numbers stand in the journal (Operator records): append, never reuse."""

    LOOK = 1
    STOP = 2  # a kill of any level
    LOWER = 3  # arm to what holds already, or less
    RAISE = 4  # arm further, where nothing was killed, doubted or halted
    RELEASE = 5  # arm after a kill, a doubt or a halt
    BREAK_GLASS = 6  # arm over a doubt, for minutes
    TIGHTEN = 7
    LOOSEN = 8
    APPROVE = 9  # what somebody else proposed
    DENY = 10
    SIGNAL = 11  # send a strategy a value
    TUNE = 12  # change a strategy's parameters while it runs
    REPLACE = 13  # the class of a strategy, while its node runs
    ADJUST = 14  # a position, by hand


ALL = frozenset(Role)
STOPPERS = frozenset({Role.OPERATOR, Role.TRADER, Role.RISK})
DESK = frozenset({Role.TRADER, Role.RISK})
RISK = frozenset({Role.RISK})

MAY: dict[Act, dict[ScopeKind, frozenset[Role]]] = {
    Act.LOOK: {ScopeKind.NODE: ALL, ScopeKind.STRATEGY: ALL, ScopeKind.INSTRUMENT: ALL},
    Act.STOP: {ScopeKind.NODE: STOPPERS, ScopeKind.STRATEGY: STOPPERS, ScopeKind.INSTRUMENT: STOPPERS},
    Act.LOWER: {ScopeKind.NODE: STOPPERS, ScopeKind.STRATEGY: STOPPERS, ScopeKind.INSTRUMENT: STOPPERS},
    Act.RAISE: {ScopeKind.NODE: RISK, ScopeKind.STRATEGY: DESK, ScopeKind.INSTRUMENT: RISK},
    Act.RELEASE: {ScopeKind.NODE: STOPPERS, ScopeKind.STRATEGY: STOPPERS, ScopeKind.INSTRUMENT: STOPPERS},
    Act.BREAK_GLASS: {ScopeKind.NODE: STOPPERS, ScopeKind.STRATEGY: STOPPERS, ScopeKind.INSTRUMENT: STOPPERS},
    Act.TIGHTEN: {ScopeKind.NODE: DESK},
    Act.LOOSEN: {ScopeKind.NODE: DESK},
    Act.APPROVE: {ScopeKind.NODE: RISK, ScopeKind.STRATEGY: RISK, ScopeKind.INSTRUMENT: RISK},
    Act.SIGNAL: {ScopeKind.NODE: DESK, ScopeKind.STRATEGY: DESK},
    Act.TUNE: {ScopeKind.STRATEGY: DESK},
    Act.REPLACE: {ScopeKind.STRATEGY: DESK},
    Act.ADJUST: {ScopeKind.STRATEGY: DESK},
    Act.DENY: {ScopeKind.NODE: STOPPERS, ScopeKind.STRATEGY: STOPPERS, ScopeKind.INSTRUMENT: STOPPERS},
}

TWO_PEOPLE = frozenset({Act.RELEASE, Act.BREAK_GLASS, Act.LOOSEN, Act.REPLACE, Act.ADJUST})
"""What one person only proposes, and another one approves."""


def may(act: Act, scope: ScopeKind, roles: frozenset[Role]) -> bool:
    """Whether somebody with `roles` may do `act` to a `scope`, or propose it where it needs two people."""
    return bool(MAY.get(act, {}).get(scope, frozenset()) & roles)


def who_may(act: Act, scope: ScopeKind) -> str:
    """The roles that may, for messages."""
    return ", ".join(sorted(role.value for role in MAY.get(act, {}).get(scope, frozenset()))) or "nobody"
