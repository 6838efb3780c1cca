"""What trades in the simulation: restless, and a rogue that misbehaves when it is told to."""

import random
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from tests.simulation import discipline

from openbell import _native as native
from openbell.strategy import Strategy, param
from openbell.types import Side, Tif

PERIOD_NS = 3_000_000


class Restless(Strategy):
    """Quotes, requotes, crosses, cancels and sets timers, as its random source says. Compiles."""

    size: int = param(20)
    decisions: int = 0
    signals: int = 0
    is_news: bool = False

    def on_start(self, ctx):
        ctx.set_timer(1, ctx.now_ns + PERIOD_NS)

    def on_signal(self, ctx, signal):
        self.signals += 1

    def on_timer(self, ctx, timer_id):
        ctx.set_timer(timer_id, ctx.now_ns + PERIOD_NS)
        if self.is_news and ctx.random() < 0.15:
            ctx.cancel_all()
        self.is_news = False

    def on_book(self, ctx, book):
        self.is_news = True
        if not (book.is_valid and book.bid_px > 0 and book.ask_px > 0) or ctx.random() < 0.7:
            return
        self.decisions += 1
        draw = ctx.random()
        qty = 1 + int(ctx.random() * self.size)
        if draw < 0.8:
            skew = int(ctx.random() * 5.0) * book.tick
            ask_px = max(book.ask_px, book.bid_px + book.tick) + skew
            ctx.quote(book.instrument, bid_px=book.bid_px - skew, bid_qty=qty, ask_px=ask_px, ask_qty=qty)
        elif ctx.position(book.instrument) > 0:
            ctx.order(book.instrument, Side.SELL, book.bid_px, qty, Tif.IOC)
        else:
            ctx.order(book.instrument, Side.BUY, book.ask_px, qty, Tif.IOC)


@dataclass
class Mischief:
    """What the rogue does at its next callback."""

    clock: native.SimClock | None = None
    raises: bool = False
    takes_ns: int = 0
    floods: int = 0
    opens: bool = False
    strays: int = 0
    """Callbacks in which the host's own clock and chance were in reach: the seed does not say what comes of them."""

    def behave(self) -> None:
        """Nothing more of it."""
        self.raises, self.takes_ns, self.floods, self.opens = False, 0, 0, False


MISCHIEF = Mischief()


class Rogue(Strategy):
    """Trades a little, by clocks and chance of its own, and is wrong on command."""

    asked: int = 0

    def on_book(self, ctx, book):
        MISCHIEF.strays += not discipline.is_on()
        if MISCHIEF.takes_ns and MISCHIEF.clock is not None:
            MISCHIEF.clock.advance(MISCHIEF.takes_ns)
            MISCHIEF.takes_ns = 0
        if MISCHIEF.opens:
            MISCHIEF.opens = False
            Path("/etc/hostname").read_text()
        if not (book.is_valid and book.bid_px > 0 and book.ask_px > 0):
            return
        for n in range(MISCHIEF.floods):
            ctx.order(book.instrument, Side.BUY, book.bid_px - (n % 7) * book.tick, 1 + n % 9)
        if random.random() < 0.05 or time.time_ns() % 50 == 0 or MISCHIEF.floods or MISCHIEF.raises:
            self.asked += 1
            ctx.order(book.instrument, Side.BUY if uuid.uuid4().int % 2 else Side.SELL, book.bid_px, 1, Tif.IOC)
        MISCHIEF.floods = 0
        if MISCHIEF.raises:
            MISCHIEF.raises = False
            raise ValueError("the rogue raises")
