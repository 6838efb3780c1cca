"""A drop copy as books: what the venue told of our orders, heard on a login of its own.

The reader keeps its own small picture of orders and executions, by other code than the OMS.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from openbell._native import ouch_decode_outbound, ouch_token_decode
from openbell.errors import DecodeError
from openbell.posttrade.books import Books, Fill, FillKey, OpenOrder
from openbell.types import Side
from openbell.venue.drop_copy import split_copy


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
        account, message = split_copy(payload)
        if account != self.account:
            return
        report = cast(dict[str, Any] | None, ouch_decode_outbound(message))
        if report is None:
            raise DecodeError(
                f"drop copy of {self.account}, message {self.seq}: expected a report of OUCH 4.2, found "
                f"{message[:8].hex(' ')}...; does the account speak another protocol?"
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


def _side(letter: str) -> Side:
    return Side.BUY if letter == "B" else Side.SELL
