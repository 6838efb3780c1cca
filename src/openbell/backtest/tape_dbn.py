"""Databento files (DBN, plain or zstd) as tapes: market by order, the touch, trades.

    mbo            A -> BookAdd, C -> BookCancel, M -> BookModify, R -> BookClear, T -> Trade; F repeats T and C
    mbp-1, tbbo    Quote for each side that changed, T -> Trade
    trades         Trade
    definition     announces its instruments with their tick; without one the prices of the file say it

A change that keeps an order's place (same price, less quantity) is a BookCancel of the difference, since a BookModify
goes to the end of its level. One frame holds what the venue sent as one event. Prices are 1e-9 in DBN; an instrument
gets as few decimals as all its prices need, and nothing is rounded. Sources: Databento, "MBO schema", "Standards and
conventions".
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np

from openbell._native import JournalWriter
from openbell.backtest.tape_directory import Imported, Progress, new_directory
from openbell.errors import ConfigError, DecodeError, JournalError
from openbell.feed import market_records as records
from openbell.feed.fixed import INT64_MAX
from openbell.feed.market_records import MARKET, Listing
from openbell.journal import FrameClass, Source
from openbell.types import Type

FRAME_RECORDS_MAX = 1024
CHUNK_BYTES = 1 << 20
PRICE_DECIMALS = 9
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
UNDEFINED_PRICE = INT64_MAX
UNDEFINED_TIME = (1 << 64) - 1
LAST, SNAPSHOT, MAYBE_BAD_BOOK = 128, 32, 4
"""Flags of a record: last of its event; part of a snapshot; the publisher lost messages."""
READ = ("MBOMsg", "MBP1Msg", "TradeMsg", "InstrumentDefMsg")
SILENT = ("SymbolMappingMsg", "SystemMsg")
"""Of a live session, about itself."""
_KWHOLE = 2
_ADD, _MODIFY, _CANCEL = int(Type.BOOK_ADD), int(Type.BOOK_MODIFY), int(Type.BOOK_CANCEL)


def import_dbn(
    file: Path, out: Path, *, day: date | None = None, symbols: Sequence[str] = (), progress: Progress | None = None
) -> Imported:
    """Write a Databento file to a new tape in `out`; its records say their times, `day` is not used.

    Raises:
        ConfigError: the package databento-dbn is not installed.
        DecodeError: the file is damaged, or its schema is not one of those above.
        JournalError: `out` is not empty, or cannot be written.
    """
    del day
    began = time.perf_counter()
    scales = _learn(file, progress)
    with new_directory(out) as directory:
        journal = JournalWriter(str(directory))
        tape = _Tape(journal, scales, symbols)
        total = file.stat().st_size
        for done, record in _records(file):
            tape.take(record)
            if progress and tape.messages % 65536 == 0:
                progress((total + done) // 2, total, tape.messages)
        tape.flush()
        if tape.messages == 0:
            raise DecodeError(f"expected records in {file}, found its head alone; check the span that was downloaded")
        journal.close()
    return Imported(tape.messages, tape.unsubscribed, tape.records, tape.frames, time.perf_counter() - began)


@dataclass
class _Scale:
    """What the prices of one instrument have in common, in 1e-9."""

    step: int = 0
    currency: str = ""
    symbol: str = ""

    @property
    def decimals(self) -> int:
        step, decimals = self.step, PRICE_DECIMALS
        while step and decimals and step % 10 == 0:
            step, decimals = step // 10, decimals - 1
        return decimals if step else 2


def _learn(file: Path, progress: Progress | None) -> dict[int, _Scale]:
    """Read the file once for its instruments: decimals and tick are those of all their prices."""
    scales: dict[int, _Scale] = {}
    total = file.stat().st_size
    for number, (done, r) in enumerate(_records(file)):
        if type(r).__name__ not in READ:
            continue
        scale = scales.setdefault(r.instrument_id, _Scale())
        if hasattr(r, "min_price_increment"):
            scale.step = gcd(scale.step, _defined(r.min_price_increment))
            scale.currency, scale.symbol = r.currency, r.raw_symbol
        elif hasattr(r, "price"):
            scale.step = gcd(scale.step, _defined(r.price))
        for level in getattr(r, "levels", ()):
            scale.step = gcd(scale.step, _defined(level.bid_px), _defined(level.ask_px))
        if progress and number % 65536 == 0:
            progress(done // 2, total, 0)
    return scales


def _defined(px: int) -> int:
    return 0 if px == UNDEFINED_PRICE else px


class _Tape:
    """Records of the file in, frames of a tape out."""

    def __init__(self, journal: JournalWriter, scales: dict[int, _Scale], symbols: Sequence[str]) -> None:
        self._journal = journal
        self._scales = scales
        self._symbols = frozenset(symbols)
        self._names: dict[int, str] = {}
        self._calendar = ""
        self._listings: dict[int, Listing | None] = {}
        self._divisors: dict[int, int] = {}
        self._events = _Events()
        self._open: list[bytes] = []
        self._ts = 0
        self._ts_event = 0
        self._ts_seq = 0
        self.messages = self.unsubscribed = self.records = self.frames = 0

    def take(self, r: Any) -> None:
        """The next record; metadata comes first."""
        kind = type(r).__name__
        if kind == "Metadata":
            self._take_metadata(r)
            return
        self.messages += 1
        if kind in SILENT:
            return
        if kind not in READ:
            raise DecodeError(
                f"expected records of the schemas mbo, mbp-1, tbbo, trades or definition, found {kind}; "
                "download one of those"
            )
        listing = self._listing(r)
        if listing is None:
            self.unsubscribed += 1
            return
        ts = _received(r)
        if self._open and r.ts_event != self._ts_event:  # an event that never said its last record
            self.flush()
        self._ts, self._ts_event = ts, r.ts_event
        self._open += self._events.records_of(r, listing, self._divisors[r.instrument_id])
        if getattr(r, "flags", LAST) & LAST or len(self._open) >= FRAME_RECORDS_MAX:
            self.flush()

    def flush(self) -> None:
        """End the frame of an event."""
        for i in range(0, len(self._open), FRAME_RECORDS_MAX):
            self._append(records.SMALL, b"".join(self._open[i : i + FRAME_RECORDS_MAX]))
        self._open.clear()

    def _take_metadata(self, metadata: Any) -> None:
        self._calendar = str(metadata.dataset).partition(".")[0]
        for symbol, intervals in metadata.mappings.items():
            for interval in intervals:
                if str(interval["symbol"]).isdigit():
                    self._names.setdefault(int(interval["symbol"]), symbol)

    def _listing(self, r: Any) -> Listing | None:
        known = r.instrument_id
        if known in self._listings:
            return self._listings[known]
        scale = self._scales[known]
        symbol = scale.symbol or self._names.get(known) or str(known)
        if self._symbols and symbol not in self._symbols:
            self._listings[known] = None
            return None
        divisor = 10 ** (PRICE_DECIMALS - scale.decimals)
        number = sum(listing is not None for listing in self._listings.values())
        listing = Listing(
            number,
            symbol,
            px_decimals=scale.decimals,
            qty_decimals=0,
            tick=max(1, scale.step // divisor),
            currency=scale.currency,
            calendar=self._calendar,
        )
        self._listings[known] = listing
        self._divisors[known] = divisor
        self.flush()
        self._ts = _received(r)
        self._append(records.LARGE, listing.record(self._ts))
        return listing

    def _append(self, size: int, raw: bytes) -> None:
        self._ts_seq = max(self._ts_seq, self._ts)
        data = np.frombuffer(raw, np.uint8)
        times = {"ts_recv": self._ts, "ts_seq": self._ts_seq}
        if self._journal.append(FrameClass.IN, Source.FEED, size, data, source_seq=self.messages, **times) is None:
            raise JournalError("tape: expected room for a frame, found the writer closed")
        self.records += len(raw) // size
        self.frames += 1


@dataclass
class _Events:
    """What each record says in our vocabulary; remembers the orders, since a change tells only what they became."""

    orders: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    touches: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    trading: set[int] = field(default_factory=set)

    def records_of(self, r: Any, listing: Listing, divisor: int) -> list[bytes]:
        """The Market records of one DBN record.

        These schemas tell no trading state: the first trade says that the instrument trades.
        """
        told = self._records_of(r, listing, divisor)
        if str(getattr(r, "action", "")) != "T" or listing.instrument in self.trading:
            return told
        self.trading.add(listing.instrument)
        return [records.trading(listing.instrument, ts=_time(r)), *told]

    def _records_of(self, r: Any, listing: Listing, divisor: int) -> list[bytes]:
        if hasattr(r, "order_id"):
            return self._of_order(r, listing.instrument, divisor)
        if hasattr(r, "min_price_increment"):
            return []
        levels = getattr(r, "levels", ())
        printed = [self._trade(r, listing.instrument, divisor)] if str(r.action) == "T" else []
        return printed + (self._quotes(r, levels[0], listing.instrument, divisor) if levels else [])

    def _of_order(self, r: Any, instrument: int, divisor: int) -> list[bytes]:
        action, key = str(r.action), (instrument, r.order_id)
        flags = records.KSNAPSHOT if r.flags & SNAPSHOT else 0
        if action == "R":
            self.orders = {k: v for k, v in self.orders.items() if k[0] != instrument}
            return [MARKET.pack(int(Type.BOOK_CLEAR), flags, 0, instrument, _time(r), 0, 0, 0, r.sequence)]
        if action == "T":
            return [self._trade(r, instrument, divisor)]
        known = self.orders.get(key)
        if action == "A" or (action == "M" and known is None):
            px = _exact(r.price, divisor)
            self.orders[key] = (px, r.size)
            is_bid = str(r.side) == "B"
            return [MARKET.pack(_ADD, flags | is_bid, 0, instrument, _time(r), r.order_id, px, r.size, 0)]
        if action == "M" and known is not None:
            return self._changed(r, instrument, known, _exact(r.price, divisor))
        if action == "C":
            return self._canceled(r, instrument, known)
        return []

    def _changed(self, r: Any, instrument: int, known: tuple[int, int], px: int) -> list[bytes]:
        self.orders[(instrument, r.order_id)] = (px, r.size)
        old_px, old_qty = known
        if px == old_px and r.size == old_qty:
            return []
        if px == old_px and r.size < old_qty:
            return [MARKET.pack(_CANCEL, 0, 0, instrument, _time(r), r.order_id, 0, old_qty - r.size, 0)]
        return [MARKET.pack(_MODIFY, 0, 0, instrument, _time(r), r.order_id, px, r.size, r.order_id)]

    def _canceled(self, r: Any, instrument: int, known: tuple[int, int] | None) -> list[bytes]:
        key = (instrument, r.order_id)
        is_whole = known is None or r.size >= known[1]
        if is_whole:
            self.orders.pop(key, None)
        elif known is not None:
            self.orders[key] = (known[0], known[1] - r.size)
        flags, qty = (_KWHOLE, 0) if is_whole else (0, r.size)
        return [MARKET.pack(_CANCEL, flags, 0, instrument, _time(r), r.order_id, 0, qty, 0)]

    def _trade(self, r: Any, instrument: int, divisor: int) -> bytes:
        px = _exact(r.price, divisor)
        # The side of a trade is the aggressor's; N, nobody's, is told as if the resting side were not BUY.
        return records.trade(instrument, str(r.side) == "A", px, r.size, ts=_time(r), trade_id=r.sequence)

    def _quotes(self, r: Any, level: Any, instrument: int, divisor: int) -> list[bytes]:
        touch = [
            (0, 0) if px == UNDEFINED_PRICE else (_exact(px, divisor), size)
            for px, size in ((level.bid_px, level.bid_sz), (level.ask_px, level.ask_sz))
        ]
        before = self.touches.get(instrument)
        self.touches[instrument] = touch
        return [
            records.quote(instrument, i == 0, px, qty, ts=_time(r), update=r.sequence)
            for i, (px, qty) in enumerate(touch)
            if before is None or before[i] != (px, qty)
        ]


def _time(r: Any) -> int:
    """The venue's time; 0 when it is not known."""
    return 0 if r.ts_event == UNDEFINED_TIME else _int64(r.ts_event)


