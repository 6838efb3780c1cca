"""Background flow by agents: everybody of a population in every instrument, as one internal account of a venue.

Time is an argument: stepped over the same times the same seed gives the same flow, byte for byte, as long as nobody
else trades.
"""

import math
from collections.abc import Sequence

from openbell._native import VenueCore
from openbell.exchange.agents.market import VenueMarket
from openbell.exchange.agents.metaorders import Metaorder, MetaorderExecutor
from openbell.exchange.agents.population import populate
from openbell.exchange.agents.profile import Profile
from openbell.exchange.agents.scheduler import Agent, Scheduler
from openbell.exchange.config import ListedSettings
from openbell.exchange.flow_config import AgentFlowSettings


class AgentFlow:
    """The flow of all instruments. The first session opens at `open_ns`, without it when the flow starts."""

    def __init__(
        self,
        venue: VenueCore,
        account: int,
        instruments: Sequence[ListedSettings],
        settings: AgentFlowSettings,
        start_ns: int,
        open_ns: int | None = None,
    ) -> None:
        self._start_ns, self._speed = start_ns, settings.speed
        profile = Profile(settings.profile, settings.session_s, start_ns if open_ns is None else open_ns)
        self._agents: list[list[Agent]] = [
            populate(
                settings.agents,
                settings.fundamental,
                VenueMarket(
                    venue,
                    account,
                    number,
                    tick_px=listed.start_tick,
                    lot=listed.round_lot,
                    start_ns=start_ns,
                    speed=settings.speed,
                ),
                profile,
                start_px=listed.start_px // listed.start_tick,
                seed=f"{settings.seed}/{listed.symbol}",
            )
            for number, listed in enumerate(instruments)
        ]
        self._scheduler = Scheduler([agent for agents in self._agents for agent in agents], start_ns)
        self.events = 0

    @property
    def next_ns(self) -> int:
        """When the next agent acts, in the venue's time."""
        return self._start_ns + math.ceil((self._scheduler.next_ns - self._start_ns) / self._speed)

    def advance(self, now_ns: int, events_max: int) -> int:
        """Let everybody act who is due at `now_ns`, at most `events_max` times; return how often."""
        flow_ns = self._start_ns + int((now_ns - self._start_ns) * self._speed)
        done = self._scheduler.advance(flow_ns, events_max)
        self.events += done
        return done

    def metaorders(self, instrument: int) -> list[Metaorder]:
        """Return the metaorders that were done in an instrument, by their start."""
        executors = [agent for agent in self._agents[instrument] if isinstance(agent, MetaorderExecutor)]
        return sorted((order for executor in executors for order in executor.done), key=lambda order: order.start_ns)
