"""The wire tap: every byte that left an order session, read by code of its own, with what it must never say."""

from __future__ import annotations

import struct
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from tests.simulation import market as m
from tests.simulation.plan import Plan
from tests.simulation.process import NODE, QTY_MAX

from openbell.types import KillLevel

if TYPE_CHECKING:
    from tests.simulation.day import Day

ENTER = struct.Struct(">14scI8sII4scccIcc")
REPLACE = struct.Struct(">14s14sIIIccI")
CANCEL = struct.Struct(">14sI")
BASE62 = {letter: n for n, letter in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")}
SECOND = 1_000_000_000
OPENING = (b"O", b"U")


def number_of(token: str) -> tuple[int, int]:
    """(order id, version) in 14 characters: 11 and 3 of base 62."""
    value, version = 0, 0
    for letter in token[:11]:
        value = value * 62 + BASE62[letter]
    for letter in token[11:14]:
        version = version * 62 + BASE62[letter]
    return value, version


class Opened(NamedTuple):
    """A new order or a replace as it left: what the journal must have approved, and was durable."""

    cl_ord_id: int
    version: int
    px: int
    qty: int
    at_ns: int
    durable_seq: int


class WireTap:
    """`collect` reads what left in a step, and says at once what may not."""

    def __init__(self, plan: Plan, session: int = 0) -> None:
        self.session, self.symbols = session, (m.HOME, m.FAR)[session].symbols
        self.rate_max = plan.rate_max
        self.opened: list[Opened] = []
        self.cancels = 0
        self.strays = 0
        """Cancels that name what never left."""
        self.wrong: list[str] = []
        self._bytes = b""
        self._starts: deque[tuple[int, int, int]] = deque()
        """(offset in `_bytes`, ns, durable seq) of every piece."""
        self._tokens: set[str] = set()
        self._times: deque[int] = deque()
        self._was_shut = ""
        self._shut_since_ns = 0

    @property
    def half(self) -> bytes:
        """What has left of a packet whose rest has not."""
        return self._bytes

    def before(self, day: Day) -> None:
        """Why nothing may be opened in this step, if it still holds at its end. The rest is the journal's (`Model`)."""
        shut = self._shut(day)
        if shut != self._was_shut:
            self._was_shut, self._shut_since_ns = shut, day.clock.now_ns()

    def _shut(self, day: Day) -> str:
        node = day.node
        if node.native is None:
            return "no process"
        cell = node.kill_cell()
        if cell is not None and cell.level >= KillLevel.HARD:
            return f"the kill cell says {cell.level.name}, number {cell.generation}"
        if cell is not None and cell.level > cell.acked:
            return f"kill number {cell.generation} is not acknowledged"
        return ""

    def collect(self, day: Day) -> None:
        """What left since the last call."""
        shut = self._was_shut if self._was_shut == self._shut(day) else ""
        for at_ns, mark, data in day.node.streams[self.session].take_sent():
            if not data:
                self._bytes = b""  # another connection: what was cut is gone
                self._starts.clear()
                continue
            self._starts.append((len(self._bytes), at_ns, mark))
            self._bytes += data
            shut_now = shut if at_ns >= self._shut_since_ns else ""
            self._read(shut_now, day.node.native.epoch if day.node.native is not None else 0)
            if shut_now and self._bytes[3:4] in OPENING and self._bytes[2:3] == b"U":
                self.wrong.append(f"a part of {self._bytes!r} left although {shut_now}")

    def _read(self, shut: str, epoch: int) -> None:
        """Whole packets; a byte of each of them left with the last piece."""
        while len(self._bytes) >= 2:
            size = 2 + int.from_bytes(self._bytes[:2], "big")
            if len(self._bytes) < size:
                return
            packet, self._bytes = self._bytes[:size], self._bytes[size:]
            while len(self._starts) > 1 and self._starts[1][0] <= 0:
                self._starts.popleft()
            _, at_ns, mark = self._starts[0]
            self._starts = deque((at - size, ns, seq) for at, ns, seq in self._starts)
            if packet[2:3] == b"U":
                self._judge(packet[3:], at_ns, mark, shut, epoch)
            elif packet[2:3] not in b"LRO":
                self.wrong.append(f"a packet of type {packet[2:3]!r}")

    def _judge(self, message: bytes, at_ns: int, mark: int, shut: str, epoch: int) -> None:
        kind, body = message[:1], message[1:]
        if kind == b"X":
            token, _ = CANCEL.unpack(body)
            self.cancels += 1
            # Of an order whose own bytes the socket did not take in the same decision: it harms nobody.
            self.strays += token.decode() not in self._tokens
            return
        if kind == b"O":
            token, side, qty, symbol, px, _tif, firm, *_ = ENTER.unpack(body)
            if side not in (b"B", b"S", b"T") or symbol.decode().strip() not in self.symbols or firm != b"FIRM":
                self.wrong.append(f"an order with {side!r} {symbol!r} {firm!r}")
        elif kind == b"U":
            previous, token, qty, px, *_ = REPLACE.unpack(body)
            if previous.decode() not in self._tokens:
                self.wrong.append(f"a replace of {previous!r}, which never left")
        else:
            self.wrong.append(f"a message of type {kind!r}")
            return
        self._judge_opened(token.decode(), kind == b"O", px, qty, at_ns, mark, shut, epoch)

    def _judge_opened(
        self, token: str, is_new: bool, px: int, qty: int, at_ns: int, mark: int, shut: str, epoch: int
    ) -> None:
        number, version = number_of(token)
        if shut:
            self.wrong.append(f"{token} left although {shut}")
        if token in self._tokens:
            self.wrong.append(f"{token} left twice")
        if number >> 58 != NODE or (is_new and epoch and number >> 40 & 0x3FFFF != epoch):
            self.wrong.append(f"{token} is of node {number >> 58}, epoch {number >> 40 & 0x3FFFF}, now {epoch}")
        # A replace says the whole of its chain, executed shares included: what is open of it is in the journal.
        if qty <= 0 or (is_new and qty > QTY_MAX) or px <= 0 or px % m.TICK:
            self.wrong.append(f"{token} for {qty} at {px}")
        self._tokens.add(token)
        self.opened.append(Opened(number, version, px, qty, at_ns, mark))
        self._times.append(at_ns)  # whichever process it was: a new one knows what its predecessor sent
        while self._times[0] <= at_ns - SECOND:
            self._times.popleft()
        if len(self._times) > self.rate_max:
            self.wrong.append(f"{token} is number {len(self._times)} within a second, at most {self.rate_max} may be")
