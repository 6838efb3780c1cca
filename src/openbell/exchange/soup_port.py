"""A port that speaks SoupBinTCP: who may connect, who has which stream, and when to look at whom.

Order entry, drop copy and GLIMPSE are services behind such ports. Work per message does not grow with the number of
connections: those with news are told by their streams, timers stand in a wheel. Strangers cannot crowd out anybody:
connections without a login are few and the oldest makes room, and each address connects at a bounded rate.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from openbell.errors import NetError, OpenbellError
from openbell.exchange.session_config import SoupSettings
from openbell.exchange.soup_connection import Connection, Login, Stream
from openbell.exchange.wheel import Wheel

ADDRESSES_MAX = 4096
"""Addresses whose rate of connecting is remembered; the one not seen for longest makes room."""
BACKLOG = 1024
SLOTS_PER_HEARTBEAT = 4


class Service(Protocol):
    """What is behind a port."""

    def authorize(self, login: Login) -> bool:
        """Whether user and password are right. Neither cares for case."""

    def open_stream(self, login: Login) -> Stream | None:
        """Return what the login reads; None when it asks for what is not there."""


@dataclass
class PortCounters:
    """What happened at a port."""

    logins: int = 0
    refused_logins: int = 0
    debug_packets: int = 0
    dropped: dict[str, int] = field(default_factory=dict)

    def count_drop(self, why: str) -> None:
        self.dropped[why] = self.dropped.get(why, 0) + 1


@dataclass(frozen=True)
class Host:
    """What a port asks of its exchange: `changed` when the venue was told something, `flush` to tell its news at once
    and not at the end of this turn, `fail` when it cannot go on."""

    changed: Callable[[], None]
    flush: Callable[[], None]
    fail: Callable[[OpenbellError], None]


class SoupPort:
    """A listener and its connections."""

    def __init__(
        self,
        name: str,
        service: Service,
        settings: SoupSettings,
        session: str,
        host: Host,
    ) -> None:
        self.name = name
        self.service = service
        self.settings = settings
        self.session = session
        self.host = host
        self.now = monotonic
        self.connections: set[Connection] = set()
        self.counters = PortCounters()
        self.has_ended = False
        self._waiting: OrderedDict[Connection, None] = OrderedDict()
        self._rates: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._wheel: Wheel[Connection] = Wheel(settings.heartbeat_ms / 1000 / SLOTS_PER_HEARTBEAT, self.now())
        self._server: asyncio.Server | None = None

    async def listen(self) -> str:
        """Bind, and return where.

        Raises:
            NetError: the address cannot be bound.
        """
        where = self.settings.listen
        try:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._connect, where.host, where.port, backlog=BACKLOG)
        except OSError as error:
            raise NetError(
                f"{self.name}: expected to bind {where}, found: {error.strerror}; is another exchange running? "
                f"change [{self.name}] listen, or use port 0"
            ) from None
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    def tick(self) -> None:
        """Look at the connections whose time has come; called a few times per heartbeat."""
        for connection in self._wheel.turn(self.now()):
            self._wheel.arm(connection, connection.tick())

    def end_session(self) -> None:
        """Tell every client that the session is over for good, after its last message, and close."""
        self.has_ended = True
        for connection in list(self.connections):
            connection.end_session()

    def cut_all(self) -> None:
        """Cut every connection as a process that dies does: nobody is told, and nothing follows for the streams."""
        for connection in list(self.connections):
            stream, connection.stream = connection.stream, None
            if stream:
                stream.connection = None
            connection.transport.abort()

    def close(self) -> None:
        """Stop listening and cut whoever is left."""
        if self._server:
            self._server.close()
        for connection in list(self.connections):
            connection.transport.abort()

    # ---- what connections ask ------------------------------------------------------------------

    def welcome(self, connection: Connection) -> None:
        """Take in a new connection or drop it; without a login it is one of few."""
        self.connections.add(connection)
        self._waiting[connection] = None
        if not self._is_in_rate(str(connection.transport.get_extra_info("peername")[0])):
            connection.drop("connects too often")
        elif len(self.connections) > self.settings.connections_max:
            connection.drop("too many connections")
        elif len(self._waiting) > self.settings.waiting_max:
            self._make_room()
        if not connection.transport.is_closing():
            self._wheel.arm(connection, connection.since + self.settings.login_timeout_ms / 1000)

    def give(self, stream: Stream, connection: Connection) -> None:
        """Give `stream` to `connection`; all that the old one has already sent us is done first."""
        if old := stream.connection:
            old.drain()
            old.drop("replaced by a new login")
        stream.connection = connection
        self.counters.logins += 1
        self._waiting.pop(connection, None)
        self._wheel.arm(connection, self.now() + self.settings.heartbeat_ms / 2000)

    def release(self, connection: Connection) -> None:
        """Take its stream from a connection that ends."""
        self._waiting.pop(connection, None)
        stream, connection.stream = connection.stream, None
        if stream is None or stream.connection is not connection:
            return
        stream.connection = None
        try:
            stream.released()
        except OpenbellError as error:
            self.host.fail(error)

    def forget(self, connection: Connection) -> None:
        """Drop what is known of a connection that has ended."""
        self._wheel.disarm(connection)
        self.connections.discard(connection)
        self.release(connection)

    def _make_room(self) -> None:
        """Drop who has waited for longest, unless its login is here and only was not read yet: after a restart all
        clients come at once."""
        oldest = next(iter(self._waiting))
        oldest.drain()
        if oldest in self._waiting:
            oldest.drop("made room")

    def _connect(self) -> Connection:
        return Connection(self)

    def _is_in_rate(self, address: str) -> bool:
        """Whether `address` may connect once more: a bucket that fills with the allowed rate and holds a second's."""
        now, rate = self.now(), self.settings.connects_per_s_max
        left, since = self._rates.pop(address, (float(rate), now))
        left = min(float(rate), left + (now - since) * rate)
        self._rates[address] = (max(left - 1, 0.0), now)
        if len(self._rates) > ADDRESSES_MAX:
            self._rates.popitem(last=False)
        return left >= 1
