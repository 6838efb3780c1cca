"""Plays the background flow: agents as their times come, a tape passed through or matched, agents beside a tape."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from openbell._native import VenueCore
from openbell.config import Settings
from openbell.exchange.config import ListedSettings
from openbell.exchange.flow import AgentFlow
from openbell.exchange.flow_config import AgentFlowSettings, TapeFlowSettings
from openbell.exchange.rules_types import PX_DECIMALS
from openbell.exchange.tape_matching import TapeMatcher
from openbell.exchange.tapes import EVENTS_PER_TURN_MAX, SECOND_NS, Timed, first_instant, play_tape, tape_messages
from openbell.types import Side


@dataclass(frozen=True)
class Stage:
    """What a flow plays on; `changed` is called when the venue has news, `first_login` set when somebody is there.

    `counts` says what became of the messages of a tape.
    """

    venue: VenueCore
    account: int
    instruments: Sequence[ListedSettings]
    clock: Callable[[], int]
    changed: Callable[[], None]
    first_login: asyncio.Event
    counts: Counter[str] = field(default_factory=Counter)


async def play(flow: Settings, stage: Stage) -> int:
    """Play `flow` to its end, or until cancelled; return how many messages of a tape were played.

    Raises:
        DecodeError: a tape is missing or damaged.
    """
    if isinstance(flow, AgentFlowSettings):
        await play_agents(flow, stage)
    elif isinstance(flow, TapeFlowSettings):
        if flow.start == "first_login":
            await stage.first_login.wait()
        messages = tape_messages(flow, stage.instruments[0].symbol)
        if flow.mode == "pass":
            return await play_tape(flow, messages, stage.venue.publish, stage.changed)
        return await _play_matched(flow, messages, stage)
    return 0


async def play_agents(settings: AgentFlowSettings, stage: Stage) -> None:
    """Let agents trade until cancelled."""
    flow = AgentFlow(stage.venue, stage.account, stage.instruments, settings, stage.clock())
    while True:
        if flow.advance(stage.clock(), EVENTS_PER_TURN_MAX):
            stage.changed()
        await asyncio.sleep(max(0.0, (flow.next_ns - stage.clock()) / SECOND_NS))


async def _play_matched(flow: TapeFlowSettings, messages: Iterator[Timed], stage: Stage) -> int:
    """Match a tape; agents beside it begin around its first prices and end with it."""
    matcher = TapeMatcher(stage.venue, stage.account, stage.instruments, stage.counts)

    def match(block: Sequence[bytes]) -> None:
        matcher.play(block, stage.clock())

    if not flow.beside:
        return await play_tape(flow, messages, match, stage.changed)
    first, messages = first_instant(messages)
    match(first)
    beside = flow.beside.model_copy(update={"speed": flow.beside.speed * flow.speed})
    around = replace(stage, instruments=[_at_the_mid(stage.venue, n, x) for n, x in enumerate(stage.instruments)])
    async with asyncio.TaskGroup() as group:
        agents = group.create_task(play_agents(beside, around))
        count = len(first) + await play_tape(flow, messages, match, stage.changed)
        agents.cancel()
    return count


def _at_the_mid(venue: VenueCore, instrument: int, listed: ListedSettings) -> ListedSettings:
    (bid, bid_qty), (ask, ask_qty) = (venue.touch(instrument, side) for side in (Side.BUY, Side.SELL))
    if not bid_qty or not ask_qty:
        return listed
    tick = listed.start_tick
    return listed.model_copy(update={"px": Decimal((bid + ask) // 2 // tick * tick).scaleb(-PX_DECIMALS)})
