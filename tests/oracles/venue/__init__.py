"""The venue around the oracle of the matching engine: doors, reports and feed in the slowest, plainest way.

Written from the protocols' facts and docs/exchange.md: names are looked up in lists, messages are dicts as the codecs
give them. Start with `venue.py`; `ouch42.py` and `ouch50.py` are the doors, `feed.py` is ITCH.
"""

from oracles.venue.venue import OracleVenue

__all__ = ["OracleVenue"]
