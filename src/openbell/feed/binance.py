"""Binance spot and USD-M futures: depth snapshot and updates, bookTicker, trades -> records. Opens no socket.

    feed = BinanceFeed(listings, is_futures=False)
    feed.start(now)
    feed.on_message(text, ts_recv)            # whatever the stream sends
    for symbol in feed.take_wanted():         # GET depth, then:
        feed.on_snapshot(symbol, body, ts_recv)
    for size, records in feed.take_frames():
        journal.append(...)

Only one of the streams `trade` and `aggTrade` becomes Trade records, the first that is seen of a symbol: both together
would count the volume twice. Depth rules: binance_depth.py; states, checks and counters: web_feed.py.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from openbell.errors import DecodeError
from openbell.feed import binance_messages as messages
from openbell.feed.binance_depth import DepthSequence, DepthUpdate, Levels, Place
from openbell.feed.fixed import fixed
from openbell.feed.market_records import Listing
from openbell.feed.web_feed import BookState, Checks, WebFeed
from openbell.journal import Source

BUFFERED_MAX = 4096
"""Updates that may wait for a snapshot: more than six minutes of a 100 ms stream."""
MS = 1_000_000
"""ns."""


class BinanceFeed(WebFeed):
    """One connection to Binance's market streams, spot or USD-M futures."""

    def __init__(
        self,
        listings: Iterable[Listing],
        *,
        is_futures: bool,
        source: int = Source.FEED,
        checks: Checks | None = None,
        buffered_max: int = BUFFERED_MAX,
    ) -> None:
        super().__init__(listings, source=source, checks=checks)
        self._sequences = {
            symbol: DepthSequence(is_futures=is_futures, buffered_max=buffered_max) for symbol in self.listings
        }
        self._last_quote = dict.fromkeys(self.listings, -1)
        self._last_trade = dict.fromkeys(self.listings, -1)
        self._trades_are_aggregates: dict[str, bool] = {}

    def on_snapshot(self, symbol: str, raw: bytes, ts_recv: int) -> None:
        """Take the answer to GET depth for `symbol`, received at `ts_recv` (ns)."""
        self._hear(ts_recv)
        try:
            self._take_snapshot(symbol, messages.decode_snapshot(raw))
        except DecodeError as error:
            self._distrust(error, raw)

    # ---- messages ------------------------------------------------------------------------------------------------

    def _take(self, raw: bytes) -> None:
        message = messages.decode(raw)
        if isinstance(message, messages.Other):
            self.counters.control += 1
        elif isinstance(message, messages.Snapshot):
            # A recording holds them among the others, without the symbol that was asked for.
            self._take_snapshot(self._only_symbol(), message)
        elif message.symbol not in self.listings:
            self.counters.unsubscribed += 1
        elif isinstance(message, messages.Depth):
            self._take_depth(message)
        elif isinstance(message, messages.BookTicker):
            self._take_quote(message)
        else:
            self._take_trade(message)

    def _symbols_of(self, raw: bytes) -> list[str]:
        name, _, stream = messages.stream_of(raw).partition("@")
        if not stream:
            return list(self.listings)
        return [s for s in self.listings if s.lower() == name.lower()] if stream.startswith("depth") else []

    def _only_symbol(self) -> str:
        with_depth = [symbol for symbol, listing in self.listings.items() if listing.has_depth]
        if len(with_depth) != 1:
            raise DecodeError(
                f"expected a snapshot of one known symbol, found one of {len(with_depth)}; give it to on_snapshot"
            )
        return with_depth[0]

    # ---- the book ------------------------------------------------------------------------------------------------

    def _take_depth(self, message: messages.Depth) -> None:
        symbol = message.symbol
        sequence = self._sequences[symbol]
        listing = self.listings[symbol]
        if message.first > message.last or (sequence.is_futures and message.pu is None):
            raise DecodeError(f"expected U <= u, and pu on futures, found U {message.first}, u {message.last}")
        update = DepthUpdate(
            message.first,
            message.last,
            message.pu,
            (message.T or message.ts) * MS,
            _parsed(message.bids, listing),
            _parsed(message.asks, listing),
        )
        self.counters.depth += 1
        if self.states[symbol] is BookState.VALID:
            self._follow(symbol, update)
        else:
            self._hold(symbol, update)

    def _hold(self, symbol: str, update: DepthUpdate) -> None:
        """Keep an update until a snapshot comes; a halted book keeps none."""
        if self.states[symbol] is not BookState.WAITING:
            return
        sequence = self._sequences[symbol]
        if not sequence.waiting:  # the snapshot must be newer than the first update that waits: asked for now
            self._wanted[symbol] = None
        self.counters.buffered += 1
        self.counters.dropped += not sequence.hold(update)

    def _take_snapshot(self, symbol: str, snapshot: messages.Snapshot) -> None:
        listing = self.listings[symbol]
        bids, asks = _parsed(snapshot.bids, listing), _parsed(snapshot.asks, listing)
        self.counters.snapshots += 1
        sequence = self._sequences[symbol]
        if self.states[symbol] is not BookState.WAITING:
            self.counters.snapshots_refused += 1
            return
        if not sequence.begin(snapshot.last):
            self.counters.snapshots_refused += 1
            self._wanted[symbol] = None
            return
        self._wanted.pop(symbol, None)
        waiting = deque(sequence.waiting)
        sequence.waiting.clear()
        is_good = self._replace_book(symbol, bids, asks, ts=snapshot.ts * MS, update=snapshot.last)
        while is_good and waiting:
            is_good = self._follow(symbol, waiting.popleft())
        if is_good:
            self._recover(symbol, ts=snapshot.ts * MS, update=sequence.last)
        for update in waiting:
            self._hold(symbol, update)

    def _follow(self, symbol: str, update: DepthUpdate) -> bool:
        """Apply the update that comes next; False: the book is not good after it."""
        sequence = self._sequences[symbol]
        place = sequence.place(update)
        if place is Place.NEXT:
            is_good = self._change_book(symbol, update.bids, update.asks, ts=update.ts_event, update=update.last)
            if is_good:
                sequence.advance(update)
            return is_good
        if place is Place.OLD:
            self.counters.old += 1
            return True
        begin = sequence.last + 1
        why = f"expected update {begin}, found {update.first} (pu {update.prev})"
        self._fail(symbol, "sequence", why, first=begin, end=update.first)
        self._hold(symbol, update)
        return False

    def _forget(self, symbol: str) -> None:
        self._sequences[symbol].wait()

    # ---- quotes and trades ---------------------------------------------------------------------------------------

    def _take_quote(self, m: messages.BookTicker) -> None:
        listing = self.listings[m.symbol]
        px, qty = listing.px_decimals, listing.qty_decimals
        bid, ask = (fixed(m.bid_px, px), fixed(m.bid_qty, qty)), (fixed(m.ask_px, px), fixed(m.ask_qty, qty))
        self.counters.quotes += 1
        if m.update <= self._last_quote[m.symbol]:
            self.counters.old += 1
            return
        self._last_quote[m.symbol] = m.update
        self._quote(m.symbol, bid, ask, ts=m.T * MS, update=m.update)

    def _take_trade(self, m: messages.Trade) -> None:
        listing = self.listings[m.symbol]
        trade_id = m.t if m.t is not None else m.a
        if trade_id is None:
            raise DecodeError("expected a trade with its id in t, or an aggTrade with it in a, found neither")
        px, qty = fixed(m.px, listing.px_decimals), fixed(m.qty, listing.qty_decimals)
        is_aggregate = m.t is None
        if self._trades_are_aggregates.setdefault(m.symbol, is_aggregate) != is_aggregate:
            self.counters.control += 1
            return
        self.counters.trades += 1
        if trade_id <= self._last_trade[m.symbol]:
            self.counters.old += 1
            return
        self._last_trade[m.symbol] = trade_id
        self._trade(m.symbol, m.is_buyer_maker, px, qty, ts=m.ts * MS, trade_id=trade_id)


def _parsed(side: list[tuple[str, str]], listing: Listing) -> Levels:
    px_decimals, qty_decimals = listing.px_decimals, listing.qty_decimals
    return [(fixed(px, px_decimals), fixed(qty, qty_decimals)) for px, qty in side]
