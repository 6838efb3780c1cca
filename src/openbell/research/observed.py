"""What a day's market data shows of one instrument, as arrays that statistics can be computed on.

Built from Market records, so a tape, a feed and a simulated venue are observed alike. Prices are in ticks (mids may be
halves), quantities in shares, times in nanoseconds.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from openbell._native import ItchFeed, Type
from openbell.book import CHANGE, LEVEL, Books
from openbell.errors import DecodeError
from openbell.types import NO_INSTRUMENT, RECORDS, Side

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Records = npt.NDArray[np.void]
ORDERS_MAX = 1 << 20
DEPTH_TICKS = 40
DEPTH_LEVELS = 120
DEPTH_SAMPLES = 2_000


@dataclass(frozen=True)
class Observed:
    """One instrument from `start_ns` to `end_ns`.

    Quotes hold from their time on until the next. A trade is one aggressor: its executions at one time and side are
    summed; `trade_sign` is +1 when it bought and `trade_mid` the mid just before it. `depth[i]` is the mean quantity
    `i + 1` ticks from the opposite best, both sides together.
    """

    start_ns: int
    end_ns: int
    quote_ns: Ints
    bid_px: Ints
    bid_qty: Ints
    ask_px: Ints
    ask_qty: Ints
    trade_ns: Ints
    trade_sign: Ints
    trade_qty: Ints
    trade_mid: Floats
    limit_ns: Ints
    cancel_ns: Ints
    depth: Floats

    @property
    def mid(self) -> Floats:
        """The mid of every quote."""
        return (self.bid_px + self.ask_px) / 2

    def mid_at(self, times_ns: Ints) -> Floats:
        """Return the mid in force at each of `times_ns`, of the first quote before it begins."""
        return self.mid[np.maximum(np.searchsorted(self.quote_ns, times_ns, "right") - 1, 0)]

    def grid(self, step_ns: int) -> Ints:
        """Return the times from start to end, `step_ns` apart."""
        return np.arange(self.start_ns, self.end_ns + 1, step_ns)


def observe(records: Records, *, tick: int, start_ns: int, end_ns: int) -> Observed:
    """Play the records of one instrument through a book and return what it showed between the two times.

    Records before `start_ns` build the book and are not counted. `tick` is in units of the records' prices.

    Raises:
        DecodeError: the records contradict each other.
    """
    times = records["ts_event"]
    changes = _changes(records)
    ends = np.append(np.flatnonzero(np.diff(times)), len(times) - 1)  # the last record of every time
    touched = np.maximum.reduceat(changes["touched"], np.append(0, ends[:-1] + 1)) > 0
    quotes, depth = _replay(records, ends[touched], tick, start_ns, end_ns)
    inside = (times >= start_ns) & (times < end_ns)
    trades = _trades(times, records["type"], changes, inside)
    before = np.maximum(np.searchsorted(quotes[0], trades[0], "left") - 1, 0)
    kinds = records["type"]
    return Observed(
        start_ns,
        end_ns,
        *quotes,
        *trades,
        trade_mid=(quotes[1][before] + quotes[3][before]) / 2,
        limit_ns=times[inside & ((kinds == Type.BOOK_ADD) | (kinds == Type.BOOK_MODIFY))],
        cancel_ns=times[inside & ((kinds == Type.BOOK_CANCEL) | (kinds == Type.BOOK_MODIFY))],
        depth=depth,
    )


def _books(instrument: int) -> Books:
    books = Books(instrument + 1, ORDERS_MAX)
    books.add_instrument(instrument)
    return books


def _changes(records: Records) -> Records:
    changes: Records = np.asarray(_books(int(records["instrument"][0])).changes(records)).view(CHANGE)[:, 0]
    if changes["fault"].any():
        at = int(np.flatnonzero(changes["fault"])[0])
        raise DecodeError(f"expected records of one book, found fault {changes['fault'][at]} at record {at}")
    return changes


def _replay(
    records: Records, cuts: Ints, tick: int, start_ns: int, end_ns: int
) -> tuple[tuple[Ints, Ints, Ints, Ints, Ints], Floats]:
    """Every quote with both sides, and the mean depth at regular times."""
    instrument = int(records["instrument"][0])
    books = _books(instrument)
    times = records["ts_event"]
    rows: list[tuple[int, int, int, int, int]] = []
    depth, samples, sample_step = np.zeros(DEPTH_TICKS), 0, max(1, (end_ns - start_ns) // DEPTH_SAMPLES)
    sample_ns, at = start_ns, 0
    touch, apply = books.touch, books.apply
    for cut, time in zip((cuts + 1).tolist(), times[cuts].tolist(), strict=True):
        if time >= end_ns:
            break
        if time > sample_ns and rows:
            depth += _depth(books, instrument, tick)
            samples += 1
            sample_ns = max(sample_ns + sample_step, time)
        apply(records[at:cut])
        at = cut
        bid, bid_qty, ask, ask_qty = touch(instrument)
        if bid_qty and ask_qty:
            rows.append((time, bid // tick, bid_qty, ask // tick, ask_qty))
    table = np.array(rows, dtype=np.int64).reshape(-1, 5).T
    first = max(int(np.searchsorted(table[0], start_ns, "right")) - 1, 0)  # the one in force at the start
    table = table[:, first:]
    return (table[0], table[1], table[2], table[3], table[4]), depth / max(samples, 1)


def _depth(books: Books, instrument: int, tick: int) -> Floats:
    """Mean quantity of both sides at 1, 2, ... ticks from the opposite best."""
    out = np.zeros(DEPTH_TICKS)
    bid, _, ask, _ = books.touch(instrument)
    for side, best in ((Side.BUY, ask), (Side.SELL, bid)):
        levels: Records = np.asarray(books.depth(instrument, side, DEPTH_LEVELS)).view(LEVEL)[:, 0]
        distance = np.abs(levels["px"] - best) // tick
        near = (distance >= 1) & (distance <= DEPTH_TICKS)
        np.add.at(out, distance[near] - 1, levels["qty"][near] / 2)
    return out


def _trades(times: Ints, kinds: Ints, changes: Records, inside: npt.NDArray[np.bool_]) -> tuple[Ints, Ints, Ints]:
    at = np.flatnonzero((kinds == Type.BOOK_EXECUTE) & inside)
    ns, sign = times[at], np.where(changes["side"][at] == Side.SELL, 1, -1)
    if not len(at):
        return ns, sign, changes["qty"][at]
    first = np.flatnonzero(np.append(True, (np.diff(ns) != 0) | (np.diff(sign) != 0)))
    return ns[first], sign[first], np.add.reduceat(changes["qty"][at], first)


def records_of(messages: Callable[[int], bytes], count: int, symbol: str) -> Records:
    """Return the Market records of `symbol` in the ITCH messages `messages(1)` to `messages(count)`."""
    feed = ItchFeed([symbol])
    for n in range(1, count + 1):
        feed.push(messages(n))
    records: Records = np.frombuffer(feed.take_markets(), RECORDS["Market"])
    of_it: Records = records[records["instrument"] != NO_INSTRUMENT]
    return of_it
