"""`[[sessions]]` of a node's file: where orders go, and which feeds tell of what is traded there."""

from collections.abc import Iterator, Sequence
from typing import Literal, Protocol

from pydantic import Field

from openbell.config import Problem, Settings
from openbell.config_types import NAME_PATTERN, Address, AddressText, SecretText
from openbell.node.reconciliation import ReconciliationSettings

SESSIONS_MAX = 16
FEEDS_MAX = 48
COMPARED_NAME_MAX = 20
RATE_MAX = 1_000_000
"""Messages a second that the perimeter can count; native/venue/gate.h."""
CANCELS_ARE_ONE_OF = 5
"""Messages that a venue takes: so many of them are kept for cancels where the file does not say how many."""


class SessionSettings(Settings):
    """`[[sessions]]`: an order-entry session at a venue."""

    name: str = Field(pattern=NAME_PATTERN)
    feeds: tuple[str, ...] = Field(
        default=(), max_length=FEEDS_MAX, description="whose instruments it trades; absent: of all, as the only session"
    )
    kind: Literal["ouch42_soupbintcp"]
    connect: AddressText
    user: str = Field(min_length=1, max_length=6)
    password: SecretText = Field(description='"env:NAME" or "file:PATH"')
    firm: str = Field(default="", max_length=4)
    messages_per_second_max: int = Field(
        ge=0, le=RATE_MAX, description="the venue's own limit, cancels included; 0: it has none"
    )
    cancels_reserved: int | None = Field(
        default=None, ge=1, le=RATE_MAX, description="of those messages, kept for cancels; absent: a fifth, at least 1"
    )
    reconnect_ms: int = Field(default=250, ge=1, le=60_000, description="after the first failure; doubled by each one")
    reconnect_max_ms: int = Field(default=10_000, ge=1, le=600_000, description="the longest wait for the next try")
    reconciliation: ReconciliationSettings | None = None
    unreconciled: bool = Field(default=False, description="our books are compared with nobody's there, on purpose")

    @property
    def messages_for_cancels(self) -> int:
        """Of `messages_per_second_max`: new orders leave them free, so that a kill's first cancels leave at once.

        A share and no required key: a venue states its limit, how much of it a stop needs nobody states, and a file
        that forgets it must not be the one whose orders use up the second in which everything is to be cancelled.
        """
        if self.cancels_reserved is not None:
            return self.cancels_reserved
        return max(1, self.messages_per_second_max // CANCELS_ARE_ONE_OF) if self.messages_per_second_max else 0


class Login(Protocol):
    """What names a server and a secret."""

    @property
    def connect(self) -> Address: ...
    @property
    def password(self) -> SecretText: ...


def check_sessions(sessions: Sequence[SessionSettings], feeds: Sequence[str], mode: str) -> Iterator[Problem]:
    """Yield a live node without a session, rates that leave nothing for orders, feeds that nobody or two trade."""
    if mode == "live" and not sessions:
        yield Problem(("node", "mode"), 'expected a [[sessions]] table for mode "live", found none')
    for index, session in enumerate(sessions):
        where = ("sessions", index)
        yield from check_exposed(where, session)
        if session.messages_for_cancels and session.messages_for_cancels >= session.messages_per_second_max:
            yield _too_few_messages(where, session)
        if session.reconnect_max_ms < session.reconnect_ms:
            yield Problem((*where, "reconnect_max_ms"), f"expected at least reconnect_ms, {session.reconnect_ms}")
        if session.reconciliation is not None:
            yield from (Problem((*where, *path), said) for path, said in session.reconciliation.cross_check())
    yield from _feeds_once(sessions, feeds)
    yield from _told_apart(sessions)


def _too_few_messages(where: tuple[str | int, ...], session: SessionSettings) -> Problem:
    most = session.messages_per_second_max
    if session.cancels_reserved is None:
        key, said = "messages_per_second_max", f"expected 0 or at least 2, found {most}: one is kept for a cancel"
    else:
        key, said = "cancels_reserved", f"expected less than messages_per_second_max, {most}"
    return Problem((*where, key), f"{said}; something has to be left for orders")


def check_compared(sessions: Sequence[SessionSettings], has_table: bool, mode: str) -> Iterator[Problem]:
    """Yield a live session whose books nobody compares, without the word for it; and the word where somebody does.

    `has_table`: `[reconciliation]` stands for all of them.
    """
    for index, session in enumerate(sessions):
        is_compared = has_table or session.reconciliation is not None
        if session.unreconciled and is_compared:
            where = ("sessions", index, "unreconciled")
            yield Problem(where, "a reconciliation compares its books; take the word or the table out")
        elif mode == "live" and not session.unreconciled and not is_compared:
            yield Problem(
                ("sessions", index),
                f"expected [sessions.reconciliation] of session {session.name!r} (venue or drop copy that states its "
                "books), or unreconciled = true, found neither: a difference would go unseen; say which is meant",
            )


def _told_apart(sessions: Sequence[SessionSettings]) -> Iterator[Problem]:
    """Yield accounts of two sessions, where each login ends the other's, and names that no record of a break holds."""
    seen: dict[tuple[str, str], str] = {}
    for index, session in enumerate(sessions):
        login = str(session.connect), session.user.upper()
        if login in seen:
            yield Problem(
                ("sessions", index, "user"),
                f"expected an account of its own, found that of session {seen[login]!r} at {session.connect}: each "
                "login would end the other's",
            )
        seen.setdefault(login, session.name)
        if len(sessions) > 1 and session.reconciliation is not None and len(session.name) > COMPARED_NAME_MAX:
            yield Problem(
                ("sessions", index, "name"),
                f"expected at most {COMPARED_NAME_MAX} characters, found {len(session.name)}: it stands in every "
                "break of its reconciliation",
            )


def _feeds_once(sessions: Sequence[SessionSettings], feeds: Sequence[str]) -> Iterator[Problem]:
    traded: dict[str, str] = {}
    known = ", ".join(feeds)
    for index, session in enumerate(sessions):
        where = ("sessions", index, "feeds")
        if len(sessions) > 1 and not session.feeds:
            yield Problem(where, f"expected some of {known}, found none: of several sessions each names its feeds")
        for name in session.feeds:
            if name not in feeds:
                yield Problem(where, f"expected some of {known}, found {name!r}")
            elif name in traded:
                yield Problem(where, f"{name!r} is traded by session {traded[name]!r} already: a feed has one session")
            traded.setdefault(name, session.name)


def check_exposed(where: tuple[str | int, ...], login: Login) -> Iterator[Problem]:
    """Yield a credential that stands in the file and would leave this machine."""
    if login.password.is_plain and not login.connect.is_loopback:
        yield Problem(
            (*where, "password"),
            f'"plain:" is for loopback demos and {login.connect.host} is not loopback; write "env:NAME" or "file:PATH"',
        )
