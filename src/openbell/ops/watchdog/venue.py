"""The watchdog's own way to the venue: a login to the node's account, and a drop copy of what it is told."""

from __future__ import annotations

import select
import socket
import time
from typing import cast

import numpy as np

from openbell import _native as native
from openbell.errors import NetError
from openbell.node.config import SessionSettings, WatchdogSettings
from openbell.types import RECORDS, Type

CONNECT_WITHIN_S = 0.5
READ_BYTES = 256 * 1024
PAYLOAD_BYTES_MAX = 65_535
ACCOUNT_LETTERS = 10
HEARTBEAT_S = 1.0
CLOSED = {Type.CANCELED, Type.EXPIRED, Type.REJECTED}


class TakeOver:
    """A login to the node's account: the venue drops the node's session for it, and cancels on disconnect."""

    def __init__(
        self, session: SessionSettings, settings: WatchdogSettings, name: str, next_seq: int, midnight_ns: int
    ):
        where, password = session.connect, settings.password or session.password
        self.closed: set[int] = set()
        self.is_resolved = self.is_over = False
        self._ouch = native.OuchSession(
            user=session.user, password=password.read(), firm=session.firm, midnight_ns=midnight_ns
        )
        if name:
            self._ouch.resume(name, next_seq)
        try:
            self._sock = socket.create_connection((where.host, where.port), CONNECT_WITHIN_S)
        except OSError as error:
            raise NetError(f"{where}: expected the venue to be there, found: {error}") from None
        self._sock.setblocking(False)
        self._ouch.on_connected(time.time_ns())

    def turn(self, timeout_s: float) -> None:
        """Say what is to be said, hear for at most `timeout_s`."""
        if self.is_over:
            return
        self._ouch.on_tick(time.time_ns())
        try:
            if waiting := self._ouch.outgoing:
                self._ouch.taken(self._sock.send(waiting))
            if not select.select([self._sock], [], [], timeout_s)[0]:
                return
            data = self._sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        for _, record in self._ouch.on_bytes(data, time.time_ns()):
            self._take(record)
        if self._ouch.wants_disconnect:
            self.close()

    def _take(self, record: bytes) -> None:
        kind = record[0]
        if kind == Type.RESOLVED:
            self.is_resolved = True
        elif kind in CLOSED:
            self.closed.add(int(np.frombuffer(record, RECORDS["Report"])[0]["cl_ord_id"]))

    def close(self) -> None:
        """Leave: whoever logs in next has the session."""
        self.is_over = True
        self._sock.close()


class DropCopy:
    """Hears what the venue tells the account, from now on; counts what was opened since a moment."""

    def __init__(self, session: SessionSettings, settings: WatchdogSettings) -> None:
        assert settings.drop_copy_password is not None  # the configuration has checked it
        where = session.connect
        self.accepted = self.canceled = 0
        self._account = session.user.upper()
        self._unread = b""
        self._said_s = 0.0
        login = native.soup_login_request(settings.drop_copy, settings.drop_copy_password.read(), "", 0)
        try:
            self._sock = socket.create_connection((where.host, where.port), CONNECT_WITHIN_S)
            self._sock.sendall(login)
        except OSError as error:
            raise NetError(f"drop copy {settings.drop_copy} at {where}: expected to log in, found: {error}") from None
        self._sock.setblocking(False)

    def turn(self, now_s: float) -> None:
        """Hear what is there.

        Raises:
            NetError: the venue has ended it.
        """
        try:
            if now_s - self._said_s >= HEARTBEAT_S:
                self._said_s = now_s
                self._sock.send(native.soup_packet("R", b""))
            data = self._sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            raise NetError("drop copy: expected the venue to go on, found the end of the connection; logging in again")
        packets, used, _ = native.soup_packets(self._unread + data, PAYLOAD_BYTES_MAX)
        self._unread = (self._unread + data)[used:]
        for kind, payload in cast("list[tuple[str, bytes]]", packets):
            if kind == "S" and payload[:ACCOUNT_LETTERS].decode("ascii", "replace").strip().upper() == self._account:
                self.accepted += payload[ACCOUNT_LETTERS : ACCOUNT_LETTERS + 1] == b"A"
                self.canceled += payload[ACCOUNT_LETTERS : ACCOUNT_LETTERS + 1] == b"C"

    def close(self) -> None:
        """Leave."""
        self._sock.close()
