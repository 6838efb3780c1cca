"""One SoupBinTCP client at a port: WAITING for a login, then LIVE with a stream.

A connection has no queue of its own: what it has to send stands in the log of its stream, and it sends while the socket
takes it. A client that falls too far behind, stays silent, or sends bytes that cannot be followed is dropped.
Source: SoupBinTCP 3.00.
"""

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from openbell._native import soup_login_accepted, soup_packet, soup_packets, soup_parse_login_request
from openbell.errors import OpenbellError

if TYPE_CHECKING:
    from openbell.exchange.soup_port import SoupPort

CLIENT_PAYLOAD_BYTES_MAX = 1024
"""Longest packet of a client: OUCH messages have at most a few hundred bytes, a longer one ends the connection."""
DRAIN_BYTES_MAX = 64 * 1024 * 1024
"""Most that is still read of a connection that has lost its stream."""
WRITE_BYTES = 128 * 1024
TURN_BYTES = 2 * WRITE_BYTES
"""Written to one connection before others get their turn."""
READ_BYTES = 256 * 1024

NOT_AUTHORIZED = soup_packet("J", b"A")
SESSION_NOT_AVAILABLE = soup_packet("J", b"S")
HEARTBEAT = soup_packet("H", b"")
HEARTBEAT_AFTER = 0.7
"""Of the interval: timers are up to a quarter of it late, heartbeats are not."""
END_OF_SESSION = soup_packet("Z", b"")
HEADER_BYTES = 3

Cut = Callable[[bytes], int | None]
"""Of the next message: None lets it pass, a number lets so many bytes of its packet pass and closes the connection."""


class Login(NamedTuple):
    """What a Login Request asks for."""

    user: str
    password: str
    session: str
    next_seq: int


class Log(Protocol):
    """Messages numbered from 1, as a venue keeps them."""

    @property
    def next_seq(self) -> int: ...

    def sequenced(self, from_seq: int, bytes_max: int) -> tuple[bytes, int]:
        """Return SoupBinTCP sequenced packets from `from_seq` on, and the number after the last."""


