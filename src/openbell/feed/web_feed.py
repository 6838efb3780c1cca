"""What the feeds of web venues share: books that are valid or wait for a snapshot, checks with a policy each, counters.

A feed is told messages and times and opens nothing. What a message caused is taken from it: `take_frames()` gives the
records to journal, `take_wanted()` the symbols whose snapshot somebody must fetch (REST) or subscribe to again.

    waiting --snapshot that joins--> valid --gap, fault, malformed message, disconnect--> waiting
                                        \\--a check whose policy is HALT--> halted --resync(symbol)--> waiting
                                        \\--silence of the connection--> silent --any message--> valid

A message that cannot be read changes nothing and is kept (`quarantine`); the books that it may have concerned are
invalid from then on. A feed never raises for what a venue sends.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from openbell._native import LevelBooks
from openbell.errors import DecodeError
from openbell.feed import market_records as records
from openbell.feed.market_records import Listing
from openbell.journal import Source
from openbell.types import Check

FRAME_RECORDS_MAX = 4096
"""An update of more levels than this is seen in parts, so its book is not valid until it is whole."""
QUARANTINE_MAX = 64
QUARANTINE_BYTES = 256
WINDOW, QUARANTINED_PER_WINDOW = 65_536, 64
"""Of each window of messages so many are journalled as `Quarantined`; native/feed/edge_checks.h has the same."""
LEVELS_MAX = 1 << 15
"""Levels of both sides for each book of a feed, together; one more is the fault `full`."""
NEVER = (1 << 63) - 1
Frame = tuple[int, bytes]
"""(record size, records of one frame)"""
Level = tuple[int, int]


class BookState(Enum):
    """Whether the book of one symbol can be used."""

    WAITING = auto()
    """A snapshot is needed."""
    VALID = auto()
    HALTED = auto()
    """A check said so; a person or program calls `resync`."""
    SILENT = auto()
    """Nothing came for too long, and nothing is known to be missing: the next message ends it."""


class Policy(Enum):
    """What follows when a check fails."""

    RESYNC = auto()
    """The book is invalid and a snapshot is asked for."""
    HALT = auto()
    """The book is invalid until `resync` is called."""
    MARK = auto()
    """It is counted, and the book stays as it is."""


MARKABLE = ("crossed", "px_band", "px_tick", "qty_band", "qty_lot", "clock_back")


@dataclass(frozen=True)
class Checks:
    """The policy of each check; they are always on. What would leave a wrong book in use cannot be only marked.

    Of one message a check is marked once, whatever the number of its levels. Silence has no policy: the books are not
    valid while it lasts.
    """

    sequence: Policy = Policy.RESYNC
    checksum: Policy = Policy.RESYNC
    malformed: Policy = Policy.RESYNC
    negative: Policy = Policy.RESYNC
    full: Policy = Policy.HALT
    crossed: Policy = Policy.RESYNC
    px_band: Policy = Policy.MARK
    px_tick: Policy = Policy.MARK
    qty_band: Policy = Policy.MARK
    qty_lot: Policy = Policy.MARK
    clock_back: Policy = Policy.MARK
    clock_back_ns: int = 0
    """The venue's time may go back by so much, from message to message of one symbol's depth, quotes or trades."""
    stale_ns: int = 30_000_000_000
    """Silence of the connection, signs of life included, after which its books are not valid; 0: never."""

    def __post_init__(self) -> None:
        marked = [name for name in vars(self) if name not in MARKABLE and getattr(self, name) is Policy.MARK]
        if marked:
            raise ValueError(f"expected RESYNC or HALT for {', '.join(marked)}: a book that failed it is wrong")
        if min(self.clock_back_ns, self.stale_ns) < 0:
            raise ValueError(f"expected times of 0 ns or more, found {self.clock_back_ns} and {self.stale_ns}")


@dataclass
class Counters:
    """What a feed has seen; every message is in exactly one of the first five."""

    messages: int = 0
    depth: int = 0
    quotes: int = 0
    trades: int = 0
    snapshots: int = 0
    control: int = 0
    """Answers to subscriptions, streams that make no record."""
    unsubscribed: int = 0
    malformed: int = 0
    old: int = 0
    """Updates, quotes and trades at or before what is known: duplicates and late ones."""
    buffered: int = 0
    dropped: int = 0
    """Updates that left a full buffer; the snapshot must be newer than they."""
    gaps: int = 0
    snapshots_refused: int = 0
    """Not asked for, or older than the updates that wait."""
    checksums: int = 0
    silences: int = 0
    """Longer than `Checks.stale_ns`."""
    faults: dict[str, int] = field(default_factory=dict)
    """Failed checks by name."""


@dataclass(frozen=True)
class Quarantined:
    """A message that could not be used."""

    ts_recv: int
    why: str
    raw: bytes


class WebFeed(ABC):
    """The books, records and counters of one connection; a venue's feed adds its messages and rules."""

    def __init__(self, listings: Iterable[Listing], *, source: int = Source.FEED, checks: Checks | None = None) -> None:
        self.listings: Mapping[str, Listing] = {listing.symbol: listing for listing in listings}
        self.source = source
        self.checks = checks or Checks()
        self.counters = Counters()
        self.quarantine: deque[Quarantined] = deque(maxlen=QUARANTINE_MAX)
        self.states = dict.fromkeys(self.listings, BookState.WAITING)
        self.ts_recv = 0
        ids = [listing.instrument for listing in self.listings.values()]
        # The feed's own copy, to judge a message as a whole before it is passed on as one that left a good book.
        self._books = LevelBooks(max(ids, default=0) + 1, LEVELS_MAX * max(1, len(ids)))
        self._frames: list[Frame] = []
        self._wanted: dict[str, None] = {}
        self._window = self._written = 0
        self._clocks: dict[tuple[str, str], int] = {}
        self._heard = NEVER
        """When anything came last; never, before the start."""
        self.is_silent = False

    # ---- what the owner of the connection calls ------------------------------------------------------------------

    def start(self, ts_recv: int) -> None:
        """Announce the instruments; books that wait for a snapshot are not valid from the first frame on."""
        self.ts_recv = self._heard = ts_recv
        for listing in self.listings.values():
            self._frames.append((records.LARGE, listing.record(ts_recv)))
            if listing.has_depth:
                self._say_gap(listing, ts_recv, why="no snapshot yet")
            if listing.is_trading:
                self._emit([records.trading(listing.instrument, ts=ts_recv)])

    def on_message(self, raw: bytes, ts_recv: int) -> None:
        """Take one message of the stream, received at `ts_recv` (ns)."""
        self._hear(ts_recv)
        try:
            self._take(raw)
        except DecodeError as error:
            self._distrust(error, raw)

    def on_disconnect(self, ts_recv: int) -> None:
        """The connection is gone: whatever comes after it needs a new snapshot."""
        self.ts_recv = ts_recv
        for symbol, listing in self.listings.items():
            if listing.has_depth and self.states[symbol] is not BookState.HALTED:
                self._invalidate(symbol, "disconnected", Policy.RESYNC)

    @property
    def silent_at_ns(self) -> int:
        """When the connection will have been silent for too long; NEVER while that cannot be."""
        is_watched = self.checks.stale_ns > 0 and not self.is_silent and self._heard != NEVER
        return self._heard + self.checks.stale_ns if is_watched else NEVER

    def on_time(self, now_ns: int) -> None:
        """Time has passed: whoever owns the connection says so at `silent_at_ns` at the latest."""
        if now_ns < self.silent_at_ns:
            return
        self.is_silent = True
        self.counters.silences += 1
        for symbol, listing in self.listings.items():
            if listing.has_depth and self.states[symbol] is not BookState.VALID:
                continue
            self._say_gap(listing, now_ns, why="silence", code=records.GAP_STALE)
            if listing.has_depth:
                self.states[symbol] = BookState.SILENT

    def resync(self, symbol: str) -> None:
        """Release a halted book: it waits for a snapshot, which is asked for."""
        if self.states[symbol] is BookState.HALTED:
            self._wait(symbol)

    def take_frames(self) -> list[Frame]:
        """The records since the last call, in frames of one size; everything of one message is consecutive."""
        taken, self._frames = self._frames, []
        return taken

    def take_wanted(self) -> list[str]:
        """The symbols that need a snapshot since the last call."""
        taken, self._wanted = self._wanted, {}
        return list(taken)

    def touch(self, symbol: str) -> tuple[int, int, int, int]:
        """(bid_px, bid_qty, ask_px, ask_qty) of the feed's own copy."""
        return self._books.touch(self.listings[symbol].instrument)

    # ---- what a venue's feed fills in ----------------------------------------------------------------------------

    @abstractmethod
    def _take(self, raw: bytes) -> None:
        """Decode the message and act; DecodeError when it cannot be read."""

    def _symbols_of(self, raw: bytes) -> list[str]:
        """The symbols whose book a message that cannot be read may have concerned: all, unless it can be told."""
        del raw
        return list(self.listings)

    @abstractmethod
    def _forget(self, symbol: str) -> None:
        """The book of `symbol` waits for a snapshot from here on."""

    # ---- what a venue's feed uses --------------------------------------------------------------------------------

    def _hear(self, ts_recv: int) -> None:
        """A message came, whatever it says: it ends a silence; what is missing, its number will tell."""
        self.on_time(ts_recv)
        self.counters.messages += 1
        self.ts_recv = self._heard = ts_recv
        if not self.is_silent:
            return
        self.is_silent = False
        for symbol, listing in self.listings.items():
            if not listing.has_depth:
                self._say_recovered(listing, ts=ts_recv)
            elif self.states[symbol] is BookState.SILENT:
                self._recover(symbol, ts=ts_recv, update=0)

    def _is_clock_right(self, symbol: str, stream: str, ts: int) -> bool:
        """False when the message must not be applied. A `ts` of 0 is one that the venue did not tell."""
        if ts == 0:
            return True
        last = self._clocks.get((symbol, stream), ts)
        self._clocks[(symbol, stream)] = ts
        back = last - ts
        return back <= self.checks.clock_back_ns or self._doubt(symbol, Check.CLOCK_BACK, (0, back), ts)

    def _emit(self, batch: list[bytes]) -> None:
        """Journal Market records, at most FRAME_RECORDS_MAX a frame."""
        for i in range(0, len(batch), FRAME_RECORDS_MAX):
            self._frames.append((records.SMALL, b"".join(batch[i : i + FRAME_RECORDS_MAX])))

    def _begin_snapshot(self, symbol: str) -> None:
        """A snapshot of many frames follows: the book is not valid between them."""
        self._wanted.pop(symbol, None)
        if self.states[symbol] is BookState.VALID:
            self._say_gap(self.listings[symbol], self.ts_recv, why="a new snapshot")
            self.states[symbol] = BookState.WAITING

    def _replace_book(self, symbol: str, bids: list[Level], asks: list[Level], *, ts: int, update: int) -> bool:
        """Clear the book and fill it with a snapshot; True when it passed the checks."""
        if not (self._is_clock_right(symbol, "depth", ts) and self._check_levels(symbol, bids, asks, ts)):
            return False
        listing = self.listings[symbol]
        cleared = [records.clear(listing.instrument, ts=ts, update=update)]
        return self._apply(symbol, cleared + _levels(listing, bids, asks, ts, update, records.KSNAPSHOT), ts, update)

    def _change_book(self, symbol: str, bids: list[Level], asks: list[Level], *, ts: int, update: int) -> bool:
        """Apply one update; True when the book passed the checks after it."""
        if not (self._is_clock_right(symbol, "depth", ts) and self._check_levels(symbol, bids, asks, ts)):
            return False
        return self._apply(symbol, _levels(self.listings[symbol], bids, asks, ts, update, 0), ts, update)

    def _check_levels(self, symbol: str, bids: list[Level], asks: list[Level], ts: int) -> bool:
        """False when the message must not be applied."""
        odd: dict[Check, Level] = {}
        for px, qty in (*bids, *asks):
            if qty < 0:
                self._fail(symbol, "negative", f"expected a quantity of 0 or more, found {qty} at {px}")
                return False
            if qty and (check := self.listings[symbol].oddity(px, qty)):
                odd.setdefault(check, (px, qty))
        return all(self._doubt(symbol, check, level, ts) for check, level in odd.items())

    def _doubt(self, symbol: str, check: Check, level: Level, ts: int) -> bool:
        """A check of the edge failed; True if what failed it is applied."""
        px, qty = level
        if not self._fail(symbol, check.name.lower(), f"found {qty} at {px}"):
            return False
        self._emit([records.feed_check(self.listings[symbol].instrument, check, px, qty, ts=ts)])
        return True

    def _apply(self, symbol: str, batch: list[bytes], ts: int, update: int) -> bool:
        """Judge the book as the whole message leaves it; what failed is journalled behind the Gap, for the record."""
        instrument = self.listings[symbol].instrument
        is_in_use = True
        if self._books.apply(b"".join(batch)):
            is_in_use = self._fail(symbol, "full", f"expected at most {LEVELS_MAX} levels a book, found more")
        elif self._books.is_crossed(instrument):
            bid_px, _, ask_px, _ = self._books.touch(instrument)
            is_in_use = self._fail(symbol, "crossed", f"expected bid below ask, found {bid_px} and {ask_px}")
        is_in_parts = len(batch) > FRAME_RECORDS_MAX and self.states[symbol] is BookState.VALID
        if is_in_parts:
            self._say_gap(self.listings[symbol], self.ts_recv, why=f"an update of {len(batch)} levels")
        self._emit(batch)
        if is_in_parts:
            self._recover(symbol, ts=ts, update=update)
        return is_in_use

    def _quote(self, symbol: str, bid: Level, ask: Level, *, ts: int, update: int) -> None:
        """The touch as the venue's own stream of it says, independent of the book by price."""
        if not self._is_clock_right(symbol, "quotes", ts):
            return
        of = self.listings[symbol].instrument
        self._emit([
            records.quote(of, True, *bid, ts=ts, update=update),
            records.quote(of, False, *ask, ts=ts, update=update),
        ])  # fmt: skip

    def _trade(self, symbol: str, is_resting_bid: bool, px: int, qty: int, *, ts: int, trade_id: int) -> None:
        of, check = self.listings[symbol].instrument, self.listings[symbol].oddity(px, qty)
        if check and not self._doubt(symbol, check, (px, qty), ts):
            return
        if not self._is_clock_right(symbol, "trades", ts):
            return
        self._emit([records.trade(of, is_resting_bid, px, qty, ts=ts, trade_id=trade_id)])

    def _recover(self, symbol: str, *, ts: int, update: int) -> None:
        """The book was built from a snapshot and what followed it, and passed every check: it is valid."""
        self.states[symbol] = BookState.VALID
        self._say_recovered(self.listings[symbol], ts=ts, update=update)

    def _fail(self, symbol: str, check: str, why: str, *, first: int = 0, end: int = 0) -> bool:
        """A check failed: count it and do what its policy says; True if the book stays in use."""
        self.counters.faults[check] = self.counters.faults.get(check, 0) + 1
        policy: Policy = getattr(self.checks, check)
        if policy is not Policy.MARK:
            self._invalidate(symbol, f"{check}: {why}", policy, first=first, end=end)
        return policy is Policy.MARK

    def _invalidate(self, symbol: str, why: str, policy: Policy, *, first: int = 0, end: int = 0) -> None:
        if self.states[symbol] in (BookState.VALID, BookState.SILENT):
            self.counters.gaps += 1
            self._say_gap(self.listings[symbol], self.ts_recv, first=first, end=end, why=why)
        if policy is Policy.HALT:
            self.states[symbol] = BookState.HALTED
            self._wanted.pop(symbol, None)
            self._forget(symbol)
        elif self.states[symbol] is not BookState.HALTED:
            self._wait(symbol)

    def _wait(self, symbol: str) -> None:
        self.states[symbol] = BookState.WAITING
        self._wanted[symbol] = None
        self._forget(symbol)

    def _distrust(self, error: DecodeError, raw: bytes) -> None:
        self.counters.malformed += 1
        self.quarantine.append(Quarantined(self.ts_recv, str(error), raw[:QUARANTINE_BYTES]))
        self._put_aside(raw)
        for symbol in self._symbols_of(raw):
            if self.listings[symbol].has_depth and self.states[symbol] is not BookState.HALTED:
                self._fail(symbol, "malformed", str(error))

    def _put_aside(self, raw: bytes) -> None:
        window = self.counters.messages // WINDOW
        if window != self._window:
            self._window, self._written = window, 0
        self._written += 1
        if self._written <= QUARANTINED_PER_WINDOW:
            said = records.quarantined(Check.MALFORMED, raw, ts=self.ts_recv, count=self.counters.malformed)
            self._frames.append((records.LARGE, said))

    def _say_gap(
        self, listing: Listing, ts: int, *, first: int = 0, end: int = 0, why: str = "", code: int = 0
    ) -> None:
        said = records.gap(listing.instrument, self.source, ts=ts, first=first, end=end, why=why, code=code)
        self._frames.append((records.LARGE, said))

    def _say_recovered(self, listing: Listing, *, ts: int, update: int = 0) -> None:
        said = records.recovered(listing.instrument, self.source, ts=ts, update=update)
        self._frames.append((records.LARGE, said))


def _levels(listing: Listing, bids: list[Level], asks: list[Level], ts: int, update: int, flags: int) -> list[bytes]:
    of = listing.instrument
    return [records.level(of, True, px, qty, ts=ts, update=update, flags=flags) for px, qty in bids] + [
        records.level(of, False, px, qty, ts=ts, update=update, flags=flags) for px, qty in asks
    ]
