"""Captures (pcap) of MoldUDP64 sessions that carry ITCH 5.0, as tapes with the times of the capture.

A capture may begin in the middle of a day, behind the Stock Directory: a locate that was not announced is announced by
the first message that names its symbol. Lines A and B are told apart by their addresses and arbitrated; what neither
has is a Gap, since nobody can be asked for it any more.
"""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from openbell._native import EdgeConfig, JournalWriter, MoldConfig, MoldItchFeed, itch_encode
from openbell.backtest.tape_directory import (
    EXCHANGE_ZONE,
    Imported,
    Progress,
    failed_checks,
    kept_out,
    midnight_ns,
    new_directory,
    only_met,
)
from openbell.errors import DecodeError, JournalError
from openbell.events import control
from openbell.feed.market_records import LARGE, SMALL
from openbell.feed.pcap import Datagram, PcapCounters, datagrams
from openbell.journal import FrameClass, Source
from openbell.types import Type

FRAME_RECORDS_MAX = 1024
MOLD_HEAD_BYTES = 20
GZIP_MAGIC = b"\x1f\x8b"
LINES_MAX = 2
SYMBOL_AT = {
    b"A": 24, b"F": 24, b"P": 24, b"Q": 19, b"H": 11, b"Y": 11, b"L": 15, b"J": 11, b"h": 11, b"I": 28, b"N": 11,
}  # fmt: skip
"""Type of an ITCH 5.0 message -> where its 8 bytes of symbol begin."""
LOST = 1
PACKETS_PER_PROGRESS = 4096
NEVER = (1 << 63) - 1


def import_pcap(
    file: Path,
    out: Path,
    *,
    day: date | None = None,
    symbols: Sequence[str] = (),
    progress: Progress | None = None,
    checks: EdgeConfig | None = None,
) -> Imported:
    """Write the ITCH of a capture to a new tape in `out`; ITCH counts from midnight of `day`, by default the capture's.

    Raises:
        DecodeError: the file is missing, damaged, or holds no MoldUDP64 session of ITCH.
        JournalError: `out` is not empty, or cannot be written.
    """
    began = time.perf_counter()
    total = file.stat().st_size
    with new_directory(out) as directory:
        journal = JournalWriter(str(directory))
        tape: _Tape | None = None
        packets = PcapCounters()
        for number, (done, datagram) in enumerate(_datagrams(file, packets)):
            if tape is None:
                tape = _Tape(journal, midnight_ns(day or _day_of(datagram.ts)), symbols, checks or EdgeConfig())
            tape.take(datagram)
            if progress and number % PACKETS_PER_PROGRESS == 0:
                progress(done, total, tape.messages)
        if tape is None or not tape.finish():
            raise DecodeError(
                f"expected UDP datagrams of a MoldUDP64 session that carries ITCH 5.0 in {file}, found none; "
                "is this a capture of another protocol?"
            )
        journal.close()
    left_out = only_met(
        packets_not_UDP=packets.other,
        fragments=packets.fragments,
        truncated_packets=packets.truncated,
        cut_last_packet=packets.cut,
        **tape.left_out,
    )
    seconds = time.perf_counter() - began
    return Imported(tape.messages, tape.unsubscribed, tape.records, tape.frames, seconds, left_out, tape.failed)


