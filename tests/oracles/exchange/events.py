"""What the oracle tells: the same as native/exchange/matching/match_event.h, with a word for its kind.

Of every event exactly the fields are set that say something; all others keep their default.
"""

from typing import NamedTuple

from oracles.exchange.terms import Auction, Cause, Phase, Priority, Side


class Event(NamedTuple):
    """`order`, `prev`, `aggressor` are references; `shown` and its kin stand on the public feed, 0: nothing does."""

    kind: str
    order: int = 0
    side: Side | None = None
    account: int = 0
    tag: int = 0
    shown: int = 0
    prev: int = 0
    prev_shown: int = 0
    aggressor: int = 0
    aggressor_account: int = 0
    aggressor_tag: int = 0
    aggressor_shown: int = 0
    instrument: int = 0
    cause: Cause = Cause.NONE
    priority: Priority = Priority.NONE
    phase: Phase | None = None
    auction: Auction | None = None
    match_number: int = 0
    px: int = 0
    prev_px: int = 0
    qty: int = 0
    shown_qty: int = 0
    leaves: int = 0
    aggressor_leaves: int = 0
    prevented_qty: int = 0
