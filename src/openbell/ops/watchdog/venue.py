"""The watchdog's own way to the venue: a login to the node's account, and a drop copy of what it is told."""

from __future__ import annotations

import select
import socket
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from openbell import _native as native
from openbell.config_types import Address
from openbell.errors import NetError
from openbell.node.people import WatchdogSettings
from openbell.node.sessions import SessionSettings
from openbell.types import RECORDS, Type
from openbell.venue.drop_copy import DropCopyLink, split_copy

COPY_CONNECT_WITHIN_S = 0.1
"""The watchdog sees nothing of its node meanwhile."""
READ_BYTES = 256 * 1024
CLOSED = {Type.CANCELED, Type.EXPIRED, Type.REJECTED}


@dataclass(frozen=True)
class Account:
    """All that a login to a session's account needs, read while all is well."""

    user: str
    firm: str
    password: str = field(repr=False)
    address: Address
    copy_password: str = field(default="", repr=False)

    @classmethod
    def of(cls, session: SessionSettings, settings: WatchdogSettings) -> Account:
        """The account of a session.

        Raises:
            ConfigError: a credential is not where the file says.
        """
        where, copy = session.connect, settings.drop_copy_password
        password = (settings.password or session.password).read()
        return cls(session.user, session.firm, password, resolved(where), copy.read() if copy else "")


def resolved(where: Address) -> Address:
    """The address with its number, if there is somebody to ask now; at a stop nobody is asked."""
    try:
        host = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)[0][4][0]
    except OSError:
        return where
    return Address(str(host), where.port)


class TakeOver:
    """A login to the node's account: the venue drops the node's session for it, and cancels on disconnect.

    `leaves` are the open orders by the journal and what was open of each; `closed` those the venue says have ended.
    """

    def __init__(self, account: Account, name: str, next_seq: int, midnight_ns: int, within_s: float) -> None:
        where = account.address
        self.leaves: dict[int, int] = {}
        self.closed: set[int] = set()
        self.is_resolved = self.is_over = False
        self._ouch = native.OuchSession(
            user=account.user, password=account.password, firm=account.firm, midnight_ns=midnight_ns
        )
        if name:
            self._ouch.resume(name, next_seq)
        try:
            self._sock = socket.create_connection((where.host, where.port), within_s)
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
        elif Type.ACCEPTED <= kind <= Type.NOT_SENT:
            self._take_report(Type(kind), np.frombuffer(record, RECORDS["Report"])[0])

    def _take_report(self, kind: Type, report: Any) -> None:
        order = int(report["cl_ord_id"])
        if kind in (Type.ACCEPTED, Type.REPLACED):
            self.leaves[order] = int(report["leaves_qty"])
        elif kind == Type.FILLED and order in self.leaves:
            self.leaves[order] -= int(report["last_qty"])
        if kind in CLOSED or self.leaves.get(order, 1) <= 0:
            self.closed.add(order)

    def close(self) -> None:
        """Leave: whoever logs in next has the session."""
        self.is_over = True
        self._sock.close()


class DropCopy:
    """Hears what the venue tells the account, from now on; counts what was opened and what was canceled."""

    def __init__(self, account: Account, user: str) -> None:
        self.accepted = self.canceled = 0
        self._account = account.user.upper()
        self.link = DropCopyLink(
            account.address,
            user,
            account.copy_password,
            self._hear,
            next_seq=0,
            connect_within_s=COPY_CONNECT_WITHIN_S,
        )
        self.link.connect()

    def _hear(self, payload: bytes) -> None:
        account, report = split_copy(payload)
        if account == self._account:
            self.accepted += report[:1] == b"A"
            self.canceled += report[:1] == b"C"
