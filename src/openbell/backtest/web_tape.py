"""Makes a tape of a recording: a first pass learns the instruments, a second feeds every message to a venue's feed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from openbell._native import JournalWriter
from openbell.backtest.tape_directory import Imported, Progress, new_directory, only_met
from openbell.backtest.web_lines import WebLine, web_lines
from openbell.errors import DecodeError, JournalError
from openbell.feed.fixed import Scale
from openbell.feed.market_records import Listing
from openbell.feed.web_feed import WebFeed
from openbell.journal import FrameClass, Source

QUOTE_CURRENCIES = ("USDT", "USDC", "BUSD", "USD", "EUR", "BTC", "ETH", "BNB")


@dataclass
class Learnt:
    """What a first pass found out about one symbol."""

    px: Scale = field(default_factory=Scale)
    qty: Scale = field(default_factory=Scale)
    has_depth: bool = False

    def see(self, *prices_and_quantities: tuple[str, str]) -> None:
        """Take prices and quantities as printed.

        Raises:
            DecodeError: one is no plain decimal number.
        """
        for px, qty in prices_and_quantities:
            self.px.see(px)
            self.qty.see(qty)


def learn(file: Path, see: Callable[[bytes, dict[str, Learnt]], None], progress: Progress | None) -> dict[str, Learnt]:
    """Read the whole recording once; `see` notes the symbols and numbers of a message. What it cannot read is left to
    the second pass, which counts it."""
    learnt: dict[str, Learnt] = {}
    for line in web_lines(file, _half(file, progress, 0)):
        try:
            see(line.body, learnt)
        except DecodeError:
            continue
    return learnt


def listings(learnt: dict[str, Learnt], symbols: Sequence[str], calendar: str) -> list[Listing]:
    """The instruments of a tape, numbered in the order of their first message.

    Raises:
        DecodeError: none is left.
    """
    wanted = [symbol for symbol in learnt if not symbols or symbol in symbols]
    if not wanted:
        raise DecodeError(
            f"expected messages of {', '.join(symbols) or 'any symbol'}, found those of "
            f"{', '.join(list(learnt)[:8]) or 'none'}; check the symbols and the kind of the file"
        )
    return [
        Listing(
            number,
            symbol,
            px_decimals=learnt[symbol].px.decimals,
            qty_decimals=learnt[symbol].qty.decimals,
            tick=learnt[symbol].px.step,
            lot=learnt[symbol].qty.step,
            currency=_currency(symbol),
            calendar=calendar,
            has_depth=learnt[symbol].has_depth,
        )
        for number, symbol in enumerate(wanted)
    ]


def write_tape(file: Path, out: Path, feed: WebFeed, began: float, progress: Progress | None) -> Imported:
    """Feed every message of the recording and write what comes of it to a new tape in `out`.

    Raises:
        DecodeError: the recording is damaged.
        JournalError: `out` is not empty, or cannot be written.
    """
    with new_directory(out) as directory:
        journal = JournalWriter(str(directory))
        tape = _Frames(journal)
        lines = iter(web_lines(file, _half(file, progress, 1)))
        for line in _started(feed, tape, lines):
            if line.ts_recv >= (silent_at := feed.silent_at_ns):
                feed.on_time(silent_at)
                tape.write(feed, line.number, silent_at)
            feed.on_message(line.body, line.ts_recv)
            tape.write(feed, line.number, line.ts_recv)
        journal.close()
    seconds = time.perf_counter() - began
    counters = feed.counters
    left_out = only_met(malformed=counters.malformed, before_a_snapshot=counters.dropped)
    return Imported(counters.messages, counters.unsubscribed, tape.records, tape.frames, seconds, left_out)


def _started(feed: WebFeed, tape: _Frames, lines: Iterable[WebLine]) -> Iterable[WebLine]:
    for number, line in enumerate(lines):
        if number == 0:
            feed.start(line.ts_recv)
            tape.write(feed, line.number, line.ts_recv)
        yield line


class _Frames:
    """Frames of a feed, one after the other, on a journal."""

    def __init__(self, journal: JournalWriter) -> None:
        self._journal = journal
        self._ts_seq = 0
        self.records = 0
        self.frames = 0

    def write(self, feed: WebFeed, number: int, ts_recv: int) -> None:
        """What the feed says since the last call, as of line `number` and `ts_recv`."""
        for size, raw in feed.take_frames():
            self._ts_seq = max(self._ts_seq, ts_recv)
            seq = self._journal.append(
                FrameClass.IN,
                Source.FEED,
                size,
                np.frombuffer(raw, np.uint8),
                source_seq=number,
                ts_recv=ts_recv,
                ts_seq=self._ts_seq,
            )
            if seq is None:
                raise JournalError("tape: expected room for a frame, found the writer closed")
            self.records += len(raw) // size
            self.frames += 1


def _half(file: Path, progress: Progress | None, which: int) -> Callable[[int, int], None] | None:
    """The file is read twice: a pass is half of the way."""
    if progress is None:
        return None
    total = file.stat().st_size
    return lambda done, lines: progress((which * total + done) // 2, total, which * lines)


def _currency(symbol: str) -> str:
    """What prices of `symbol` count in, as far as its spelling says; empty when it does not."""
    name = symbol.upper().replace("-", "").removesuffix("SWAP")
    return next((currency for currency in QUOTE_CURRENCIES if name.endswith(currency)), "")
