"""OKX: the books channel with its checksum and sequence, trades, tickers -> records. Opens no socket.

A snapshot comes by itself after the subscription; `take_wanted()` names the books to subscribe to again. Updates carry
absolute quantities. Two checks say whether the book is the venue's, each where the message has it:

    checksum    CRC-32, signed, over the best 25 levels of both sides as printed: "bid:qty:ask:qty:bid:qty:...";
                0 says nothing (the venue announced that it stops filling the field)
    sequence    prevSeqId is the last seqId; equal ids are a sign of life, a smaller seqId is the venue's restart

Source: OKX API v5, "Order book channel" and "Checksum"; "Order Book Channels Checksum Field Deprecation", 2026-05-21.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Annotated, TypeVar
from zlib import crc32

import msgspec

from openbell.errors import DecodeError
from openbell.feed.fixed import fixed
from openbell.feed.market_records import Listing
from openbell.feed.web_feed import BookState, Checks, WebFeed
from openbell.journal import Source

CHECKSUM_LEVELS = 25
MS = 1_000_000
T = TypeVar("T")
_Side = Annotated[list[tuple[str, str, str, str]], msgspec.Meta(max_length=20_000)]
_Seq = Annotated[int, msgspec.Meta(ge=-1, le=(1 << 63) - 1)]
_Time = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,13}$")]
"""Milliseconds since the epoch, in quotes."""
_Id = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,18}$")]


class _Arg(msgspec.Struct):
    channel: str = ""
    instId: str = ""


class _Head(msgspec.Struct):
    arg: _Arg = msgspec.field(default_factory=_Arg)
    event: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")


class _Book(msgspec.Struct):
    asks: _Side
    bids: _Side
    ts: _Time
    checksum: int = 0
    seqId: _Seq | None = None
    prevSeqId: _Seq | None = None


class _Books(msgspec.Struct):
    action: str
    data: list[_Book]


class _Trade(msgspec.Struct):
    tradeId: _Id
    px: str
    sz: str
    side: str
    ts: _Time


class _Trades(msgspec.Struct):
    data: list[_Trade]


class _Ticker(msgspec.Struct):
    bidPx: str
    bidSz: str
    askPx: str
    askSz: str
    ts: _Time


class _Tickers(msgspec.Struct):
    data: list[_Ticker]


_head = msgspec.json.Decoder(_Head)
_books = msgspec.json.Decoder(_Books)
_trades = msgspec.json.Decoder(_Trades)
_tickers = msgspec.json.Decoder(_Tickers)


class _PrintedSide:
    """One side of a book as printed, best first: what the checksum is made of."""

    def __init__(self, is_bid: bool) -> None:
        self._sign = -1 if is_bid else 1
        self._keys: list[int] = []
        self._printed: dict[int, str] = {}

    def set(self, px: int, qty: int, printed: str) -> None:
        key = self._sign * px
        at = bisect_left(self._keys, key)
        is_known = key in self._printed
        if qty == 0:
            if is_known:
                del self._keys[at], self._printed[key]
            return
        if not is_known:
            self._keys.insert(at, key)
        self._printed[key] = printed

    def best(self) -> list[str]:
        return [self._printed[key] for key in self._keys[:CHECKSUM_LEVELS]]


class _Printed:
    def __init__(self) -> None:
        self.bids, self.asks = _PrintedSide(True), _PrintedSide(False)

    def checksum(self) -> int:
        bids, asks = self.bids.best(), self.asks.best()
        parts: list[str] = []
        for i in range(max(len(bids), len(asks))):
            parts += bids[i : i + 1] + asks[i : i + 1]
        unsigned = crc32(":".join(parts).encode())
        return unsigned - (1 << 32) if unsigned >> 31 else unsigned


class OkxFeed(WebFeed):
    """One connection to OKX's public channels."""

    def __init__(self, listings: Iterable[Listing], *, source: int = Source.FEED, checks: Checks | None = None) -> None:
        super().__init__(listings, source=source, checks=checks)
        self._printed: dict[str, _Printed] = {}
        self._seq: dict[str, int] = {}
        self._last_trade = dict.fromkeys(self.listings, -1)

    def _take(self, raw: bytes) -> None:
        head = _decoded(_head, raw)
        symbol, channel = head.arg.instId, head.arg.channel
        if head.event or channel not in ("books", "trades", "tickers"):
            self.counters.control += 1
        elif symbol not in self.listings:
            self.counters.unsubscribed += 1
        elif channel == "books":
            self._take_books(symbol, _decoded(_books, raw))
        elif channel == "trades":
            self._take_trades(symbol, _decoded(_trades, raw))
        else:
            self._take_tickers(symbol, _decoded(_tickers, raw))

    def _symbols_of(self, raw: bytes) -> list[str]:
        try:
            head = _head.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return list(self.listings)
        is_book = head.arg.channel == "books" and head.arg.instId in self.listings
        return [head.arg.instId] if is_book else []

    # ---- the book ------------------------------------------------------------------------------------------------

    def _take_books(self, symbol: str, message: _Books) -> None:
        if message.action not in ("snapshot", "update"):
            raise DecodeError(f"expected action snapshot or update of a book, found {message.action[:20]!r}")
        listing = self.listings[symbol]
        parsed = [(book, _parsed(book.bids, listing), _parsed(book.asks, listing)) for book in message.data]
        for book, bids, asks in parsed:
            if message.action == "snapshot":
                self.counters.snapshots += 1
                self._take_snapshot(symbol, book, bids, asks)
            else:
                self.counters.depth += 1
                self._take_update(symbol, book, bids, asks)

    def _take_snapshot(self, symbol: str, book: _Book, bids: list[_Level], asks: list[_Level]) -> None:
        if self.states[symbol] is BookState.HALTED:
            self.counters.snapshots_refused += 1
            return
        self._begin_snapshot(symbol)
        printed = self._printed[symbol] = _Printed()
        self._seq[symbol] = -1 if book.seqId is None else book.seqId
        _print(printed, bids, asks)
        if not self._check_sum(symbol, printed, book):
            return
        update, ts = self._seq[symbol], int(book.ts) * MS
        if self._replace_book(symbol, _plain(bids), _plain(asks), ts=ts, update=max(update, 0)):
            self._recover(symbol, ts=ts, update=max(update, 0))

    def _take_update(self, symbol: str, book: _Book, bids: list[_Level], asks: list[_Level]) -> None:
        if self.states[symbol] is not BookState.VALID:
            self.counters.dropped += 1
            return
        last = self._seq[symbol]
        if book.prevSeqId is not None and book.prevSeqId != last:
            if book.seqId is not None and book.seqId <= last and book.prevSeqId < last:
                self.counters.old += 1
                return
            why = f"expected prevSeqId {last}, found {book.prevSeqId}"
            self._fail(symbol, "sequence", why, first=max(last, 0), end=max(book.prevSeqId, 0))
            return
        if book.seqId is not None:
            self._seq[symbol] = book.seqId
        printed = self._printed[symbol]
        _print(printed, bids, asks)
        if not self._check_sum(symbol, printed, book):
            return
        update = max(self._seq[symbol], 0)
        self._change_book(symbol, _plain(bids), _plain(asks), ts=int(book.ts) * MS, update=update)

    def _check_sum(self, symbol: str, printed: _Printed, book: _Book) -> bool:
        if book.checksum == 0:
            return True
        self.counters.checksums += 1
        found = printed.checksum()
        return found == book.checksum or self._fail(
            symbol, "checksum", f"expected {book.checksum}, found {found} over the best {CHECKSUM_LEVELS} levels"
        )

    def _forget(self, symbol: str) -> None:
        self._printed.pop(symbol, None)
        self._seq.pop(symbol, None)

    # ---- trades and quotes ---------------------------------------------------------------------------------------

    def _take_trades(self, symbol: str, message: _Trades) -> None:
        listing = self.listings[symbol]
        parsed = []
        for t in message.data:
            if t.side not in ("buy", "sell"):
                raise DecodeError(f"expected side buy or sell of the taker, found {t.side[:20]!r}")
            parsed.append((t, fixed(t.px, listing.px_decimals), fixed(t.sz, listing.qty_decimals)))
        for t, px, qty in parsed:
            self.counters.trades += 1
            if int(t.tradeId) <= self._last_trade[symbol]:
                self.counters.old += 1
                continue
            self._last_trade[symbol] = int(t.tradeId)
            self._trade(symbol, t.side == "sell", px, qty, ts=int(t.ts) * MS, trade_id=int(t.tradeId))

    def _take_tickers(self, symbol: str, message: _Tickers) -> None:
        listing = self.listings[symbol]
        px, qty = listing.px_decimals, listing.qty_decimals
        for t in message.data:
            bid, ask = (fixed(t.bidPx, px), fixed(t.bidSz, qty)), (fixed(t.askPx, px), fixed(t.askSz, qty))
            self.counters.quotes += 1
            self._quote(symbol, bid, ask, ts=int(t.ts) * MS, update=0)


