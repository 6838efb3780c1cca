"""Recordings of Binance's market streams, spot and USD-M futures, as tapes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from openbell.backtest.tape_directory import Imported, Progress
from openbell.backtest.web_tape import Learnt, learn, listings, write_tape
from openbell.feed import binance_messages as messages
from openbell.feed.binance import BinanceFeed


def import_binance(
    file: Path, out: Path, *, day: date | None = None, symbols: Sequence[str] = (), progress: Progress | None = None
) -> Imported:
    """Write a recording of Binance's streams to a new tape in `out`; the lines say their times, `day` is not used.

    Decimals, tick and lot are what the recording's numbers show. Futures are told by the `pu` of their depth updates.

    Raises:
        DecodeError: the file is missing, of another kind, or damaged; the message names the line.
        JournalError: `out` is not empty, or cannot be written.
    """
    del day
    began = time.perf_counter()
    seen = _Seen()
    learnt = learn(file, seen.see, progress)
    with_depth = [of for of in learnt.values() if of.has_depth]
    if len(with_depth) == 1:
        with_depth[0].px.merge(seen.snapshots.px)
        with_depth[0].qty.merge(seen.snapshots.qty)
    calendar = "BINANCE-USDM" if seen.is_futures else "BINANCE"
    feed = BinanceFeed(listings(learnt, symbols, calendar), is_futures=seen.is_futures)
    return write_tape(file, out, feed, began, progress)


class _Seen:
    def __init__(self) -> None:
        self.is_futures = False
        self.snapshots = Learnt()
        """They name no symbol: the feed takes them where one symbol has depth."""

    def see(self, raw: bytes, learnt: dict[str, Learnt]) -> None:
        message = messages.decode(raw)
        if isinstance(message, messages.Other):
            return
        if isinstance(message, messages.Snapshot):
            self.snapshots.see(*message.bids, *message.asks)
            return
        of = learnt.setdefault(message.symbol, Learnt())
        if isinstance(message, messages.Depth):
            self.is_futures |= message.pu is not None
            of.has_depth = True
            of.see(*message.bids, *message.asks)
        elif isinstance(message, messages.BookTicker):
            of.see((message.bid_px, message.bid_qty), (message.ask_px, message.ask_qty))
        else:
            of.see((message.px, message.qty))
