"""A flow in simulated time: one instrument, a venue in this process, no sockets and no waiting."""

from collections.abc import Callable
from dataclasses import dataclass

from openbell._native import VenueCore
from openbell.exchange.agents.metaorders import Metaorder
from openbell.exchange.config import ListedSettings
from openbell.exchange.flow import AgentFlow
from openbell.exchange.flow_config import AgentFlowSettings

MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS
WARM_UP_NS = HOUR_NS // 2
"""Before the first session opens, so that books and intensities have settled."""
HOURS_MAX = 72
"""ITCH counts nanoseconds since midnight in 48 bits: 78 hours."""
ORDERS_MAX = 1 << 18
ACTS_MAX = 1_000_000_000
MESSAGES_MAX = 100_000_000
Progress = Callable[[int, int], None]
"""(minutes done, minutes in all)"""


@dataclass(frozen=True)
class Simulated:
    """What came of it. The first session opens at `open_ns`; the venue's midnight is 0."""

    venue: VenueCore
    listed: ListedSettings
    open_ns: int
    end_ns: int
    events: int
    metaorders: list[Metaorder]


def simulate(
    settings: AgentFlowSettings, listed: ListedSettings, hours: float, progress: Progress | None = None
) -> Simulated:
    """Run the flow alone on one instrument for `hours`, at most `HOURS_MAX`, after a warm-up."""
    venue = VenueCore([(listed.symbol, listed.tick_px, listed.round_lot)], 0, ORDERS_MAX, 1, MESSAGES_MAX)
    account = venue.add_account(internal=True)
    venue.open_day(0)
    end_ns = WARM_UP_NS + int(min(hours, HOURS_MAX) * HOUR_NS)
    flow = AgentFlow(venue, account, [listed], settings, 0, WARM_UP_NS)
    for now_ns in range(MINUTE_NS, end_ns + MINUTE_NS, MINUTE_NS):
        flow.advance(min(now_ns, end_ns), ACTS_MAX)
        if progress:
            progress(now_ns // MINUTE_NS, end_ns // MINUTE_NS)
    return Simulated(venue, listed, WARM_UP_NS, end_ns, flow.events, flow.metaorders(0))