_Level = tuple[int, int, str]


def _parsed(side: list[tuple[str, str, str, str]], listing: Listing) -> list[_Level]:
    px_decimals, qty_decimals = listing.px_decimals, listing.qty_decimals
    return [(fixed(px, px_decimals), fixed(qty, qty_decimals), f"{px}:{qty}") for px, qty, _, _ in side]


def _print(printed: _Printed, bids: list[_Level], asks: list[_Level]) -> None:
    for level in bids:
        printed.bids.set(*level)
    for level in asks:
        printed.asks.set(*level)


def _plain(side: list[_Level]) -> list[tuple[int, int]]:
    return [(px, qty) for px, qty, _ in side]


def _decoded(decoder: msgspec.json.Decoder[T], raw: bytes) -> T:
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"expected a message of OKX's public channels, found {raw[:80]!r}: {error}") from error


def numbers_of(raw: bytes) -> tuple[str, bool, list[tuple[str, str]]]:
    """(symbol, is it of a book, prices and quantities as printed) of one message; empty when it holds none.

    Raises:
        DecodeError: it cannot be read.
    """
    head = _decoded(_head, raw)
    channel = "" if head.event else head.arg.channel
    numbers: list[tuple[str, str]] = []
    if channel == "books":
        for book in _decoded(_books, raw).data:
            numbers += [(px, qty) for px, qty, _, _ in (*book.bids, *book.asks)]
    elif channel == "trades":
        numbers = [(t.px, t.sz) for t in _decoded(_trades, raw).data]
    elif channel == "tickers":
        for t in _decoded(_tickers, raw).data:
            numbers += [(t.bidPx, t.bidSz), (t.askPx, t.askSz)]
    return head.arg.instId, channel == "books", numbers
