"""The clients of the soak: each follows its script, keeps every report it hears, and goes on where it was cut.

A client may lose its connection at any byte. It logs in again with the number of the report it wants next, hears what
it has missed up to the first heartbeat, and sends again whatever comes after the last message that was answered: what
the venue has done already it ignores, as OUCH says.
"""

import socket
import struct
from pathlib import Path

from bench.exchange_soak.languages import ANSWERS
from bench.exchange_soak.scripts import Script
from openbell._native import soup_login_request, soup_packet, soup_packets, soup_parse_login_accepted

PASSWORD = "soak"
READ_BYTES = 1 << 18
TIMEOUT_S = 60.0
PAYLOAD_BYTES_MAX = 0xFFFE
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class LostError(Exception):
    """A session was told something that cannot be."""


class Session:
    """One account's client; `heard` is the file of its reports, as they came."""

    def __init__(self, name: str, script: Script, heard: Path) -> None:
        self.name = name
        self.script = script
        self.heard = heard
        self.next_seq = 1
        self.answered = 0
        self.orders = 0
        self.sent = 0
        self.is_live = False
        self.socket: socket.socket | None = None
        self._unread = b""
        self._file = heard.open("ab", buffering=1 << 16)

    @property
    def is_done(self) -> bool:
        """Whether everything was sent, and its last order answered."""
        return self.is_live and self.answered == self.script.messages

    def connect(self, address: tuple[str, int]) -> socket.socket:
        """Log in where we were."""
        self.socket = socket.create_connection(address, timeout=TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.is_live = False
        self._unread = b""
        self.socket.sendall(soup_login_request(self.name, PASSWORD, "", self.next_seq))
        return self.socket

    def cut(self, *, by_reset: bool = False) -> None:
        """Close the connection, whatever is on its way; with a reset what we have not read is lost."""
        if self.socket:
            if by_reset:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            self.socket.close()
        self.socket = None
        self.is_live = False

    def take(self, data: bytes) -> None:
        """Hear `data`.

        Raises:
            LostError: it is not what a venue says to a client that has heard everything up to here.
        """
        packets, used, is_broken = soup_packets(self._unread + data, PAYLOAD_BYTES_MAX)
        if is_broken:
            raise LostError(f"{self.name}: expected SoupBinTCP packets, found other bytes")
        self._unread = (self._unread + data)[used:]
        reports = [payload for kind, payload in packets if kind == "S"]
        if len(reports) < len(packets):
            for kind, payload in packets:
                if kind != "S":
                    self._hear_session(kind, payload)
        self._keep(reports)
        if not self.is_live and any(kind == "H" for kind, _ in packets):
            self.is_live = True  # the first heartbeat: there are no more
            self.sent = self.answered

    def send_more(self) -> None:
        """Send the next part of the script once all that was sent is answered."""
        if self.socket and self.is_live and self.answered == self.sent < self.script.messages:
            data, self.sent = self.script.chunk(self.sent)
            self.socket.sendall(data)

    def close(self) -> None:
        """End, and leave the reports in their file."""
        self.cut()
        self._file.close()

    def flush(self) -> None:
        """Write down what was heard."""
        self._file.flush()

    def _hear_session(self, kind: str, payload: bytes) -> None:
        if kind == "A":
            _, seq = soup_parse_login_accepted(payload)
            if seq != self.next_seq:
                raise LostError(f"{self.name}: expected to go on with report {self.next_seq}, found {seq}")
        elif kind != "H":
            raise LostError(f"{self.name}: expected reports, found packet {kind!r} {payload!r}")

    def _keep(self, reports: list[bytes]) -> None:
        if not reports:
            return
        self.next_seq += len(reports)
        self._file.write(b"".join([soup_packet("S", report) for report in reports]))
        for report in reversed(reports):
            if report[0] in ANSWERS:
                self.orders = self.script.language.answered(report)
                self.answered = self.script.after[self.orders]
                return
