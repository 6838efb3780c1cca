"""Order entry: SoupBinTCP sessions, one per account, each a cursor into the account's log of reports.

A connection has no queue of its own: what it has to send stands in the venue's log, and it sends while the socket
takes it. A client that falls too far behind, stays silent, or sends bytes that cannot be followed is dropped.
Source: SoupBinTCP 3.00.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from openbell._native import (
    VenueCore,
    soup_login_accepted,
    soup_packet,
    soup_packets,
    soup_parse_login_request,
)
from openbell.exchange.config import AccountSettings, OrderEntrySettings

CLIENT_PAYLOAD_BYTES_MAX = 1024
"""Longest packet of a client: OUCH messages have 49 bytes, a debug packet is cut here."""
DRAIN_BYTES_MAX = 64 * 1024 * 1024
"""Most that is still read of a connection that has lost its account."""
WRITE_BYTES = 64 * 1024
READ_BYTES = 256 * 1024

NOT_AUTHORIZED = soup_packet("J", b"A")
SESSION_NOT_AVAILABLE = soup_packet("J", b"S")
HEARTBEAT = soup_packet("H", b"")
END_OF_SESSION = soup_packet("Z", b"")


class Login(NamedTuple):
    """What a Login Request asks for."""

    user: str
    password: str
    session: str
    next_seq: int


@dataclass
class Account:
    """A configured account: its number at the venue and the connection that has it."""

    number: int
    settings: AccountSettings
    password: str
    connection: "Connection | None" = None


@dataclass
class OrderEntryCounters:
    """What happened at the door."""

    logins: int = 0
    refused_logins: int = 0
    dropped: dict[str, int] = field(default_factory=dict)


class OrderEntry:
    """All accounts and connections. `changed` is called after the venue has been told something."""

    def __init__(
        self,
        venue: VenueCore,
        settings: OrderEntrySettings,
        session: str,
        clock: Callable[[], int],
        changed: Callable[[], None],
        guard: Callable[[Callable[[], None]], None],
    ) -> None:
        self.venue = venue
        self.settings = settings
        self.session = session
        self.clock = clock
        self.changed = changed
        self.guard = guard
        self.accounts: dict[str, Account] = {}
        self.connections: set[Connection] = set()
        self.counters = OrderEntryCounters()
        self.first_login = asyncio.Event()

    def add_account(self, settings: AccountSettings) -> None:
        number = self.venue.add_account(internal=False)
        self.accounts[settings.name.upper()] = Account(number, settings, settings.password.read().upper())

    def connect(self) -> "Connection":
        """Return the protocol of a new connection."""
        return Connection(self)

    def push(self) -> None:
        """Send what is new to every account that listens."""
        for account in self.accounts.values():
            if account.connection:
                account.connection.push()

    def tick(self) -> None:
        """Send heartbeats and drop the silent; called a few times per heartbeat."""
        for connection in list(self.connections):
            connection.tick()

    def authorize(self, login: Login) -> Account | None:
        """Return the account, None for an unknown name or a wrong password. Neither cares for case."""
        account = self.accounts.get(login.user.upper())
        return account if account and account.password == login.password.upper() else None

    def take_over(self, account: Account, connection: "Connection") -> None:
        """Give `account` to `connection`; all that the old one has already sent us is done first."""
        if old := account.connection:
            old.drain()
            old.drop("replaced by a new login")
        account.connection = connection
        self.counters.logins += 1
        self.first_login.set()

    def release(self, connection: "Connection") -> None:
        """Take its account from a connection that ended; cancel its orders if the account wants that."""
        account, connection.account = connection.account, None
        if account is None or account.connection is not connection:
            return
        account.connection = None
        if account.settings.cancel_on_disconnect:
            self.venue.cancel_all(account.number, self.clock())
            self.changed()

    def end_session(self) -> None:
        """Tell every client that the session is over for good, after its last report, and close."""
        for connection in list(self.connections):
            connection.end_session()


class Connection(asyncio.Protocol):
    """One client: WAITING for a login, then LIVE with an account."""

    def __init__(self, door: OrderEntry) -> None:
        self.door = door
        self.account: Account | None = None
        self.stream = b""
        self.next_seq = 0
        self.caught_up = False
        self.paused = False
        self.closed = asyncio.Event()
        now = self._now()
        self.last_received = self.last_sent = self.since = self.paused_since = now

    # ---- asyncio calls these -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.door.connections.add(self)
        if len(self.door.connections) > self.door.settings.connections_max:
            self.drop("too many connections")

    def data_received(self, data: bytes) -> None:
        self.last_received = self._now()
        self.door.guard(lambda: self._receive(data))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if self.account:
            self.drain()
        self.door.connections.discard(self)
        self.door.guard(lambda: self.door.release(self))
        self.closed.set()

    def pause_writing(self) -> None:
        self.paused = True
        self.paused_since = self._now()

    def resume_writing(self) -> None:
        self.paused = False
        self.push()

    # ---- what the door asks --------------------------------------------------------------------

    def push(self) -> None:
        """Send reports from the cursor on; a heartbeat says when there are no more."""
        if self.account is None or self.transport.is_closing():
            return
        end = self.door.venue.reports(self.account.number).next_seq
        while self.next_seq < end and not self.paused:
            data, self.next_seq = self.door.venue.reports(self.account.number).sequenced(self.next_seq, WRITE_BYTES)
            self._write(data)
        if self.next_seq == end and not self.caught_up:
            self.caught_up = True
            self._write(HEARTBEAT)
        if self.caught_up and end - self.next_seq > self.door.settings.lag_messages_max:
            self.drop("too slow")

    def tick(self) -> None:
        now, settings = self._now(), self.door.settings
        if self.account is None:
            if now - self.since > settings.login_timeout_ms / 1000:
                self.drop("no login in time")
            return
        if now - self.last_received > settings.dead_peer_ms / 1000:
            self.drop("silent")
        elif self.paused and now - self.paused_since > settings.dead_peer_ms / 1000:
            self.drop("does not read")
        elif self.caught_up and now - self.last_sent >= settings.heartbeat_ms / 1000:
            self._write(HEARTBEAT)

    def drain(self) -> None:
        """Do all that the client has already sent and we have not yet read."""
        socket = self.transport.get_extra_info("socket")
        drained = 0
        while socket.fileno() >= 0 and drained < DRAIN_BYTES_MAX:
            try:
                data = os.read(socket.fileno(), READ_BYTES)
            except OSError:  # nothing more, or the peer reset the connection
                return
            if not data:
                return
            drained += len(data)
            self.data_received(data)

    def drop(self, why: str) -> None:
        """Close at once; what is on its way to the client is lost, its log is not."""
        dropped = self.door.counters.dropped
        dropped[why] = dropped.get(why, 0) + 1
        self.door.release(self)
        self.transport.abort()

    def end_session(self) -> None:
        if self.account and self.caught_up:
            self._write(END_OF_SESSION)
        self.account = None
        self.transport.close()

    # ---- what the client says ------------------------------------------------------------------

    def _receive(self, data: bytes) -> None:
        packets, used, broken = soup_packets(self.stream + data, CLIENT_PAYLOAD_BYTES_MAX)
        self.stream = (self.stream + data)[used:]
        told = False
        for kind, payload in packets:
            if kind == "U" and self.account:
                if not self.door.venue.receive(self.account.number, payload, self.door.clock()):
                    broken = True
                    break
                told = True
            elif not self._handle(kind, payload):
                break
        if told:
            self.door.changed()
        if broken:
            self.drop("malformed")

    def _handle(self, kind: str, payload: bytes) -> bool:
        """Handle a packet that is no order; False when the connection ends with it."""
        if kind == "L" and self.account is None:
            return self._login(payload)
        if kind == "O" or self.account is None:
            self.drop("logout" if kind == "O" else "no login")
            return False
        return True  # heartbeats, debug text, and a second login, which changes nothing

    def _login(self, payload: bytes) -> bool:
        fields = cast("tuple[str, str, str, int] | None", soup_parse_login_request(payload))
        login = Login(*fields) if fields else None
        account = self.door.authorize(login) if login else None
        if login is None or account is None:
            return self._refuse(NOT_AUTHORIZED)
        if login.session and login.session != self.door.session:
            return self._refuse(SESSION_NOT_AVAILABLE)
        self.door.take_over(account, self)
        end = self.door.venue.reports(account.number).next_seq
        self.next_seq = login.next_seq if 0 < login.next_seq < end else end
        self.account = account
        self._write(soup_login_accepted(self.door.session, self.next_seq))
        self.push()
        return True

    def _refuse(self, answer: bytes) -> bool:
        self.door.counters.refused_logins += 1
        self._write(answer)
        self.transport.close()
        return False

    def _write(self, data: bytes) -> None:
        self.last_sent = self._now()
        self.transport.write(data)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
