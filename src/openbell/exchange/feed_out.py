"""The feed's sockets: every datagram once to every receiver, heartbeats, and the answers to requests.

Datagrams leave through one socket, which also takes the requests; what the system refuses to take is counted and left
to retransmission. Source: MoldUDP64 1.00.
"""

import asyncio
import socket

from openbell._native import Publisher, VenueCore
from openbell.config_types import Address
from openbell.errors import NetError
from openbell.exchange.config import FeedOutSettings

REQUEST_BYTES_MAX = 2048
REQUESTS_PER_TURN_MAX = 256
"""Requests answered before other work gets its turn."""
END_OF_SESSION_INTERVAL_S = 0.1
MULTICAST_TTL = 1
SEND_BUFFER_BYTES = 4 * 1024 * 1024


class FeedOut:
    """Publishes a venue's ITCH messages."""

    def __init__(self, venue: VenueCore, settings: FeedOutSettings, session: str) -> None:
        self.publisher = Publisher(venue, session)
        self.settings = settings
        self.receivers: list[tuple[str, int]] = []
        self.packets = self.unsent = self.requests = self.answers = 0
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
            if any(address.is_multicast for address in self.settings.send_to):
                self._join_multicast()
            self.receivers = [(socket.gethostbyname(a.host), a.port) for a in self.settings.send_to]
        except OSError as error:
            raise NetError(
                f"feed: expected to bind {where} and to reach every [feed] send_to, found: {error}; "
                "is another exchange running? change [feed] retransmit, or use port 0"
            ) from None
        asyncio.get_running_loop().add_reader(self._socket, self._answer_requests)

    @property
    def retransmit(self) -> Address:
        host, port = self._socket.getsockname()
        return Address(host, port)

    def publish(self) -> None:
        """Send everything that is new."""
        while packet := self.publisher.next_packet():
            self.packets += 1
            self._send_to_all(packet)

    def tick(self) -> None:
        """Send a heartbeat if nothing else was sent for its time."""
        if asyncio.get_running_loop().time() - self._last_sent >= self.settings.heartbeat_ms / 1000:
            self._send_to_all(self.publisher.heartbeat())

    def counters(self) -> dict[str, int]:
        """Return what was sent and asked for."""
        return {name: getattr(self, name) for name in ("packets", "unsent", "requests", "answers")}

    async def end_session(self) -> None:
        """Repeat the end of the session for its time; requests are still answered."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self.settings.linger_ms / 1000
        self._send_to_all(self.publisher.end_of_session())
        while (left := end - loop.time()) > 0:
            await asyncio.sleep(min(left, END_OF_SESSION_INTERVAL_S))
            self._send_to_all(self.publisher.end_of_session())

    def close(self) -> None:
        """Close the socket; closing twice does nothing."""
        if self._socket.fileno() < 0:
            return
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _join_multicast(self) -> None:
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, MULTICAST_TTL)
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        interface = socket.inet_aton(self.settings.interface)
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, interface)

    def _send_to_all(self, packet: bytes) -> None:
        self._last_sent = asyncio.get_running_loop().time()
        for receiver in self.receivers:
            self._send(packet, receiver)

    def _send(self, packet: bytes, receiver: tuple[str, int]) -> None:
        try:
            self._socket.sendto(packet, receiver)
        except OSError:  # full buffers, or nobody there: the receiver will ask
            self.unsent += 1

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