class Stream:
    """Numbered messages that a login reads, and where its own messages go; one connection at a time has it."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.connection: Connection | None = None
        self.cut: Cut | None = None

    @property
    def is_complete(self) -> bool:
        """True if nothing will be added: a client that has it all may log out, and is not kept for ever."""
        return False

    def receive(self, message: bytes) -> bool:  # noqa: ARG002
        """Take what the client says; False for bytes that cannot be followed. A stream that only tells takes none."""
        return False

    def released(self) -> None:
        """Its connection has ended."""

    def push(self) -> None:
        """Send what is new, if anybody listens."""
        if self.connection:
            self.connection.push()


class Connection(asyncio.Protocol):
    """One client; `port` decides who it may be."""

    def __init__(self, port: "SoupPort") -> None:
        self.port = port
        self.stream: Stream | None = None
        self.next_seq = 0
        self.is_caught_up = False
        self.is_paused = False
        self.is_mute = False
        self.armed_slot = 0
        self.closed = asyncio.Event()
        self._unread = b""
        self._push_is_due = False
        self.last_received = self.last_sent = self.paused_since = self.port.now()
        self.since = self.port.now()  # it connected, or had all there was

    # ---- asyncio calls these -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.port.welcome(self)

    def data_received(self, data: bytes) -> None:
        self.last_received = self.port.now()
        try:
            self._receive(data)
        except OpenbellError as error:
            self.port.host.fail(error)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if self.stream:
            self.drain()
        self.port.forget(self)
        self.closed.set()

    def pause_writing(self) -> None:
        self.is_paused = True
        self.paused_since = self.port.now()

    def resume_writing(self) -> None:
        self.is_paused = False
        self.push()

    # ---- what the port asks --------------------------------------------------------------------

    def push(self) -> None:
        """Send messages from the cursor on; a heartbeat says when there are no more."""
        stream = self.stream
        if stream is None or self.transport.is_closing():
            return
        end, written = stream.log.next_seq, 0
        while self.next_seq < end and not self.is_paused and not self.is_mute:
            if written >= TURN_BYTES:
                self._push_later()
                return
            data, next_seq = stream.log.sequenced(self.next_seq, WRITE_BYTES)
            if stream.cut and self._cut(stream, data):
                return
            self.next_seq = next_seq
            self.write(data)
            written += len(data)
        if self.next_seq == end and not self.is_caught_up:
            self.is_caught_up = True
            self.since = self.port.now()
            self.write(HEARTBEAT)
        if self.is_caught_up and end - self.next_seq > self.port.settings.lag_messages_max:
            self.drop("too slow")

    def _push_later(self) -> None:
        """Go on when others have had their turn."""
        if not self._push_is_due:
            self._push_is_due = True
            asyncio.get_running_loop().call_soon(self._push_now)

    def _push_now(self) -> None:
        self._push_is_due = False
        self.push()

    def tick(self) -> float:
        """Send a heartbeat or drop the client if it is time for that; return when to look again."""
        now, settings = self.port.now(), self.port.settings
        beat_s, dead_s = HEARTBEAT_AFTER * settings.heartbeat_ms / 1000, settings.dead_peer_ms / 1000
        if self.transport.is_closing():
            if now - self.last_sent >= dead_s:  # it does not even take the goodbye
                self.transport.abort()
            return now + dead_s
        if self.stream is None:
            if now - self.since >= settings.login_timeout_ms / 1000:
                self.drop("no login in time")
            return self.since + settings.login_timeout_ms / 1000
        if now - self.last_received >= dead_s:
            self.drop("silent")
        elif self.is_paused and now - self.paused_since >= dead_s:
            self.drop("does not read")
        elif self.stream.is_complete and self.is_caught_up and now - self.since >= settings.login_timeout_ms / 1000:
            self.drop("done")
        elif self.is_caught_up and now - self.last_sent >= beat_s:
            self.write(HEARTBEAT)
        return min(max(self.last_sent, now - beat_s / 2) + beat_s, self.last_received + dead_s)

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
        if not self.transport.is_closing():
            self.port.counters.count_drop(why)
            self.transport.abort()
        self.port.release(self)

    def end_session(self) -> None:
        """Say that the session is over for good and close, after what was said before."""
        if self.stream and self.is_caught_up:
            self.write(END_OF_SESSION)
        self.stream = None
        self.transport.close()

    def write(self, data: bytes) -> None:
        """Send `data`, unless a fault has made us mute."""
        if not self.is_mute:
            self.last_sent = self.port.now()
            self.transport.write(data)

    # ---- what the client says ------------------------------------------------------------------

    def _receive(self, data: bytes) -> None:
        stream_bytes = self._unread + data if self._unread else data
        packets, used, is_broken = soup_packets(stream_bytes, CLIENT_PAYLOAD_BYTES_MAX)
        self._unread = stream_bytes[used:]
        was_told = False
        for kind, payload in packets:
            if kind == "U" and self.stream:
                if not self.stream.receive(payload):
                    is_broken = True
                    break
                was_told = True
            elif not self._handle(kind, payload):
                break
        if was_told:
            self.port.host.changed()
        if is_broken:
            self.drop("malformed")

    def _handle(self, kind: str, payload: bytes) -> bool:
        """Handle a packet that is no message; False when the connection ends with it."""
        if kind == "L" and self.stream is None:
            return self._login(payload)
        if kind == "+":
            self.port.counters.debug_packets += 1
            return True
        if kind in "RL" and self.stream:  # a second login changes nothing
            return True
        self.push()  # what was said in the same breath as the goodbye is answered
        self.drop("logout" if kind == "O" else "malformed" if self.stream else "no login")
        return False

    def _login(self, payload: bytes) -> bool:
        fields = cast("tuple[str, str, str, int] | None", soup_parse_login_request(payload))
        login = Login(*fields) if fields else None
        if login is None or not self.port.service.authorize(login):
            return self._refuse(NOT_AUTHORIZED)
        if self.port.has_ended or (login.session and login.session != self.port.session):
            return self._refuse(SESSION_NOT_AVAILABLE)
        stream = self.port.service.open_stream(login)
        if stream is None:
            return self._refuse(SESSION_NOT_AVAILABLE)
        self.port.give(stream, self)
        self.port.host.flush()  # what the old connection has caused stands in the log
        end = stream.log.next_seq
        self.next_seq = login.next_seq if 0 < login.next_seq < end else end
        self.stream = stream
        self.write(soup_login_accepted(self.port.session, self.next_seq))
        self.push()
        return True

    def _refuse(self, answer: bytes) -> bool:
        self.port.counters.refused_logins += 1
        self.write(answer)
        self.transport.close()
        return False

    # ---- faults --------------------------------------------------------------------------------

    def _cut(self, stream: Stream, data: bytes) -> bool:
        """Send `data` up to where the fault cuts it, then close; False when it does not."""
        packets, _, _ = soup_packets(data, len(data))
        at = 0
        for _, message in packets:
            assert stream.cut
            passes = stream.cut(message)
            if passes is not None:
                stream.cut = None
                self.write(data[: at + passes])
                self.port.counters.count_drop("cut by a fault")
                self.transport.close()
                self.port.release(self)
                return True
            at += HEADER_BYTES + len(message)
        return False