class _Tape:
    def __init__(self, journal: JournalWriter, midnight: int, symbols: Sequence[str], checks: EdgeConfig) -> None:
        config = MoldConfig()
        config.tries_max = 1  # nobody answers: what the other line does not bring in time is lost
        self._feed = MoldItchFeed(list(symbols), midnight, 0, config, checks)
        self._feed.start("", 0)
        self._journal = journal
        self._announced: set[bytes] = set()
        self._lines: dict[tuple[bytes, int], int] = {}
        self._ts = self._ts_seq = self._packets = 0
        self.records = self.frames = 0

    @property
    def messages(self) -> int:
        return int(self._feed.itch_counters["messages"])

    @property
    def unsubscribed(self) -> int:
        return int(self._feed.itch_counters["unsubscribed"])

    @property
    def failed(self) -> dict[str, int]:
        """Checks of the edge that failed, by name."""
        return failed_checks(self._feed.checks)

    @property
    def left_out(self) -> dict[str, int]:
        """Of the session's datagrams and messages, what could not be used, by its reason."""
        lines, itch = self._feed.counters, self._feed.itch_counters
        return {
            "datagrams_of_no_or_another_session": lines["wrong_session"] + lines["malformed"] + lines["implausible"],
            "malformed": itch["malformed"],
            "of_unknown_type": itch["unknown"],
            **kept_out(self._feed.checks),
        }

    def take(self, datagram: Datagram) -> None:
        """One datagram of the capture."""
        self._ts = datagram.ts
        self._packets += 1
        if datagram.ts >= self._feed.deadline_ns:
            self._feed.poll(datagram.ts)
            self._write()
        line = self._lines.setdefault((datagram.destination, datagram.port), len(self._lines))
        self._announce(datagram.payload)
        self._feed.on_packet(datagram.payload, min(line, LINES_MAX - 1), datagram.ts)
        self._write()

    def finish(self) -> bool:
        """The capture ends; False when it held no message, or most of its packets are not of one MoldUDP64 session."""
        while self._feed.deadline_ns < NEVER:
            self._feed.poll(self._feed.deadline_ns)
        self._write()
        itch = self._feed.itch_counters
        is_session = 2 * self.left_out["datagrams_of_no_or_another_session"] < self._packets
        return bool(is_session and itch["messages"] > itch["unknown"] + itch["malformed"])

    def _announce(self, payload: bytes) -> None:
        for message in _messages(payload):
            locate, kind = message[1:3], message[:1]
            if locate in self._announced or locate == b"\0\0":
                continue
            if kind == b"R":
                self._announced.add(locate)
            elif kind in SYMBOL_AT:
                self._announced.add(locate)
                symbol = message[SYMBOL_AT[kind] : SYMBOL_AT[kind] + 8].decode("latin-1").rstrip()
                head = {"locate": int.from_bytes(locate), "tracking": 0, "ts": int.from_bytes(message[5:11])}
                self._feed.push(itch_encode({"type": "R", **head, "symbol": symbol}))

    def _write(self) -> None:
        """What the feed has said since, in frames: instruments, what became of gaps, records."""
        instruments = self._feed.take_instruments()
        for at in range(0, len(instruments), LARGE):
            self._append(LARGE, instruments[at : at + LARGE])
        for what, begin, end in self._feed.take_events():
            if what == "recovered":
                self._append(LARGE, control(Type.RECOVERED, source=Source.FEED))
            elif what in ("gap", "lost"):
                self._append(
                    LARGE, control(Type.GAP, code=LOST * (what == "lost"), source=Source.FEED, values=(begin, end))
                )
        self._feed.take_seqs()
        markets = self._feed.take_markets()
        for at in range(0, len(markets), SMALL * FRAME_RECORDS_MAX):
            self._append(SMALL, markets[at : at + SMALL * FRAME_RECORDS_MAX])
        asides = self._feed.take_quarantined()
        for at in range(0, len(asides), LARGE):
            self._append(LARGE, asides[at : at + LARGE])

    def _append(self, size: int, raw: bytes) -> None:
        self._ts_seq = max(self._ts_seq, self._ts)
        data = np.frombuffer(raw, np.uint8)
        number = max(0, self._feed.next_seq - 1)
        times = {"ts_recv": self._ts, "ts_seq": self._ts_seq}
        if self._journal.append(FrameClass.IN, Source.FEED, size, data, source_seq=number, **times) is None:
            raise JournalError("tape: expected room for a frame, found the writer closed")
        self.records += len(raw) // size
        self.frames += 1


def _messages(payload: bytes) -> Iterator[bytes]:
    """The messages of a MoldUDP64 packet that are whole and long enough to be ITCH."""
    at = MOLD_HEAD_BYTES
    while at + 2 <= len(payload):
        size = int.from_bytes(payload[at : at + 2])
        message = payload[at + 2 : at + 2 + size]
        if len(message) == size >= 12:
            yield message
        at += 2 + size


def _datagrams(file: Path, counters: PcapCounters) -> Iterator[tuple[int, Datagram]]:
    try:
        with file.open("rb") as raw:
            is_gzip = raw.read(2) == GZIP_MAGIC
            raw.seek(0)
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if is_gzip else raw
            for datagram in datagrams(stream, counters):
                yield raw.tell(), datagram
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DecodeError(f"expected a whole gzip file at {file}, found it damaged: {error}") from error
    except OSError as error:
        raise DecodeError(f"expected a capture at {file}: {error}; check the path") from error


def _day_of(ts: int) -> date:
    return datetime.fromtimestamp(ts // 1_000_000_000, EXCHANGE_ZONE).date()
