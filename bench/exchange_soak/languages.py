"""The two protocols of order entry as the soak speaks them: orders are called by numbers from 1 on.

What a client writes goes through the codecs; of a report the client reads what it needs in place, since it reads
millions. Source: OUCH 4.2 and 5.0, outbound message tables.
"""

from collections.abc import Callable
from dataclasses import dataclass

from openbell._native import ouch50_encode_inbound, ouch_encode_inbound

ACCEPTED, REPLACED, EXECUTED, CANCELED, REJECTED, SYSTEM = b"AUECJS"
ANSWERS = frozenset((ACCEPTED, REPLACED, REJECTED))
"""Reports that use up the name of an order or a replace."""


@dataclass(frozen=True)
class Order:
    """What a client says of an order."""

    number: int
    symbol: str
    side: str
    qty: int
    px: int
    rests: bool


@dataclass(frozen=True)
class Language:
    """How to say things, and where reports say theirs."""

    protocol: str
    enter: Callable[[Order], bytes]
    replace: Callable[[int, Order], bytes]
    cancel: Callable[[int], bytes]
    number_in: Callable[[bytes], int]
    name: slice
    replaced_by: slice
    replaced: slice
    accepted_qty: slice
    replaced_qty: slice
    qty: slice
    px: slice

    def answered(self, report: bytes) -> int:
        """Return the number of the order or replace that a report of `ANSWERS` is about."""
        return self.number_in(report[self.replaced_by if report[0] == REPLACED else self.name])


def _token(number: int) -> str:
    return f"{number:014}"


TERMS42 = {"display": "Y", "iso": "N", "qty_min": 0}
DAY42, IMMEDIATE42 = 99_998, 0


def _enter42(order: Order) -> bytes:
    what = {"type": "O", "token": _token(order.number), "side": order.side, "symbol": order.symbol.ljust(8)}
    terms = {"qty": order.qty, "px": order.px, "tif": DAY42 if order.rests else IMMEDIATE42, **TERMS42}
    return ouch_encode_inbound({**what, **terms, "firm": "FIRM", "capacity": "P", "cross": "N", "customer": " "})


def _replace42(prev: int, order: Order) -> bytes:
    names = {"type": "U", "prev_token": _token(prev), "token": _token(order.number)}
    return ouch_encode_inbound({**names, "qty": order.qty, "px": order.px, "tif": DAY42, **TERMS42})


def _cancel42(number: int) -> bytes:
    return ouch_encode_inbound({"type": "X", "token": _token(number), "qty": 0})


TERMS50 = {"display": "Y", "iso": "N", "cl_ord_id": " " * 14}
DAY50, IMMEDIATE50 = "0", "3"


def _enter50(order: Order) -> bytes:
    what = {"type": "O", "user_ref": order.number, "side": order.side, "symbol": order.symbol.ljust(8)}
    terms = {"qty": order.qty, "px": order.px, "tif": DAY50 if order.rests else IMMEDIATE50, **TERMS50}
    return ouch50_encode_inbound({**what, **terms, "capacity": "P", "cross": "N"})


def _replace50(prev: int, order: Order) -> bytes:
    names = {"type": "U", "prev_user_ref": prev, "user_ref": order.number}
    return ouch50_encode_inbound({**names, "qty": order.qty, "px": order.px, "tif": DAY50, **TERMS50})


def _cancel50(number: int) -> bytes:
    return ouch50_encode_inbound({"type": "X", "user_ref": number, "qty": 0})


def _big_endian(data: bytes) -> int:
    return int.from_bytes(data, "big")


LANGUAGES = (
    Language(
        "ouch42", _enter42, _replace42, _cancel42, int, name=slice(9, 23), replaced_by=slice(9, 23),
        replaced=slice(65, 79), accepted_qty=slice(24, 28), replaced_qty=slice(24, 28), qty=slice(23, 27),
        px=slice(27, 31),
    ),
    Language(
        "ouch50", _enter50, _replace50, _cancel50, _big_endian, name=slice(9, 13), replaced_by=slice(13, 17),
        replaced=slice(9, 13), accepted_qty=slice(14, 18), replaced_qty=slice(18, 22), qty=slice(13, 17),
        px=slice(17, 25),
    ),
)  # fmt: skip
