"""Binance's market stream messages, typed: JSON text in, one of a few structs out, or DecodeError.

Numbers in quotes stay text until an instrument's decimals turn them into int64 (`fixed`). Fields that are not used are
not looked at. Source: Binance Spot API, "WebSocket Streams"; USD-M futures, "Websocket Market Streams".
"""

from typing import Annotated

import msgspec

from openbell.errors import DecodeError

Id = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 2)]
Ms = Annotated[int, msgspec.Meta(ge=0, le=9_000_000_000_000)]
"""Milliseconds since the epoch; as ns they fit int64."""
Side = Annotated[list[tuple[str, str]], msgspec.Meta(max_length=20_000)]
"""[(price, quantity)] as printed."""


class Depth(msgspec.Struct, rename={"ts": "E", "symbol": "s", "first": "U", "last": "u", "bids": "b", "asks": "a"}):
    """depthUpdate. `pu` is there on futures only, and so is `T`, the time of the transaction."""

    ts: Ms
    symbol: str
    first: Id
    last: Id
    bids: Side
    asks: Side
    pu: Id | None = None
    T: Ms | None = None


class Snapshot(msgspec.Struct, rename={"last": "lastUpdateId", "ts": "E"}):
    """The answer to GET depth. Futures say the time of the message, spot says none."""

    last: Id
    bids: Side
    asks: Side
    ts: Ms = 0


class BookTicker(
    msgspec.Struct, rename={"update": "u", "symbol": "s", "bid_px": "b", "bid_qty": "B", "ask_px": "a", "ask_qty": "A"}
):
    """bookTicker. Spot says no time."""

    update: Id
    symbol: str
    bid_px: str
    bid_qty: str
    ask_px: str
    ask_qty: str
    T: Ms = 0


class Trade(msgspec.Struct, rename={"ts": "T", "symbol": "s", "px": "p", "qty": "q", "is_buyer_maker": "m"}):
    """trade (`t` is its id) or aggTrade (`a` is)."""

    ts: Ms
    symbol: str
    px: str
    qty: str
    is_buyer_maker: bool
    t: Id | None = None
    a: Id | None = None


class Other(msgspec.Struct):
    """An answer to a request, or a stream that makes no record."""

    stream: str = ""


Message = Depth | BookTicker | Trade | Snapshot | Other


class _Head(msgspec.Struct):
    """Enough of any message to know what it is."""

    stream: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")
    e: str = ""
    lastUpdateId: msgspec.Raw = msgspec.Raw(b"")
    u: msgspec.Raw = msgspec.Raw(b"")


_head = msgspec.json.Decoder(_Head)
_by_event: dict[str, msgspec.json.Decoder[Depth] | msgspec.json.Decoder[Trade] | msgspec.json.Decoder[BookTicker]] = {
    "depthUpdate": msgspec.json.Decoder(Depth),
    "trade": msgspec.json.Decoder(Trade),
    "aggTrade": msgspec.json.Decoder(Trade),
    "bookTicker": msgspec.json.Decoder(BookTicker),
}
_ticker = msgspec.json.Decoder(BookTicker)
_snapshot = msgspec.json.Decoder(Snapshot)


def decode(raw: bytes) -> Message:
    """One message of a raw or a combined stream, or a depth snapshot.

    Raises:
        DecodeError: it is no JSON, or a known event lacks a field or has one of another kind.
    """
    try:
        head = _head.decode(raw)
        if head.data:
            body, stream = bytes(head.data), head.stream
            head = _head.decode(body)
        else:
            body, stream = raw, ""
        if head.e in _by_event:
            return _by_event[head.e].decode(body)
        if head.lastUpdateId and not stream:
            return _snapshot.decode(body)
        if not head.e and head.u:  # spot's bookTicker names no event
            return _ticker.decode(body)
        return Other(stream)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"expected a message of Binance's market streams, found {raw[:80]!r}: {error}") from error


def decode_snapshot(raw: bytes) -> Snapshot:
    """The answer to GET depth.

    Raises:
        DecodeError: it is something else, an error message for instance.
    """
    try:
        return _snapshot.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"expected a depth snapshot of Binance, found {raw[:80]!r}: {error}") from error


def stream_of(raw: bytes) -> str:
    """The name of the stream as far as a damaged message still says it, such as `btcusdt@trade`; else empty."""
    mark = b'"stream":"'
    begin = raw.find(mark)
    if begin < 0:
        return ""
    begin += len(mark)
    end = raw.find(b'"', begin, begin + 64)
    return raw[begin:end].decode("ascii", "replace") if end > 0 else ""
