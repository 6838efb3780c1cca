"""Tapes: their messages with their times, and playing them at their own or another speed."""

import asyncio
import struct
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from openbell.errors import DecodeError
from openbell.exchange.flow_config import TapeFlowSettings

EVENTS_PER_TURN_MAX = 500
"""Events before order entry gets its turn."""
MESSAGES_PER_PACKET = 38
"""About what a packet of 1400 bytes holds."""
PAUSE_S = 0.001
SECOND_NS = 1_000_000_000

Timed = tuple[int, bytes]


async def play_tape(
    settings: TapeFlowSettings,
    messages: Iterator[Timed],
    do: Callable[[Sequence[bytes]], None],
    changed: Callable[[], None],
) -> int:
    """Do the messages of a tape when their time has come; return their number.

    Speed 0 sends `packets_per_ms` packets and waits a millisecond: a receiver with the system's usual socket buffer
    that is awake loses none, and one that sleeps asks for what it lost.
    """
    if settings.speed == 0:
        return await _play_fast(messages, settings.packets_per_ms * MESSAGES_PER_PACKET, do, changed)
    return await _play_timed(messages, settings.speed, do, changed)


async def _play_fast(
    messages: Iterator[Timed], batch: int, do: Callable[[Sequence[bytes]], None], changed: Callable[[], None]
) -> int:
    count = 0
    while block := [message for _, message in islice(messages, batch)]:
        do(block)
        changed()
        count += len(block)
        await asyncio.sleep(PAUSE_S)
    return count


async def _play_timed(
    messages: Iterator[Timed], speed: float, do: Callable[[Sequence[bytes]], None], changed: Callable[[], None]
) -> int:
    loop = asyncio.get_running_loop()
    begin = loop.time()
    first_ns: int | None = None
    count = 0
    due: list[bytes] = []
    for ts_ns, message in messages:
        first_ns = ts_ns if first_ns is None else first_ns
        wait_s = begin + (ts_ns - first_ns) / SECOND_NS / speed - loop.time()
        if wait_s > 0 or len(due) >= EVENTS_PER_TURN_MAX:
            do(due)
            changed()
            due = []
            await asyncio.sleep(max(0.0, wait_s))
        due.append(message)
        count += 1
    do(due)
    changed()
    return count


def first_instant(messages: Iterator[Timed]) -> tuple[list[bytes], Iterator[Timed]]:
    """Return the messages of a tape up to the first time with orders on it, and the rest."""
    first: list[bytes] = []
    rest: list[Timed] = []
    begin_ns: int | None = None
    for ns, message in messages:
        if begin_ns is not None and ns > begin_ns:
            rest = [(ns, message)]
            break
        if message[:1] in (b"A", b"F"):
            begin_ns = ns
        first.append(message)
    return first, chain(rest, messages)


def tape_messages(settings: TapeFlowSettings, symbol: str) -> Iterator[Timed]:
    """Return the messages of the configured tape with their times since midnight.

    Raises:
        DecodeError: the file is missing or not of its kind.
    """
    if settings.kind == "lobster":
        from openbell.exchange.lobster import itch_messages

        return itch_messages(settings.path, symbol=symbol, locate=1)
    return _itch_file(settings.path)


def _itch_file(path: Path) -> Iterator[Timed]:
    """Yield the messages of a file of 2-byte lengths and ITCH messages, as Nasdaq publishes its sample days."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DecodeError(f"{path}: expected a file of ITCH messages, found none ({error.strerror})") from None
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from(">H", data, at) if at + 2 <= len(data) else (0,)
        message = data[at + 2 : at + 2 + length]
        if length < 11 or len(message) < length:
            raise DecodeError(f"{path}: expected a whole ITCH message at byte {at}, found {len(message)} of {length}")
        yield int.from_bytes(message[5:11], "big"), message
        at += 2 + length
