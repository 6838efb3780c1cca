"""Hyperliquid: l2Book and trades -> records. Opens no socket.

Every l2Book message is the whole visible book, 20 levels a side: nothing can be missed between two of them, and a bad
one is mended by the next. An older one than the last is dropped. Source: Hyperliquid API, "WebSocket: Subscriptions".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import msgspec

from openbell.errors import DecodeError
from openbell.feed.fixed import fixed
from openbell.feed.market_records import Listing
from openbell.feed.web_feed import BookState, Checks, WebFeed
from openbell.journal import Source

MS = 1_000_000
_Ms = Annotated[int, msgspec.Meta(ge=0, le=9_000_000_000_000)]


class _Level(msgspec.Struct):
    px: str
    sz: str


class _L2Book(msgspec.Struct):
    coin: str
    levels: tuple[list[_Level], list[_Level]]
    time: _Ms


class _Trade(msgspec.Struct):
    coin: str
    px: str
    sz: str
    side: str
    tid: Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
    time: _Ms


class _Head(msgspec.Struct):
    channel: str
    data: msgspec.Raw = msgspec.Raw(b"")


_head = msgspec.json.Decoder(_Head)
_book = msgspec.json.Decoder(_L2Book)
_trades = msgspec.json.Decoder(list[_Trade])


class HyperliquidFeed(WebFeed):
    """One connection to Hyperliquid's public subscriptions; symbols are its coins."""

    def __init__(self, listings: Iterable[Listing], *, source: int = Source.FEED, checks: Checks | None = None) -> None:
        super().__init__(listings, source=source, checks=checks)
        self._last_time = dict.fromkeys(self.listings, -1)

    def _take(self, raw: bytes) -> None:
        try:
            head = _head.decode(raw)
            if head.channel == "l2Book":
                self._take_book(_book.decode(head.data))
            elif head.channel == "trades":
                self._take_trades(_trades.decode(head.data))
            else:
                self.counters.control += 1
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise DecodeError(f"expected a message of Hyperliquid, found {raw[:80]!r}: {error}") from error

    def _forget(self, symbol: str) -> None:
        self._last_time[symbol] = -1

    def _take_book(self, book: _L2Book) -> None:
        if book.coin not in self.listings:
            self.counters.unsubscribed += 1
            return
        listing = self.listings[book.coin]
        px, qty = listing.px_decimals, listing.qty_decimals
        bids, asks = ([(fixed(level.px, px), fixed(level.sz, qty)) for level in side] for side in book.levels)
        self.counters.snapshots += 1
        if book.time < self._last_time[book.coin] or self.states[book.coin] is BookState.HALTED:
            self.counters.old += 1
            return
        self._last_time[book.coin] = book.time
        self._wanted.pop(book.coin, None)
        is_good = self._replace_book(book.coin, bids, asks, ts=book.time * MS, update=book.time)
        if is_good and self.states[book.coin] is BookState.WAITING:
            self._recover(book.coin, ts=book.time * MS, update=book.time)

    def _take_trades(self, trades: list[_Trade]) -> None:
        parsed = []
        for t in trades:
            if t.coin not in self.listings:
                self.counters.unsubscribed += 1
                continue
            if t.side not in ("A", "B"):
                raise DecodeError(f"expected side A or B of the aggressor, found {t.side[:20]!r}")
            listing = self.listings[t.coin]
            parsed.append((t, fixed(t.px, listing.px_decimals), fixed(t.sz, listing.qty_decimals)))
        for t, px, qty in parsed:
            self.counters.trades += 1
            self._trade(t.coin, t.side == "A", px, qty, ts=t.time * MS, trade_id=t.tid)
