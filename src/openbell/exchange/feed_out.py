"""The feed's sockets: every datagram on every line, heartbeats, and the answers to requests.

Datagrams leave through one socket, which also takes the requests of all lines; what the system refuses to take is
counted and left to retransmission. Source: MoldUDP64 1.00.
"""

import asyncio
import socket
from time import monotonic
from typing import Any

from openbell._native import Publisher, VenueCore
from openbell.config_types import Address
from openbell.errors import NetError
from openbell.exchange.feed_config import FeedOutSettings
from openbell.exchange.lines import Line, Receiver

REQUEST_BYTES_MAX = 2048
REQUESTS_PER_TURN_MAX = 256
"""Requests answered before other work gets its turn."""
END_OF_SESSION_INTERVAL_S = 0.1
MULTICAST_TTL = 1
SEND_BUFFER_BYTES = 4 * 1024 * 1024


class FeedOut:
    """Publishes a venue's ITCH messages; while `is_paused` it says nothing, and all of it afterwards."""

    def __init__(self, venue: VenueCore, settings: FeedOutSettings, session: str) -> None:
        self.publisher = Publisher(venue, session)
        self.settings = settings
        self.lines = {line.name: Line(line, self._send) for line in settings.all_lines}
        self.is_paused = False
        self.packets = self.requests = self.answers = 0
        self._last_sent = 0.0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def open(self) -> None:
        """Bind, and begin to answer requests.

        Raises:
            NetError: the address of the requests cannot be bound, or a receiver has no address.
        """
        where = self.settings.retransmit
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SEND_BUFFER_BYTES)
            self._socket.bind((where.host, where.port))
        except OSError as error:
            raise NetError(
                f"feed: expected to bind {where}, found: {error}; "
                "is another exchange running? change [feed] retransmit, or use port 0"
            ) from None
        for line in self.settings.all_lines:
            for address in line.send_to:
                self.add_receiver(line.name, address)
        asyncio.get_running_loop().add_reader(self._socket, self._answer_requests)

    @property
    def retransmit(self) -> Address:
        host, port = self._socket.getsockname()
        return Address(host, port)

    def add_receiver(self, line: str, address: Address) -> None:
        """Let the receiver at `address` hear a line from now on.

        Raises:
            NetError: it cannot be reached, or the line has all the receivers it may have.
        """
        if address.is_multicast:
            try:
                self._join_multicast()
            except OSError as error:
                raise NetError(
                    f"feed: expected [feed] interface to be an address of this machine, found "
                    f"{self.settings.interface!r} ({error})"
                ) from None
        self.lines[line].add(address)

    def publish(self) -> None:
        """Send everything that is new."""
        while not self.is_paused and (packet := self.publisher.next_packet()):
            self.packets += 1
            self._send_on_all_lines(packet)

    def tick(self) -> None:
        """Send a heartbeat if nothing else was sent for its time."""
        if not self.is_paused and monotonic() - self._last_sent >= self.settings.heartbeat_ms / 1000:
            self._send_on_all_lines(self.publisher.heartbeat())

    def status(self) -> dict[str, Any]:
        """Return what was sent and asked for, and how every line is."""
        counters = {name: getattr(self, name) for name in ("packets", "requests", "answers")}
        lines = {name: line.status() for name, line in self.lines.items()}
        return {**counters, "paused": self.is_paused, "lines": lines}

    async def end_session(self) -> None:
        """Say what is left, then repeat the end of the session for its time; requests are still answered."""
        self.is_paused = False
        self.publish()
        loop = asyncio.get_running_loop()
        end = loop.time() + self.settings.linger_ms / 1000
        self._send_on_all_lines(self.publisher.end_of_session())
        while (left := end - loop.time()) > 0:
            await asyncio.sleep(min(left, END_OF_SESSION_INTERVAL_S))
            self._send_on_all_lines(self.publisher.end_of_session())
        for line in self.lines.values():
            line.flush()

    def close(self) -> None:
        """Close the socket; closing twice does nothing."""
        if self._socket.fileno() < 0:
            return
        for line in self.lines.values():
            line.close()
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _join_multicast(self) -> None:
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, MULTICAST_TTL)
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        interface = socket.inet_aton(self.settings.interface)
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, interface)

    def _send_on_all_lines(self, packet: bytes) -> None:
        self._last_sent = monotonic()
        for line in self.lines.values():
            line.publish(packet)

    def _send(self, packet: bytes, receiver: Receiver) -> bool:
        try:
            self._socket.sendto(packet, receiver)
        except OSError:  # full buffers, or nobody there: the receiver will ask
            return False
        return True

    def _answer_requests(self) -> None:
        for _ in range(REQUESTS_PER_TURN_MAX):
            try:
                request, client = self._socket.recvfrom(REQUEST_BYTES_MAX)
            except OSError:  # no more requests
                return
            self.requests += 1
            if answer := self.publisher.answer(request):
                self.answers += 1
                self._send(answer, client)
