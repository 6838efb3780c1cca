"""Bars and features once more, slow and obvious: one dict per book, fractions for sums, one trade at a time."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openbell.journal import open_journal
from openbell.types import BUY, SELL, Side, Type
from oracles.book import NEGATIVE, NO_INSTRUMENT, OK, Book, Books

IS_BUY, PRINTABLE, SNAPSHOT = 1, 8, 16
REBUILT, FROM_SNAPSHOT = 2, 1
"""Codes of Gap and Recovered."""
NOBODY = 0xFFFF_FFFF
NONE = math.nan
CROSSES = set(b"OCHI")
Touch = tuple[int, int, int, int]  # bid px, qty, ask px, qty


class ByPrice:
    """A book of levels, or of one quote a side."""

    def __init__(self) -> None:
        self.levels: dict[Side, dict[int, int]] = {BUY: {}, SELL: {}}
        self.is_of_quotes = True

    def depth(self, side: Side) -> list[tuple[int, int, int]]:
        return [(px, self.levels[side][px], 1) for px in sorted(self.levels[side], reverse=side == BUY)]

    def touch(self) -> Touch:
        bids, asks = self.depth(BUY), self.depth(SELL)
        return (bids[0][:2] if bids else (0, 0)) + (asks[0][:2] if asks else (0, 0))

    def set(self, kind: Type, side: Side, px: int, qty: int) -> None:
        if kind == Type.QUOTE and not self.is_of_quotes:
            return
        if kind == Type.BOOK_LEVEL and self.is_of_quotes:
            self.is_of_quotes, self.levels = False, {BUY: {}, SELL: {}}
        if kind == Type.QUOTE:
            self.levels[side].clear()
        self.levels[side][px] = qty
        if qty == 0:
            del self.levels[side][px]


@dataclass
class News:
    """What a record did: a print (px, qty, sign), a change of the touch, or both."""

    ts: int
    instrument: int
    print_: tuple[int, int, int] | None = None
    change: tuple[Touch, Touch] | None = None


class Pass:
    """A tape through the oracle's books. `events()` yields the time of each record before it changes anything, the
    news of it after, and None at the end of every frame."""

    def __init__(self, tape: Path, instruments: list[int], *, clock: str, signs: str, sided: bool) -> None:
        self.tape, self.clock, self.signs, self.sided = tape, clock, signs, sided
        self.instruments = instruments
        self.books = Books([], 1 << 30, 1 << 30)
        self.valid: dict[int, bool] = {}
        self.broken: dict[int, set[str]] = {}
        self.is_rebuilding = False
        self.by_price: dict[int, ByPrice] = {}
        self.trade_px: dict[int, int] = {}
        self.tick: dict[int, int] = {}

    def events(self) -> Iterator[int | News | None]:
        for frame in open_journal(self.tape):
            for i in range(len(frame.raw)):
                record = frame.record(i)
                if record.dtype.itemsize == 48:
                    yield from self._market(frame, record)
                else:
                    self._large(record)
            yield None

    def touch(self, instrument: int) -> Touch:
        touch: Touch = self.book(instrument).touch()
        return touch

    def book(self, instrument: int) -> Any:
        return self.by_price.get(instrument) or self.books.books[instrument]

    def is_valid(self, instrument: int) -> bool:
        return self.valid.get(instrument, False)

    def _market(self, frame: Any, record: Any) -> Iterator[int | News]:
        kind, instrument = Type(int(record["type"])), int(record["instrument"])
        if instrument not in self.instruments or kind > Type.TRADE:
            return
        told_ts = int(record["ts_event"])
        news = News(told_ts if self.clock == "event" and told_ts else frame.ts_recv, instrument)
        yield news.ts
        self._apply(kind, record, news)
        if news.print_ or news.change:
            yield news

    def _apply(self, kind: Type, record: Any, news: News) -> None:
        flags, instrument = int(record["flags"]), news.instrument
        valid = self.is_valid(instrument)
        before = self.touch(instrument) if valid else (0, 0, 0, 0)
        if kind == Type.TRADE:
            if flags & PRINTABLE:
                sign: int | None = (-1 if flags & IS_BUY else 1) if self.sided else None
                if not flags & IS_BUY and int(record["order_id"]) in CROSSES:
                    sign = 0
                news.print_ = self._print(instrument, int(record["px"]), int(record["qty"]), sign, before)
            return
        fault, _, side, px, qty = self._change(kind, record)
        if fault == NO_INSTRUMENT:
            return
        if fault != OK:
            self.valid[instrument] = False
            self.broken[instrument].add("contradicted")
            return
        if kind == Type.BOOK_CLEAR:
            self.broken[instrument] &= {"lost"} if flags & SNAPSHOT else set()
            return
        if kind == Type.BOOK_EXECUTE and flags & PRINTABLE:
            news.print_ = self._print(instrument, px, qty, -1 if side == BUY else 1, before)
        after = self.touch(instrument)
        if valid and after != before and not flags & SNAPSHOT:
            news.change = (before, after)

    def _change(self, kind: Type, record: Any) -> tuple[int, bool, int, int, int]:
        instrument = int(record["instrument"])
        if kind == Type.BOOK_CLEAR and instrument in self.by_price:
            for levels in self.by_price[instrument].levels.values():
                levels.clear()
        if kind not in (Type.BOOK_LEVEL, Type.QUOTE):
            return self.books.apply(record)
        if instrument not in self.books.books:
            return (NO_INSTRUMENT, False, BUY, 0, 0)
        if int(record["qty"]) < 0:
            return (NEGATIVE, False, BUY, 0, 0)
        book = self.by_price.setdefault(instrument, ByPrice())
        side = BUY if int(record["flags"]) & IS_BUY else SELL
        book.set(kind, side, int(record["px"]), int(record["qty"]))
        return (OK, False, side, 0, 0)

    def _print(self, instrument: int, px: int, qty: int, told: int | None, touch: Touch) -> tuple[int, int, int]:
        last = self.trade_px.get(instrument, px)
        if px != last:
            self.tick[instrument] = 1 if px > last else -1
        self.trade_px[instrument] = px
        if told == 0 or (told is not None and self.signs == "auto"):
            return px, qty, told
        bid, bid_qty, ask, ask_qty = touch
        if bid_qty and ask_qty and 2 * px != bid + ask:
            return px, qty, 1 if 2 * px > bid + ask else -1
        return px, qty, self.tick.get(instrument, 0)

    def _large(self, record: Any) -> None:
        kind, of = Type(int(record["type"])), int(record["instrument"])
        if kind == Type.INSTRUMENT and of in self.instruments and of not in self.valid:
            self.books.books[of] = Book()
            self.valid[of] = not self.is_rebuilding
            self.broken[of] = {"lost"} if self.is_rebuilding else set()
        elif kind in (Type.GAP, Type.RECOVERED):
            code, is_open = int(record["code"]), kind == Type.GAP
            if is_open and code == REBUILT:
                self.is_rebuilding = True
            if not is_open and code == FROM_SNAPSHOT:
                self.is_rebuilding = False
            for instrument in self.valid:
                if of in (NOBODY, instrument):
                    if is_open and code:
                        self.broken[instrument].add("lost")
                    if not is_open and code == FROM_SNAPSHOT:
                        self.broken[instrument].discard("lost")
                    self.valid[instrument] = not is_open and not self.broken[instrument]


def order_flow(before: Touch, after: Touch) -> int:
    """e_n of Cont, Kukanov and Stoikov; an empty side has the worst price."""
    bid0, bid1 = (t[0] if t[1] else -math.inf for t in (before, after))
    ask0, ask1 = (t[2] if t[3] else math.inf for t in (before, after))
    e = 0
    if bid1 >= bid0:
        e += after[1]
    if bid1 <= bid0:
        e -= before[1]
    if ask1 <= ask0:
        e -= after[3]
    if ask1 >= ask0:
        e += before[3]
    return e


def squared_return(before: Touch, after: Touch) -> float:
    if not all((before[1], before[3], after[1], after[3])):
        return 0.0
    one, two = before[0] + before[2], after[0] + after[2]
    if one <= 0 or two <= 0:
        return 0.0
    return math.log(two / one) ** 2


def imbalance(book: Any, levels: int) -> float:
    bids, asks = (sum(qty for _, qty, _ in book.depth(side)[:levels]) for side in (BUY, SELL))
    return (bids - asks) / (bids + asks) if bids + asks else NONE


def features(
    tape: Path,
    instruments: list[int],
    *,
    every: int = 0,
    levels: int = 1,
    start: int = -(2**63),
    end: int = 2**63 - 1,
    clock: str = "event",
    signs: str = "auto",
    sided: bool = True,
) -> list[dict[str, Any]]:
    """Rows as dicts, in the order in which the native pass writes them."""
    play = Pass(tape, instruments, clock=clock, signs=signs, sided=sided)
    rows: list[dict[str, Any]] = []
    waiting: dict[int, list[News]] = {i: [] for i in instruments}
    dirty: dict[int, int] = {}  # instrument -> time of its last news, in the order of the first
    interval = -(2**63)

    def write(ordered: list[int], ts: int | None) -> None:
        for instrument in ordered:
            if play.is_valid(instrument):
                at = dirty[instrument] if ts is None else ts
                rows.append(_row(at, instrument, waiting[instrument], play.book(instrument), levels))
                waiting[instrument] = []
        dirty.clear()

    for event in play.events():
        if event is None:
            if every == 0:
                write(list(dirty), None)
        elif isinstance(event, News):
            if start <= event.ts < end:
                waiting[event.instrument].append(event)
                dirty[event.instrument] = event.ts
        elif every and event >= end:
            write(sorted(dirty), min(interval + every, end))
        elif every and event >= start and event // every * every > interval:
            write(sorted(dirty), interval + every)
            interval = event // every * every
    write(sorted(dirty), min(interval + every, end))
    return rows


def _row(ts: int, instrument: int, news: list[News], book: Any, levels: int) -> dict[str, Any]:
    bid, bid_qty, ask, ask_qty = book.touch()
    both = bid_qty > 0 and ask_qty > 0
    prints = [n.print_ for n in news if n.print_]
    changes = [n.change for n in news if n.change]
    return {
        "ts": ts,
        "instrument": instrument,
        "bid_px": bid,
        "bid_qty": bid_qty,
        "ask_px": ask,
        "ask_qty": ask_qty,
        "mid": (bid + ask) / 2 if both else NONE,
        "microprice": (bid * ask_qty + ask * bid_qty) / (bid_qty + ask_qty) if both else NONE,
        "imbalance": imbalance(book, levels),
        "order_flow_imbalance": sum(order_flow(*change) for change in changes),
        "realised_volatility": math.sqrt(math.fsum(squared_return(*change) for change in changes)),
        "trades": len(prints),
        "volume": sum(qty for _, qty, _ in prints),
        "signed_volume": sum(qty * sign for _, qty, sign in prints),
        "trade_sign": prints[-1][2] if prints else 0,
    }


def bars(
    tape: Path,
    instruments: list[int],
    by: str,
    size: int,
    *,
    unit_decimals: int = 4,
    start: int = -(2**63),
    end: int = 2**63 - 1,
    clock: str = "event",
    signs: str = "auto",
    sided: bool = True,
) -> list[dict[str, Any]]:
    """Bars as dicts, in the order in which the native pass closes them; notional in units of price x quantity."""
    play = Pass(tape, instruments, clock=clock, signs=signs, sided=sided)
    rows: list[dict[str, Any]] = []
    prints: dict[int, list[tuple[int, int, int, int]]] = {}  # instrument -> (ts, px, qty, sign) of its open bar
    interval = -(2**63)

    def close_all() -> None:
        for instrument in sorted(prints):
            rows.append(_bar(instrument, prints[instrument]) | {"start": interval, "end": interval + size})
        prints.clear()

    for event in play.events():
        if isinstance(event, News):
            if event.print_ and start <= event.ts < end:
                held = prints.setdefault(event.instrument, [])
                held.append((event.ts, *event.print_))
                full = {
                    "tick": len(held),
                    "volume": sum(qty for _, _, qty, _ in held),
                    "dollar": sum(px * qty for _, px, qty, _ in held) // 10**unit_decimals,
                }
                if by != "time" and full[by] >= size:
                    rows.append(_bar(event.instrument, prints.pop(event.instrument)))
        elif event is not None and by == "time" and event // size * size > interval:
            close_all()
            interval = event // size * size
    if by == "time":
        close_all()
    return rows


def _bar(instrument: int, prints: list[tuple[int, int, int, int]]) -> dict[str, Any]:
    px = [p for _, p, _, _ in prints]
    volume = sum(qty for _, _, qty, _ in prints)
    notional = sum(p * qty for _, p, qty, _ in prints)
    return {
        "start": prints[0][0],
        "end": prints[-1][0],
        "instrument": instrument,
        "open": px[0],
        "high": max(px),
        "low": min(px),
        "close": px[-1],
        "volume": volume,
        "buy_volume": sum(qty for _, _, qty, sign in prints if sign > 0),
        "sell_volume": sum(qty for _, _, qty, sign in prints if sign < 0),
        "trades": len(prints),
        "notional": float(notional),
        "vwap": float(notional) / volume,
    }