def _received(r: Any) -> int:
    return _time(r) if r.ts_recv == UNDEFINED_TIME else _int64(r.ts_recv)


def _int64(ts: int) -> int:
    if ts > INT64_MAX:
        raise DecodeError(f"expected times in ns that fit 63 bits, found {ts}; the file is damaged")
    return ts


def _exact(price: int, divisor: int) -> int:
    px, lost = divmod(price, divisor)
    if lost or price == UNDEFINED_PRICE:
        raise DecodeError(f"expected a price that is a multiple of {divisor}e-9, found {price}e-9")
    return px


def _records(file: Path) -> Iterator[tuple[int, Any]]:
    """(bytes on disk read, metadata or record) in order."""
    try:
        from databento_dbn import DBNDecoder, DBNError
    except ImportError as error:
        raise _not_installed() from error
    decoder = DBNDecoder()
    try:
        for done, chunk in _plain(file):
            decoder.write(chunk)
            while decoded := decoder.decode():
                for record in decoded:
                    yield done, record
        left = len(decoder.buffer())
    except DBNError as error:
        raise _damaged(file, str(error)) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # the decoder's, which is no Exception
            raise
        raise _damaged(file, str(error)) from error
    if left:
        raise _damaged(file, f"{left} bytes of a record that is cut")


