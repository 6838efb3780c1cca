"""Zero-intelligence order flow: Poisson arrivals of limit orders, market orders and cancels around a drifting value.

The value of each instrument walks randomly and reverts to where it began, limit orders lie a geometric number of ticks
behind it and never cross, market orders push the touch back towards it, and cancels take any open order; the number of
open orders is steered to a target. After Farmer, Patelli, Zovko (2005), "The predictive power of zero intelligence in
financial markets", with a value added so that prices stay sane for days.

Time is an argument: stepped over the same times the same seed gives the same flow, byte for byte, as long as nobody
else trades.
"""

import heapq
import math
import random
from collections.abc import Sequence

from openbell._native import MARKET_PX, VenueCore
from openbell.exchange.config import ListedSettings
from openbell.exchange.flow_config import RandomFlowSettings
from openbell.types import Side, Tif

MARKET_SHARE = 0.1
"""Part of all events that are market orders."""
REVERSION = 0.002
"""Part of the distance to its beginning that the value loses per event."""
VOLATILITY_TICKS = 0.25
"""Standard deviation of the value's step per event."""
QTY_MEAN_LOTS = 3.0
TRIES_MAX = 8
"""Open orders that a cancel looks at before it gives up: some have been filled meanwhile."""
SECOND_NS = 1_000_000_000


class RandomFlow:
    """The flow of all instruments for one internal account of `venue`."""

    def __init__(
        self,
        venue: VenueCore,
        account: int,
        instruments: Sequence[ListedSettings],
        settings: RandomFlowSettings,
        start_ns: int,
    ) -> None:
        self._books = [_BookFlow(venue, account, n, listed, settings) for n, listed in enumerate(instruments)]
        for book in self._books:
            book.fill(start_ns)
        self._due = [(start_ns + book.wait_ns(), n) for n, book in enumerate(self._books)]
        heapq.heapify(self._due)
        self.events = 0

    @property
    def next_ns(self) -> int:
        """When the next event is due."""
        return self._due[0][0]

    def advance(self, now_ns: int, events_max: int) -> int:
        """Do what is due at `now_ns`, at most `events_max` events, each at its own time; return how many."""
        done = 0
        while self.next_ns <= now_ns and done < events_max:
            due_ns, n = self._due[0]
            self._books[n].step(due_ns)
            heapq.heapreplace(self._due, (due_ns + self._books[n].wait_ns(), n))
            done += 1
        self.events += done
        return done


class _BookFlow:
    """The flow of one instrument."""

    def __init__(
        self, venue: VenueCore, account: int, instrument: int, listed: ListedSettings, settings: RandomFlowSettings
    ) -> None:
        self.venue = venue
        self.account = account
        self.instrument = instrument
        self.tick = listed.tick_px
        self.lot = listed.round_lot
        self.settings = settings
        self.rng = random.Random(f"{settings.seed}/{listed.symbol}")
        self.start = self.value = listed.start_px / self.tick
        self.open: list[int] = []

    def wait_ns(self) -> int:
        return max(1, int(self.rng.expovariate(self.settings.events_per_s) * SECOND_NS))

    def fill(self, now_ns: int) -> None:
        """Put the first orders on both sides."""
        for n in range(self.settings.orders_target):
            self._limit(Side.BUY if n % 2 else Side.SELL, now_ns)

    def step(self, now_ns: int) -> None:
        self.value += REVERSION * (self.start - self.value) + self.rng.gauss(0.0, VOLATILITY_TICKS)
        what = self.rng.random()
        if what < MARKET_SHARE:
            self._market(now_ns)
        elif what < MARKET_SHARE + (1 - MARKET_SHARE) * self._cancel_share():
            self._cancel(now_ns)
        else:
            self._limit(self.rng.choice((Side.BUY, Side.SELL)), now_ns)

    def _cancel_share(self) -> float:
        """0.5 at the target number of open orders, 1 at twice of it."""
        return len(self.open) / (2 * self.settings.orders_target)

    def _limit(self, side: Side, now_ns: int) -> None:
        behind = int(self.rng.expovariate(1 / self.settings.depth_ticks))
        if side == Side.BUY:
            px = (math.ceil(self.value) - 1 - behind) * self.tick
            ask, qty = self.venue.touch(self.instrument, Side.SELL)
            px = min(px, ask - self.tick) if qty else px
        else:
            px = (math.floor(self.value) + 1 + behind) * self.tick
            bid, qty = self.venue.touch(self.instrument, Side.BUY)
            px = max(px, bid + self.tick) if qty else px
        if px > 0 and (order := self._submit(side, px, Tif.DAY, now_ns)):
            self.open.append(order)

    def _market(self, now_ns: int) -> None:
        """Take from the side that is on the wrong side of the value, or else from any."""
        bid, bid_qty = self.venue.touch(self.instrument, Side.BUY)
        ask, ask_qty = self.venue.touch(self.instrument, Side.SELL)
        if not bid_qty or not ask_qty:
            return
        rich = (bid + ask) / 2 / self.tick - self.value
        sell = self.rng.random() < min(0.95, max(0.05, 0.5 + 0.2 * rich))
        self._submit(Side.SELL if sell else Side.BUY, MARKET_PX, Tif.IOC, now_ns)

    def _cancel(self, now_ns: int) -> None:
        for _ in range(TRIES_MAX):
            if not self.open:
                return
            n = self.rng.randrange(len(self.open))
            self.open[n], self.open[-1] = self.open[-1], self.open[n]
            if self.venue.cancel(self.open.pop(), now_ns):
                return

    def _submit(self, side: Side, px: int, tif: Tif, now_ns: int) -> int:
        qty = self.lot * (1 + int(self.rng.expovariate(1 / QTY_MEAN_LOTS)))
        return self.venue.submit(self.account, self.instrument, side, px, qty, tif, now_ns)
