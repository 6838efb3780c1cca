"""A LOBSTER day as NASDAQ ITCH 5.0: a real day's order flow for our own exchange, and for tapes.

A LOBSTER file shows only the best `levels` price levels; ITCH announces every order. What a row of the order
book file shows and the messages do not explain (all of row 0, a level that comes into view at the bottom) becomes
a made-up Add just before it is seen, under the references that the file names later at that price, so that their
executions and deletes resolve. What a level lost while it was out of view becomes a made-up Cancel or Delete.
So after the last message of row i the best levels of the ITCH book are exactly row i of the order book file.

Prices are 1e-4 dollars, quantities shares, times ns since midnight, US Eastern. Sources: the LOBSTER read-me in each
zip; NASDAQ TotalView-ITCH 5.0.
"""

from collections.abc import Iterator
from pathlib import Path

from openbell._native import itch_encode
from openbell.errors import DecodeError
from openbell.exchange.lobster_file import (
    ASK,
    BID,
    CANCEL,
    DELETE,
    EXECUTION,
    HALT,
    HIDDEN_EXECUTION,
    NEW,
    LobsterDay,
    load_lobster,
)

MADE_UP_REFERENCE = 1 << 40
"""References from here on are ours: orders that the file never names. The file's own are below 2**32."""
HALT_STATES = {-1: "H", 0: "Q", 1: "T"}
"""Price of a type 7 row -> ITCH trading state: halted, quotation only, trading."""
Timed = tuple[int, bytes]
"""(ns since midnight US Eastern, one ITCH message)"""


def itch_messages(source: Path | str | LobsterDay, *, symbol: str = "AMZN", locate: int = 1) -> Iterator[Timed]:
    """The day as (ns since midnight US Eastern, ITCH message) in the order of the file.

    Every message of row i carries i mod 65536 as its tracking number; the start of the day (S, R, H) carries 0.

    Raises:
        DecodeError: the file is missing, of another kind, or names an order that its book cannot hold.
    """
    day = source if isinstance(source, LobsterDay) else load_lobster(source)
    yield from _Conversion(day, symbol, locate).messages()