def _plain(file: Path) -> Iterator[tuple[int, bytes]]:
    """(bytes on disk read, the next bytes), decompressed; every zstd frame must be whole."""
    try:
        from zstandard import ZstdDecompressor, ZstdError
    except ImportError as error:
        raise _not_installed() from error
    try:
        with file.open("rb") as raw:
            chunk = raw.read(CHUNK_BYTES)
            is_zstd = chunk[:4] == ZSTD_MAGIC
            frame = None
            while chunk:
                if not is_zstd:
                    yield raw.tell(), chunk
                else:
                    while chunk:
                        frame = frame or ZstdDecompressor().decompressobj()
                        yield raw.tell(), frame.decompress(chunk)
                        chunk, frame = (frame.unused_data, None) if frame.eof else (b"", frame)
                chunk = raw.read(CHUNK_BYTES)
    except ZstdError as error:
        raise _damaged(file, str(error)) from error
    except OSError as error:
        raise DecodeError(f"expected a Databento file at {file}: {error}; check the path") from error
    if frame is not None:
        raise _damaged(file, "the end of the file inside compressed data")


def _not_installed() -> ConfigError:
    return ConfigError(
        "expected the packages databento-dbn and zstandard for .dbn files, found one missing; "
        "pip install 'openbell[databento]'"
    )


def _damaged(file: Path, found: str) -> DecodeError:
    return DecodeError(f"expected a whole Databento file at {file}, found {found}; download it again")
