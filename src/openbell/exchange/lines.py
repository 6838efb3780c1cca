"""One line of the feed: who hears it, and what becomes of packets on the way, by chance under a seed or on command.

A packet is dropped, or held until the next one has overtaken it, or sent (perhaps twice), at once or later.
"""

import asyncio
import random
import socket
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from openbell.config_types import Address
from openbell.errors import NetError
from openbell.exchange.feed_config import RECEIVERS_MAX, LineSettings

DELAYED_BYTES_MAX = 64 * 1024 * 1024
"""What waits on a delayed line; beyond it packets are lost, and counted so."""
SEQ_AND_COUNT_OFFSET = 10
END_OF_SESSION_COUNT = 0xFFFF

Receiver = tuple[str, int]


@dataclass
class Disturbance:
    """What a line does to packets; probabilities and counts are 0 on a line that works."""

    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    delay_ms: float = 0.0
    drop_next: int = 0
    drop_seq: int = 0

    def active(self) -> dict[str, float]:
        return {name: value for name, value in asdict(self).items() if value}


@dataclass
class LineCounters:
    """What became of a line's packets; `unsent` counts what the system did not take."""

    packets: int = 0
    unsent: int = 0
    dropped: int = 0
    duplicated: int = 0
    reordered: int = 0
    overflowed: int = 0


@dataclass
class _Delayed:
    packets: deque[tuple[float, bytes]] = field(default_factory=deque)
    bytes: int = 0
    timer: asyncio.TimerHandle | None = None


class Line:
    """`send(packet, receiver)` puts one datagram on the wire, False where the system refuses it."""

    def __init__(self, settings: LineSettings, send: Callable[[bytes, Receiver], bool]) -> None:
        self.name = settings.name
        self.settings = settings
        self.receivers: list[Receiver] = []
        self.counters = LineCounters()
        self.disturbance = Disturbance()
        self.rng = random.Random(f"{settings.seed}/{settings.name}")
        self.settle()
        self._send = send
        self._held: bytes | None = None
        self._delayed = _Delayed()

    def settle(self) -> None:
        """Do to packets what the configuration says, and no more."""
        wanted = self.settings
        self.disturbance = Disturbance(wanted.loss, wanted.duplicate, wanted.reorder, wanted.delay_ms)

    def add(self, address: Address) -> None:
        """Let the receiver at `address` hear what comes next.

        Raises:
            NetError: it has no address, or the line has all the receivers it may have.
        """
        if len(self.receivers) >= RECEIVERS_MAX:
            raise NetError(f"line {self.name}: expected at most {RECEIVERS_MAX} receivers; remove one first")
        try:
            receiver = (socket.gethostbyname(address.host), address.port)
        except OSError as error:
            raise NetError(f"line {self.name}: expected to reach {address}, found: {error}") from None
        if receiver not in self.receivers:
            self.receivers.append(receiver)

    def remove(self, address: Address) -> None:
        """Send nothing more to `address`.

        Raises:
            NetError: it is no receiver of this line.
        """
        receiver = (socket.gethostbyname(address.host), address.port)
        if receiver not in self.receivers:
            known = ", ".join(f"{host}:{port}" for host, port in self.receivers) or "none"
            raise NetError(f"line {self.name}: expected one of its receivers ({known}), found {address}")
        self.receivers.remove(receiver)

    def publish(self, packet: bytes) -> None:
        """Send `packet` to every receiver, unless this line's faults have other plans for it."""
        if self._is_dropped(packet):
            self.counters.dropped += 1
            return
        overtaken, self._held = self._held, None
        is_data = _count(packet) not in (0, END_OF_SESSION_COUNT)
        if overtaken is None and is_data and self._happens(self.disturbance.reorder):
            self.counters.reordered += 1
            self._held = packet
            return
        self._leave(packet)
        if self._happens(self.disturbance.duplicate):
            self.counters.duplicated += 1
            self._leave(packet)
        if overtaken is not None:
            self._leave(overtaken)

    def flush(self) -> None:
        """Send at once what is held or delayed: the line is about to close."""
        for _, packet in self._delayed.packets:
            self._send_to_all(packet)
        if self._held is not None:
            self._send_to_all(self._held)
        self.close()

    def close(self) -> None:
        """Forget what is held or delayed."""
        if self._delayed.timer:
            self._delayed.timer.cancel()
        self._held, self._delayed = None, _Delayed()

    def status(self) -> dict[str, Any]:
        """Return receivers, counters and what the line does to packets now."""
        return {
            "receivers": [f"{host}:{port}" for host, port in self.receivers],
            **asdict(self.counters),
            "disturbance": self.disturbance.active(),
        }

    def _is_dropped(self, packet: bytes) -> bool:
        wanted, (seq, count) = self.disturbance, _seq_and_count(packet)
        if count in (0, END_OF_SESSION_COUNT):  # by chance only: drops on command are of messages
            return self._happens(wanted.loss)
        if wanted.drop_seq and seq <= wanted.drop_seq < seq + count:
            wanted.drop_seq = 0
            return True
        if wanted.drop_next:
            wanted.drop_next -= 1
            return True
        return self._happens(wanted.loss)

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self.rng.random() < probability

    def _leave(self, packet: bytes) -> None:
        """Send now, or when the delay is over; never before what already waits."""
        if not self.disturbance.delay_ms and not self._delayed.packets:
            return self._send_to_all(packet)
        if self._delayed.bytes + len(packet) > DELAYED_BYTES_MAX:
            self.counters.overflowed += 1
            return None
        loop = asyncio.get_running_loop()
        self._delayed.packets.append((loop.time() + self.disturbance.delay_ms / 1000, packet))
        self._delayed.bytes += len(packet)
        if len(self._delayed.packets) == 1:
            self._delayed.timer = loop.call_at(self._delayed.packets[0][0], self._send_delayed)
        return None

    def _send_delayed(self) -> None:
        loop, waiting = asyncio.get_running_loop(), self._delayed.packets
        while waiting and waiting[0][0] <= loop.time():
            _, packet = waiting.popleft()
            self._delayed.bytes -= len(packet)
            self._send_to_all(packet)
        if waiting:
            self._delayed.timer = loop.call_at(waiting[0][0], self._send_delayed)

    def _send_to_all(self, packet: bytes) -> None:
        self.counters.packets += 1
        for receiver in self.receivers:
            if not self._send(packet, receiver):
                self.counters.unsent += 1


def _seq_and_count(packet: bytes) -> tuple[int, int]:
    seq, count = struct.unpack_from(">QH", packet, SEQ_AND_COUNT_OFFSET)
    return seq, count


def _count(packet: bytes) -> int:
    return _seq_and_count(packet)[1]
