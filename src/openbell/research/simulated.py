"""What a simulated flow shows, ready for the table of facts."""

from openbell.exchange.agents.simulation import Simulated
from openbell.research.facts import Sample, Worked
from openbell.research.observed import observe, records_of

SECOND_NS = 1_000_000_000


def sample_of(simulated: Simulated, session_s: float) -> Sample:
    """Return the sample from the first opening to the end, read from the feed that the venue published."""
    venue, listed = simulated.venue, simulated.listed
    records = records_of(venue.itch_message, venue.itch_next - 1, listed.symbol)
    seen = observe(records, tick=listed.tick_px, start_ns=simulated.open_ns, end_ns=simulated.end_ns)
    return Sample(seen, int(session_s * SECOND_NS), [Worked(*order) for order in simulated.metaorders])
