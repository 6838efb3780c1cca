"""The records of a feed as bytes: one function a record, the fields as `native/records.h` draws them."""

import struct
from dataclasses import dataclass

import numpy as np

from openbell.events import control, record
from openbell.types import NO_INSTRUMENT, Check, TradingState, Type

MARKET = struct.Struct("<BBHIqQqqQ")
SMALL, LARGE = 48, 128
INT64_MAX = (1 << 63) - 1
KDROPPED = 32
"""Of a `FeedCheck` and a `Quarantined`: what failed was left out."""
QUARANTINED_BYTES = 104
"""Of a message; the rest is cut off."""
GAP_STALE = 3
"""Code of a `Gap`: nothing was heard for too long, and nothing is known to be missing (native/engine/engine.h)."""
KBUY, KPRINTABLE, KSNAPSHOT = 1, 8, 16
"""Flags of a `Market`: the resting side is BUY; counts as volume; part of a snapshot."""
_LEVEL, _QUOTE, _TRADE, _CLEAR = int(Type.BOOK_LEVEL), int(Type.QUOTE), int(Type.TRADE), int(Type.BOOK_CLEAR)


@dataclass(frozen=True)
class Listing:
    """An instrument as its venue lists it. `tick` is in 10^-px_decimals, `lot` in 10^-qty_decimals."""

    instrument: int
    symbol: str
    px_decimals: int
    qty_decimals: int
    tick: int = 1
    lot: int = 1
    currency: str = ""
    calendar: str = ""
    has_depth: bool = True
    """A book by price comes; without it quotes alone are the book."""
    is_trading: bool = True
    """The venue lists it as trading; those of the web never close."""
    px_low: int = 0
    px_high: int = INT64_MAX
    """A price outside of this band is found fault with."""
    qty_max: int = INT64_MAX
    """And so is more than this at one price, or in one trade."""

    def oddity(self, px: int, qty: int) -> Check | None:
        """The first check of the edge that a level or trade fails; docs/market-data.md has them."""
        if not self.px_low <= px <= self.px_high:
            return Check.PX_BAND
        if px % self.tick:
            return Check.PX_TICK
        if qty > self.qty_max:
            return Check.QTY_BAND
        return Check.QTY_LOT if qty % self.lot else None

    def record(self, ts: int) -> bytes:
        """The `Instrument` record that announces it."""
        return record(
            "Instrument",
            type=int(Type.INSTRUMENT),
            instrument=self.instrument,
            ts_event=ts,
            symbol=self.symbol.encode()[:15],
            currency=self.currency.encode()[:4],
            asset=self.instrument,
            px_decimals=self.px_decimals,
            qty_decimals=self.qty_decimals,
            tick=self.tick,
            lot=self.lot,
            multiplier=1,
            valid_from=ts,
            calendar=self.calendar.encode()[:15],
        )


def level(instrument: int, is_bid: bool, px: int, qty: int, *, ts: int, update: int, flags: int = 0) -> bytes:
    """The level `px` holds `qty` now; 0 removes it. `update` is the venue's number of this change."""
    return MARKET.pack(_LEVEL, flags | is_bid, 0, instrument, ts, 0, px, qty, update)


def quote(instrument: int, is_bid: bool, px: int, qty: int, *, ts: int, update: int) -> bytes:
    """The best of one side."""
    return MARKET.pack(_QUOTE, int(is_bid), 0, instrument, ts, 0, px, qty, update)


def trade(instrument: int, is_resting_bid: bool, px: int, qty: int, *, ts: int, trade_id: int) -> bytes:
    """A print; the aggressor was on the other side of `is_resting_bid`."""
    return MARKET.pack(_TRADE, KPRINTABLE | is_resting_bid, 0, instrument, ts, 0, px, qty, trade_id)


def trading(instrument: int, *, ts: int) -> bytes:
    """The venue trades this instrument now."""
    return MARKET.pack(int(Type.STATUS), 0, 0, instrument, ts, 0, 0, 0, int(TradingState.TRADING))


def clear(instrument: int, *, ts: int, update: int) -> bytes:
    """Everything of the book is gone: a snapshot follows."""
    return MARKET.pack(_CLEAR, KSNAPSHOT, 0, instrument, ts, 0, 0, 0, update)


def feed_check(instrument: int, check: Check, px: int, qty: int, *, ts: int) -> bytes:
    """A check of the edge failed and the record is applied all the same."""
    return MARKET.pack(int(Type.FEED_CHECK), 0, 0, instrument, ts, 0, px, qty, int(check))


def quarantined(check: Check, raw: bytes, *, ts: int, count: int) -> bytes:
    """A message that was kept out, the `count`th of its feed."""
    kept = raw[:QUARANTINED_BYTES]
    return record(
        "Quarantined",
        type=int(Type.QUARANTINED),
        flags=KDROPPED,
        check=int(check),
        length=len(kept),
        instrument=NO_INSTRUMENT,
        ts_event=ts,
        count=count,
        bytes=np.frombuffer(kept.ljust(QUARANTINED_BYTES, b"\0"), np.uint8),
    )


def gap(instrument: int, source: int, *, ts: int, first: int = 0, end: int = 0, why: str = "", code: int = 0) -> bytes:
    """The book of one instrument is not valid: its updates [first, end) are missing, or `why` says what happened."""
    return _of_one(Type.GAP, instrument, source, ts, (first, end), why, code)


def recovered(instrument: int, source: int, *, ts: int, update: int) -> bytes:
    """The book of one instrument is valid again, as of `update`."""
    return _of_one(Type.RECOVERED, instrument, source, ts, (update,), "")


def _of_one(
    kind: Type, instrument: int, source: int, ts: int, values: tuple[int, ...], text: str, code: int = 0
) -> bytes:
    row = bytearray(control(kind, code=code, source=source, values=values, text=text))
    struct.pack_into("<Iq", row, 4, instrument, ts)
    return bytes(row)
