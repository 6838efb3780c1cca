"""Drives the background flow: agents as their times come, a tape at its own or another speed."""

import asyncio
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from openbell._native import VenueCore
from openbell.config import Settings
from openbell.errors import DecodeError
from openbell.exchange.config import ListedSettings
from openbell.exchange.flow import AgentFlow
from openbell.exchange.flow_config import AgentFlowSettings, TapeFlowSettings

EVENTS_PER_TURN_MAX = 500
"""Events before order entry gets its turn."""
MESSAGES_PER_PACKET = 38
"""About what a packet of 1400 bytes holds."""
PAUSE_S = 0.001
SECOND_NS = 1_000_000_000

Timed = tuple[int, bytes]


@dataclass(frozen=True)
class Stage:
    """What a flow plays on; `changed` is called when the venue has news, `first_login` set when somebody is there."""

    venue: VenueCore
    account: int
    instruments: Sequence[ListedSettings]
    clock: Callable[[], int]
    changed: Callable[[], None]
    first_login: asyncio.Event


async def play(flow: Settings, stage: Stage) -> int:
    """Play `flow` to its end, or until cancelled; return how many messages of a tape were played.

    Raises:
        DecodeError: a tape is missing or damaged.
    """
    if isinstance(flow, AgentFlowSettings):
        agents = AgentFlow(stage.venue, stage.account, stage.instruments, flow, stage.clock())
        await play_agents(agents, stage.clock, stage.changed)
    elif isinstance(flow, TapeFlowSettings):
        if flow.start == "first_login":
            await stage.first_login.wait()
        return await play_tape(stage.venue, flow, tape_messages(flow, stage.instruments[0].symbol), stage.changed)
    return 0


async def play_agents(flow: AgentFlow, clock: Callable[[], int], changed: Callable[[], None]) -> None:
    """Run `flow` until cancelled."""
    while True:
        if flow.advance(clock(), EVENTS_PER_TURN_MAX):
            changed()
        await asyncio.sleep(max(0.0, (flow.next_ns - clock()) / SECOND_NS))


async def play_tape(
    venue: VenueCore, settings: TapeFlowSettings, messages: Iterator[Timed], changed: Callable[[], None]
) -> int:
    """Pass a tape through the venue; return the number of its messages.

    Speed 0 sends `packets_per_ms` packets and waits a millisecond: a receiver with the system's usual socket buffer
    that is awake loses none, and one that sleeps asks for what it lost.
    """
    if settings.speed == 0:
        return await _play_fast(venue, messages, settings.packets_per_ms * MESSAGES_PER_PACKET, changed)
    return await _play_timed(venue, messages, settings.speed, changed)


async def _play_fast(venue: VenueCore, messages: Iterator[Timed], batch: int, changed: Callable[[], None]) -> int:
    count = 0
    while block := [message for _, message in islice(messages, batch)]:
        venue.publish(block)
        changed()
        count += len(block)
        await asyncio.sleep(PAUSE_S)
    return count


async def _play_timed(venue: VenueCore, messages: Iterator[Timed], speed: float, changed: Callable[[], None]) -> int:
    loop = asyncio.get_running_loop()
    begin = loop.time()
    first_ns: int | None = None
    count = 0
    due: list[bytes] = []
    for ts_ns, message in messages:
        first_ns = ts_ns if first_ns is None else first_ns
        wait_s = begin + (ts_ns - first_ns) / SECOND_NS / speed - loop.time()
        if wait_s > 0 or len(due) >= EVENTS_PER_TURN_MAX:
            venue.publish(due)
            changed()
            due = []
            await asyncio.sleep(max(0.0, wait_s))
        due.append(message)
        count += 1
    venue.publish(due)
    changed()
    return count


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
