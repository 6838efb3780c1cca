"""A drop copy: what the venue tells accounts, heard on a login of its own over SoupBinTCP.

Each message is an account's name, then the report as that account was told it (docs/exchange-operations.md):

    | account 10, padded with blanks | a message of OUCH 4.2 ... |
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import cast

from openbell._native import soup_login_request, soup_packet, soup_packets, soup_parse_login_accepted
from openbell.config_types import Address
from openbell.errors import NetError

ACCOUNT_CHARS = 10
CONNECT_WITHIN_S = 0.5
RECEIVE_BYTES = 1 << 16
RECEIVES_PER_POLL = 64
PAYLOAD_BYTES_MAX = 512
HEARTBEAT_EVERY_S = 1.0


def split_copy(payload: bytes) -> tuple[str, bytes]:
    """(account, report) of one message."""
    return payload[:ACCOUNT_CHARS].decode("ascii", "replace").rstrip(), payload[ACCOUNT_CHARS:]


class DropCopyLink:
    """The login: a socket that is read without waiting, and kept alive.

    `hear` takes each message in order. `next_seq` is the number of the first; 0: those from now on.
    """

    def __init__(
        self,
        address: Address,
        user: str,
        password: str,
        hear: Callable[[bytes], None],
        *,
        next_seq: int = 1,
        connect_within_s: float = CONNECT_WITHIN_S,
    ) -> None:
        self.next_seq = next_seq
        self.session = ""
        self.is_up = False
        self._address, self._user, self._password, self._hear = address, user, password, hear
        self._connect_within_s = connect_within_s
        self._socket: socket.socket | None = None
        self._pending = b""
        self._said_at_s = 0.0

    def connect(self) -> None:
        """Log in for the first message that was not heard yet.

        Raises:
            NetError: nobody answers at the address.
        """
        self.close()
        login = soup_login_request(self._user, self._password, self.session, self.next_seq)
        try:
            self._socket = socket.create_connection((self._address.host, self._address.port), self._connect_within_s)
            self._socket.sendall(login)
        except OSError as error:
            self.close()
            raise NetError(
                f"drop copy {self._user}: expected a venue at {self._address}, found {error}; "
                "is it running, is the port right?"
            ) from None
        self._socket.setblocking(False)

    def poll(self, now_s: float) -> int:
        """Hear what has come; return how many messages.

        Raises:
            NetError: the login was refused, or the connection has ended; `connect` goes on where this stopped.
        """
        if self._socket is None:
            raise NetError(f"drop copy {self._user}: not connected; call connect")
        if now_s - self._said_at_s >= HEARTBEAT_EVERY_S:
            self._said_at_s = now_s
            self._send(soup_packet("R", b""))
        heard = 0
        for _ in range(RECEIVES_PER_POLL):
            if not (data := self._receive()):
                break
            heard += self._take(data)
        return heard

    def close(self) -> None:
        """End the connection; closing twice does nothing."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self.is_up, self._pending = None, False, b""

    def _take(self, data: bytes) -> int:
        packets, used, is_broken = soup_packets(self._pending + data, PAYLOAD_BYTES_MAX)
        self._pending = (self._pending + data)[used:]
        heard = 0
        for kind, payload in packets:
            if kind == "A":
                self.session, self.next_seq = cast(tuple[str, int], soup_parse_login_accepted(payload))
                self.is_up = True
            elif kind == "S":
                self.next_seq += 1
                heard += 1
                self._hear(payload)
            elif kind in "JZ":
                self._lost("the login was refused" if kind == "J" else "the session has ended")
        if is_broken:
            self._lost("expected SoupBinTCP, found other bytes")
        return heard

    def _receive(self) -> bytes:
        assert self._socket is not None
        try:
            data = self._socket.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            self._lost(str(error))
        if not data:
            self._lost("the venue closed the connection")
        return data

    def _send(self, data: bytes) -> None:
        assert self._socket is not None
        try:
            self._socket.send(data)
        except BlockingIOError:
            pass  # a venue that does not read drops the login by itself
        except OSError as error:
            self._lost(str(error))

    def _lost(self, why: str) -> None:
        user, address, seq = self._user, self._address, self.next_seq
        self.close()
        raise NetError(f"drop copy {user} at {address}, before message {seq}: {why}; it logs in again")