class _Conversion:
    """The ITCH book as sent so far, and what the rest of the file says about its orders.

    `level[side][px]` holds reference -> quantity in the order of arrival. `owed` is what later rows take from an
    order (none: the file does not name it again), `sized` the orders for which that is everything because their last
    row is a Delete, `foreign` the (row, reference) of orders named at a (side, price) but never added.
    """

    def __init__(self, day: LobsterDay, symbol: str, locate: int) -> None:
        self.day, self.symbol = day, symbol
        self.head = {"locate": locate, "tracking": 0, "ts": day.start_ns}
        self.level: tuple[dict[int, dict[int, int]], dict[int, dict[int, int]]] = ({}, {})
        self.owed: dict[int, int] = {}
        self.sized: set[int] = set()
        self.foreign: dict[tuple[int, int], list[tuple[int, int]]] = {}
        self.made_up = MADE_UP_REFERENCE
        self.match_id = 0
        # How far each row sees: the worst visible price of a side, negated for bids so that larger is further.
        self.view = (day.book[:, -4], -day.book[:, -2])
        self._read_ahead()

    def _read_ahead(self) -> None:
        day, added = self.day, set[int]()
        for row, (kind, reference, qty, px, side) in enumerate(day.events()):
            if kind == NEW:
                added.add(reference)
            elif kind in (CANCEL, DELETE, EXECUTION):
                if reference not in self.owed and reference not in added:
                    self.foreign.setdefault((side, px), []).append((row, reference))
                self.owed[reference] = self.owed.get(reference, 0) + qty
                if kind == DELETE:
                    self.sized.add(reference)

    def messages(self) -> Iterator[Timed]:
        day = self.day
        yield from ((day.start_ns, message) for message in self._day_start())
        seen = [-(1 << 62), -(1 << 62)]
        views = zip(self.view[ASK].tolist(), self.view[BID].tolist(), strict=True)
        for row, (ns, view, event) in enumerate(zip(day.time_ns.tolist(), views, day.events(), strict=True)):
            self.head["tracking"], self.head["ts"] = row & 0xFFFF, ns
            for side in (ASK, BID):
                if view[side] > seen[side]:
                    for message in self._come_into_view(row, side, seen[side]):
                        yield ns, message
                seen[side] = view[side]
            yield ns, self._apply(row, *event)

    def _day_start(self) -> Iterator[bytes]:
        yield self._event("O")
        yield itch_encode({"type": "R", **self.head, "symbol": self.symbol})
        yield self._trading_action("T")
        yield self._event("S")
        yield self._event("Q")

    def _apply(self, row: int, kind: int, reference: int, qty: int, px: int, side: int) -> bytes:
        """The row's own message."""
        if kind == HIDDEN_EXECUTION:
            return self._trade(qty, px)
        if kind == HALT:
            return self._trading_action(HALT_STATES[px])
        if kind == NEW:
            return self._add((side, px), reference, qty)
        if self.level[side].get(px, {}).get(reference, 0) < qty:
            raise DecodeError(
                f"expected row {row} to take {qty} shares from an order that the book shows, found order {reference} "
                f"at {px}, which the rows before leave no room for; the two files are not of one day"
            )
        self.owed[reference] -= qty
        return self._reduce((side, px), reference, qty, executed=kind == EXECUTION)

    def _come_into_view(self, row: int, side: int, seen: int) -> Iterator[bytes]:
        """Make every level of `side` that lies beyond `seen` and is shown by this row what the row shows."""
        day, sign = self.day, 1 if side == ASK else -1
        shown = day.book[row].reshape(-1, 4)[:, 2 * side : 2 * side + 2].tolist()
        wanted = {px: qty for px, qty in shown if qty and sign * px > seen}
        limit = int(self.view[side][row])
        stale = [px for px in self.level[side] if seen < sign * px <= limit and px not in wanted]
        wanted.update(dict.fromkeys(stale, 0))
        kind, px, qty = int(day.kind[row]), int(day.px[row]), int(day.qty[row])
        if int(day.side[row]) == side and sign * px > seen and kind in (NEW, CANCEL, DELETE, EXECUTION):
            # What the row's own message will add or take is not made up.
            wanted[px] = wanted.get(px, 0) + (-qty if kind == NEW else qty)
        for px, qty in wanted.items():
            yield from self._settle(row, (side, px), qty)

    def _settle(self, row: int, at: tuple[int, int], qty: int) -> Iterator[bytes]:
        """Make the level at hand hold `qty`, keeping and adding the orders that the file names later."""
        level = self.level[at[0]].get(at[1], {})
        for reference in [r for r in level if self.owed.get(r) and r in self.sized]:
            if (surplus := level[reference] - self.owed[reference]) > 0:
                yield self._reduce(at, reference, surplus)
        named = [r for r in self._foreign_in_view(row, at) if r not in level]
        surplus = sum(level.values()) + sum(self.owed[r] for r in named) - qty
        for reference in reversed(list(level)):
            if surplus > 0 and (spare := min(surplus, level[reference] - self.owed.get(reference, 0))) > 0:
                yield self._reduce(at, reference, spare)
                surplus -= spare
        for reference in named:
            yield self._add(at, reference, self.owed[reference])
        if surplus < 0:
            self.made_up += 1
            yield self._add(at, self.made_up, -surplus)

    def _foreign_in_view(self, row: int, at: tuple[int, int]) -> Iterator[int]:
        """Orders named at this level before it goes out of view again: they rest there now."""
        side, px = at
        key = px if side == ASK else -px
        orders = self.foreign.get(at, [])
        while orders and orders[0][0] < row:
            orders.pop(0)
        start = row
        for named, reference in orders:
            if (self.view[side][start:named] < key).any():
                return
            start = named
            yield reference

    def _add(self, at: tuple[int, int], reference: int, qty: int) -> bytes:
        side, px = at
        self.level[side].setdefault(px, {})[reference] = qty
        order = {"order_id": reference, "side": "SB"[side], "qty": qty, "symbol": self.symbol, "px": px}
        return itch_encode({"type": "A", **self.head, **order})

    def _reduce(self, at: tuple[int, int], reference: int, qty: int, executed: bool = False) -> bytes:
        side, px = at
        level = self.level[side][px]
        level[reference] -= qty
        if is_gone := level[reference] == 0:
            del level[reference]
            if not level:
                del self.level[side][px]
        if executed:
            self.match_id += 1
            match = {"order_id": reference, "qty": qty, "match_id": self.match_id}
            return itch_encode({"type": "E", **self.head, **match})
        if is_gone:
            return itch_encode({"type": "D", **self.head, "order_id": reference})
        return itch_encode({"type": "X", **self.head, "order_id": reference, "qty": qty})

    def _trade(self, qty: int, px: int) -> bytes:
        self.match_id += 1
        print_ = {"side": "B", "qty": qty, "symbol": self.symbol, "px": px, "match_id": self.match_id}
        return itch_encode({"type": "P", **self.head, **print_})

    def _event(self, code: str) -> bytes:
        return itch_encode({"type": "S", **self.head, "locate": 0, "event": code})

    def _trading_action(self, state: str) -> bytes:
        return itch_encode({"type": "H", **self.head, "symbol": self.symbol, "state": state})
