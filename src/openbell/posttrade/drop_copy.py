"""A drop copy as books: what the venue told of our orders, heard on a login of its own.

Each message is an account's name, then the report as that account was told it (docs/exchange-operations.md). The
reader keeps its own small picture of orders and executions, by other code than the OMS.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import Any, cast

from openbell._native import (
    ouch_decode_outbound,
    ouch_token_decode,
    soup_login_request,
    soup_packet,
    soup_packets,
    soup_parse_login_accepted,
)
from openbell.config_types import Address
from openbell.errors import DecodeError, NetError
from openbell.posttrade.books import Books, Fill, FillKey, OpenOrder
from openbell.types import Side

ACCOUNT_CHARS = 10
RECEIVE_BYTES = 1 << 16
PAYLOAD_BYTES_MAX = 512
HEARTBEAT_EVERY_S = 1.0


@dataclass
class _Order:
    symbol: str
    side: Side
    px: int
    leaves_qty: int
    is_open: bool = True


@dataclass
class DropCopyBooks:
    """Books of one account, from the reports of a drop copy in order."""

    account: str
    seq: int = 0
    """Of the last message that was taken, of any account."""
    foreign: int = 0
    """Reports whose token is none of ours."""
    _orders: dict[int, _Order] = field(default_factory=dict)
    _fills: dict[FillKey, Fill] = field(default_factory=dict)

    def take(self, payload: bytes) -> None:
        """Take the next sequenced message.

        Raises:
            DecodeError: it is no account's name and report.
        """
        self.seq += 1
        if payload[:ACCOUNT_CHARS].decode("ascii", "replace").rstrip() != self.account:
            return
        report = cast(dict[str, Any] | None, ouch_decode_outbound(payload[ACCOUNT_CHARS:]))
        if report is None:
            raise DecodeError(
                f"drop copy of {self.account}, message {self.seq}: expected a report of OUCH 4.2, found "
                f"{payload[ACCOUNT_CHARS:][:8].hex(' ')}...; does the account speak another protocol?"
            )
        if "token" in report:
            self._take_report(report)

    def _take_report(self, report: dict[str, Any]) -> None:
        ours = ouch_token_decode(str(report["token"]))
        if ours is None:
            self.foreign += 1
            return
        cl_ord_id, _ = ours
        match report:
            case {"type": "A" | "U", "symbol": str(symbol), "side": str(side), "px": int(px), "qty": int(qty)}:
                self._open(cl_ord_id, _Order(symbol.rstrip(), _side(side), px, qty, report["state"] == "L"))
            case {"type": "E" | "G", "px": int(px), "qty": int(qty), "match_id": int(match_id)}:
                self._fill(cl_ord_id, match_id, px, qty)
            case {"type": "F", "px": int(px), "qty": int(qty), "match_id": int(match_id)}:
                self._amend(cl_ord_id, match_id, px=px, qty=qty)
            case {"type": "B", "match_id": int(match_id)}:
                self._amend(cl_ord_id, match_id, is_busted=True)
            case {"type": "C" | "D", "qty": int(qty)}:
                self._reduce(cl_ord_id, qty)

    def _open(self, cl_ord_id: int, order: _Order) -> None:
        """An acceptance may come after the first fills of its order; they learn from it what they were of."""
        is_first = cl_ord_id not in self._orders
        self._orders[cl_ord_id] = order
        if is_first:
            for key in [key for key in self._fills if key[0] == cl_ord_id]:
                self._fills[key] = self._fills[key]._replace(symbol=order.symbol, side=order.side)
                self._reduce(cl_ord_id, self._fills[key].qty)

    def _fill(self, cl_ord_id: int, match_id: int, px: int, qty: int) -> None:
        key, order = (cl_ord_id, match_id), self._orders.get(cl_ord_id)
        if known := self._fills.get(key):
            self._fills[key] = known._replace(copies=known.copies + 1)
            return
        symbol, side = (order.symbol, order.side) if order else ("", Side.BUY)
        self._fills[key] = Fill(symbol, side, px, qty)
        self._reduce(cl_ord_id, qty)

    def _amend(self, cl_ord_id: int, match_id: int, **changed: Any) -> None:
        key = (cl_ord_id, match_id)
        if known := self._fills.get(key):
            self._fills[key] = known._replace(**changed)

    def _reduce(self, cl_ord_id: int, qty: int) -> None:
        if order := self._orders.get(cl_ord_id):
            order.leaves_qty = max(0, order.leaves_qty - qty)
            order.is_open = order.is_open and order.leaves_qty > 0

    def books(self) -> Books:
        """As it stands: orders and executions; a drop copy says nothing of positions and cash."""
        return Books(
            name="drop copy",
            orders={
                order_id: OpenOrder(o.symbol, o.side, o.px, o.leaves_qty)
                for order_id, o in self._orders.items()
                if o.is_open
            },
            ended=frozenset(order_id for order_id, o in self._orders.items() if not o.is_open),
            fills=dict(self._fills),
            as_of=self.seq,
        )


class DropCopyLink:
    """The login: a socket that is read without waiting, and kept alive."""

    def __init__(self, address: Address, user: str, password: str, books: DropCopyBooks) -> None:
        self.books = books
        self.session = ""
        self.is_up = False
        self._address, self._user, self._password = address, user, password
        self._socket: socket.socket | None = None
        self._pending = b""
        self._said_at_s = 0.0

    def connect(self) -> None:
        """Log in for the first message that was not taken yet.

        Raises:
            NetError: nobody answers at the address.
        """
        self.close()
        try:
            self._socket = socket.create_connection((self._address.host, self._address.port), timeout=1.0)
        except OSError as error:
            raise NetError(
                f"drop copy: expected a venue at {self._address}, found {error}; is it running, is the port right?"
            ) from None
        self._socket.sendall(soup_login_request(self._user, self._password, self.session, self.books.seq + 1))
        self._socket.setblocking(False)

    def poll(self, now_s: float) -> int:
        """Take what has come; return how many messages.

        Raises:
            NetError: the login was refused, or the connection has ended; `connect` goes on where this stopped.
        """
        if self._socket is None:
            raise NetError("drop copy: not connected; call connect")
        if now_s - self._said_at_s >= HEARTBEAT_EVERY_S:
            self._said_at_s = now_s
            self._send(soup_packet("R", b""))
        taken = 0
        while data := self._receive():
            taken += self._take(data)
        return taken

    def close(self) -> None:
        """End the connection; closing twice does nothing."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self.is_up, self._pending = None, False, b""

    def _take(self, data: bytes) -> int:
        packets, used, is_broken = soup_packets(self._pending + data, PAYLOAD_BYTES_MAX)
        self._pending = (self._pending + data)[used:]
        before = self.books.seq
        for kind, payload in packets:
            if kind == "A":
                accepted = cast(tuple[str, int], soup_parse_login_accepted(payload))
                self.session, self.is_up = accepted[0], True
            elif kind == "S":
                self.books.take(payload)
            elif kind in "JZ":
                self._lost("the login was refused" if kind == "J" else "the session has ended")
        if is_broken:
            self._lost("expected SoupBinTCP, found other bytes")
        return self.books.seq - before

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
        except OSError as error:
            self._lost(str(error))

    def _lost(self, why: str) -> None:
        self.close()
        raise NetError(f"drop copy at {self._address}, after message {self.books.seq}: {why}; it logs in again")


def _side(letter: str) -> Side:
    return Side.BUY if letter == "B" else Side.SELL
