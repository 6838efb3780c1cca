"""What the sessions of the soak send, made beforehand, so that sending costs next to nothing.

The mix is the usual one: 60 % orders that rest around a fixed middle, 30 % cancels, 5 % replaces, 5 % orders that sweep
the book. Sweeps take more than rests, so the book stays thin however long it goes on. Names of orders are an
account's own, so several sessions may follow one script.
"""

import random
from array import array
from dataclasses import dataclass

from bench.exchange_soak.languages import Language, Order
from openbell._native import soup_packet

TICK, TICKS, MID = 100, 50, 50_0000
SWEEP_LOTS = 10
"""A sweep takes so many times what an order brings: 5 % of them take 50 %, cancels the rest."""
RECENT = 16
"""Cancels and replaces are of one of the last so many orders."""
CHUNK_MESSAGES = 64
"""Sent at once; the next follow when the last of these is answered."""


@dataclass(frozen=True)
class Script:
    """The messages of one session's day. A place in it is how many messages have been sent."""

    language: Language
    symbol: str
    data: bytes
    ends: "array[int]"
    stops: bytes
    after: "array[int]"
    sides: bytes

    @property
    def messages(self) -> int:
        """How many messages there are."""
        return len(self.ends)

    def chunk(self, place: int) -> tuple[bytes, int]:
        """Return what to send next, and the place after it: always after an order, since an order is answered."""
        end = min(place + CHUNK_MESSAGES, self.messages)
        while not self.stops[end - 1]:
            end += 1
        return self.data[self.ends[place - 1] if place else 0 : self.ends[end - 1]], end


class _Writer:
    """Writes a script; `orders` is how many names it uses."""

    def __init__(self, language: Language, symbol: str, rng: random.Random) -> None:
        self.language, self.symbol, self.rng = language, symbol, rng
        self.packets: list[bytes] = []
        self.stops = bytearray()
        self.after = array("I", [0])
        self.sides = bytearray(1)
        self.recent: list[int] = []

    def write(self, orders: int) -> Script:
        while len(self.after) < orders:
            self._message()
        self._enter("B", 100, MID - 2 * TICKS * TICK)
        ends, end = array("I"), 0
        for packet in self.packets:
            ends.append(end := end + len(packet))
        data = b"".join(self.packets)
        return Script(self.language, self.symbol, data, ends, bytes(self.stops), self.after, bytes(self.sides))

    def _message(self) -> None:
        what, is_bid, qty = self.rng.random(), self.rng.random() < 0.5, self.rng.randint(1, 10) * 100
        side = "B" if is_bid else "S"
        passive = MID + (-TICK if is_bid else TICK) * self.rng.randint(1, TICKS)
        if what >= 0.95:
            through = MID + (TICK if is_bid else -TICK) * TICKS
            self._enter(side, SWEEP_LOTS * qty, through, rests=False)
        elif what < 0.6 or not self.recent:
            self._enter(side, qty, passive)
            self.recent = [*self.recent[1 - RECENT :], len(self.after) - 1]
        elif what < 0.9:
            number = self.recent.pop(self.rng.randrange(len(self.recent)))
            self._add(self.language.cancel(number), is_order=False)
        else:
            self._replace(self.recent.pop(self.rng.randrange(len(self.recent))), qty)

    def _enter(self, side: str, qty: int, px: int, *, rests: bool = True) -> None:
        number = self._name(side)
        self._add(self.language.enter(Order(number, self.symbol, side, qty, px, rests)), is_order=True)

    def _replace(self, prev: int, qty: int) -> None:
        side = chr(self.sides[prev])
        px = MID + (-TICK if side == "B" else TICK) * self.rng.randint(1, TICKS)
        number = self._name(side)
        self._add(self.language.replace(prev, Order(number, self.symbol, side, qty, px, rests=True)), is_order=False)
        self.recent.append(number)

    def _name(self, side: str) -> int:
        self.sides.append(ord(side))
        self.after.append(len(self.packets) + 1)
        return len(self.after) - 1

    def _add(self, message: bytes, *, is_order: bool) -> None:
        self.packets.append(soup_packet("U", message))
        self.stops.append(is_order)


def write_script(language: Language, symbol: str, orders: int, seed: str) -> Script:
    """Return a script that names `orders` orders and replaces."""
    return _Writer(language, symbol, random.Random(seed)).write(orders)
