"""A market without an end: a simulated flow whose orders are all taken back at the end, then the same again.

Every message of the cycle lies in one array of datagrams; before each turn its sequence numbers and times are written
over, so that a day of any length takes the memory of one cycle.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from openbell import _native as native
from openbell.exchange.agents.presets import load_preset
from openbell.exchange.agents.simulation import simulate
from openbell.exchange.config import ListedSettings
from openbell.exchange.flow_config import AgentFlowSettings

SESSION = "SOAK000001"
PRESET = "steady"
PER_PACKET = 10
HEAD_BYTES, SEQ_AT, LENGTH_BYTES = 20, 10, 2
LOCATE, TS, ORDER_ID, SYMBOL_AT_ADD = slice(1, 3), slice(5, 11), slice(11, 19), slice(24, 32)
MATCH_AT_E = slice(23, 31)
OPENING = b"SRH"
"""Messages that open a day; they are said once."""


def opening(symbols: list[str]) -> list[bytes]:
    """Directory and trading state of each symbol, as they stand before the first cycle."""
    out = [native.itch_encode({"type": "S", "locate": 0, "tracking": 0, "ts": 0, "event": "O"})]
    for locate, symbol in enumerate(symbols, start=1):
        head = {"locate": locate, "tracking": 0, "ts": 0, "symbol": symbol}
        out.append(native.itch_encode({"type": "R", **head}))
        out.append(native.itch_encode({"type": "H", **head, "state": "T", "reason": ""}))
    return out


def cycle(symbols: list[str], seed: int, hours: float) -> list[bytes]:
    """The messages of one turn, in the order of their times; at its end no order is left."""
    flows = [_flow(symbol, locate, seed + locate, hours) for locate, symbol in enumerate(symbols, start=1)]
    return [message for _, message in heapq.merge(*flows, key=lambda timed: timed[0])]


def _flow(symbol: str, locate: int, seed: int, hours: float) -> Iterator[tuple[int, bytes]]:
    """(ns, message) of one instrument; orders of different instruments have different references."""
    settings = AgentFlowSettings.model_validate({"kind": "agents", "preset": PRESET, "seed": seed})
    listed = ListedSettings(symbol=symbol, px=load_preset(PRESET).facts.px)
    venue = simulate(settings, listed, hours).venue
    left: dict[bytes, int] = {}
    ts = 0
    for number in range(1, venue.itch_next):
        message = bytearray(venue.itch_message(number))
        if message[0] in OPENING:
            continue
        ts = int.from_bytes(message[TS])
        message[LOCATE] = locate.to_bytes(2)
        message[ORDER_ID.start : ORDER_ID.start + 1] = locate.to_bytes(1)
        _follow(left, message)
        yield ts, bytes(message)
    for order_id in left:
        yield ts, bytes(native.itch_encode({"type": "D", "locate": locate, "order_id": int.from_bytes(order_id)}))


def _follow(left: dict[bytes, int], message: bytearray) -> None:
    """Which orders are in the book, and their open shares.

    Raises:
        ValueError: a message that this market is not made of.
    """
    order_id = bytes(message[ORDER_ID])
    match chr(message[0]):
        case "A":
            left[order_id] = int.from_bytes(message[20:24])
        case "E" | "X":
            left[order_id] -= int.from_bytes(message[19:23])
            if left[order_id] == 0:
                del left[order_id]
        case "D":
            del left[order_id]
        case other:
            raise ValueError(f"expected A, E, X or D of the preset {PRESET!r}, found {other!r}")


@dataclass
class Turn:
    """The datagrams of a cycle, back to back in `raw`; datagram i is `raw[starts[i]:starts[i + 1]]`."""

    raw: np.ndarray
    starts: np.ndarray
    stamps: np.ndarray
    """Where each message's time begins."""
    messages: int

    @classmethod
    def of(cls, messages: list[bytes]) -> Turn:
        """Pack the messages, ten a datagram."""
        raw, starts, stamps = bytearray(), [0], []
        for at in range(0, len(messages), PER_PACKET):
            packed = messages[at : at + PER_PACKET]
            raw += SESSION.encode() + bytes(8) + len(packed).to_bytes(2)
            for message in packed:
                raw += len(message).to_bytes(2)
                stamps.append(len(raw) + TS.start)
                raw += message
            starts.append(len(raw))
        return cls(np.frombuffer(raw, np.uint8), np.array(starts), np.array(stamps), len(messages))

    def number(self, first_seq: int) -> None:
        """The cycle begins with message `first_seq` of the session."""
        _write(self.raw, self.starts[:-1] + SEQ_AT, first_seq + PER_PACKET * np.arange(len(self.starts) - 1), 8)

    def stamp(self, ts_ns: int, rate: float) -> None:
        """Its first message is of `ts_ns` since midnight, the others follow at `rate` a second."""
        _write(self.raw, self.stamps, ts_ns + (np.arange(self.messages) * (1e9 / rate)).astype(np.int64), 6)

    def packet(self, first: int, count: int, base: int) -> bytes:
        """`count` messages from `first` of a cycle that begins with message `base`, as an answer to a request."""
        blocks = b"".join(self._message(first - base + i) for i in range(count))
        return SESSION.encode() + first.to_bytes(8) + count.to_bytes(2) + blocks

    def _message(self, number: int) -> bytes:
        begin = int(self.stamps[number]) - TS.start
        size = int.from_bytes(self.raw[begin - LENGTH_BYTES : begin].tobytes())
        return self.raw[begin - LENGTH_BYTES : begin + size].tobytes()


def _write(raw: np.ndarray, at: np.ndarray, values: np.ndarray, size: int) -> None:
    """Each of `values` big-endian in `size` bytes at its place."""
    columns = values.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - size :]
    raw[at[:, None] + np.arange(size)] = columns
