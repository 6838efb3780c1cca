"""The venue and its slow twin say the same, message for message, to everybody and in public."""

import os
import random
from typing import Any

import pytest
from tests.exchange.venue_inputs import LISTED_PX, SYMBOLS, Input, RandomInputs, do

from openbell._native import (
    Auction,
    Phase,
    ScheduleRules,
    StepKind,
    VenueCore,
    itch_decode,
    ouch50_decode_outbound,
    ouch_decode_outbound,
    soup_packets,
)
from oracles.exchange import Peg, PostOnly, Rules, Side, Terms, Tif, Type
from oracles.venue import OracleVenue

SEEDS = range(int(os.environ.get("OPENBELL_SEED", "0")), int(os.environ.get("OPENBELL_SEED", "0")) + 12)
ACCOUNTS = [
    ("internal", {}),
    ("ouch42", {}),
    ("ouch42", {"group": 7, "self_trade": "cancel_oldest", "orders_per_s": 30, "burst": 30}),
    ("ouch50", {}),
    ("ouch50", {"group": 9, "self_trade": "decrement"}),
]
DECODE = {"ouch42": ouch_decode_outbound, "ouch50": ouch50_decode_outbound}
REFERENCES = ("order_id", "new_order_id", "secondary_order_id")
NOT_OUR_BUSINESS = {"market", "financial_status", "round_lots_only", "classification", "sub_type", "authenticity",
                    "short_sale_threshold", "ipo", "luld_tier", "etp", "etp_leverage", "inverse"}  # fmt: skip
"""Of a Stock Directory: what this venue leaves at the codec's defaults."""


ALWAYS_OPEN = ScheduleRules([(0, StepKind.PHASE, Phase.CONTINUOUS, Auction.CLOSING, 0, "")], 0)
"""Without imbalances, which have tests of their own."""


class Pair:
    """Both venues; references are translated as they appear."""

    def __init__(self, inputs: RandomInputs) -> None:
        self.inputs = inputs
        self.fast: VenueCore = inputs.new_venue()
        self.fast.set_schedule(None, ALWAYS_OPEN)
        limits = {"orders_max": inputs.limits["orders_max"], "names_max": inputs.limits["tokens_max"]}
        self.slow = OracleVenue(list(SYMBOLS), [Rules(listed_px=LISTED_PX)] * 2, **limits)
        for protocol, settings in ACCOUNTS:
            self.slow.add_account(protocol, **settings)
        self.read = [1] * len(ACCOUNTS)
        self.heard = 1
        self.slow_of: dict[int, int] = {0: 0}

    def do(self, one: Input) -> None:
        answers = do(self.fast, one), self.do_slowly(one)
        if one[0] == "receive":
            assert answers[0] == answers[1], one
        feed = [itch_decode(self.fast.itch_message(n)) for n in range(self.heard, self.fast.itch_next)]
        self.heard = self.fast.itch_next
        self.compare("feed", one, feed, take(self.slow.feed.messages))
        for number, (protocol, _) in enumerate(ACCOUNTS):
            if protocol in DECODE:
                data, self.read[number] = self.fast.reports(number).sequenced(self.read[number], 1 << 24)
                fast = [DECODE[protocol](payload) for _, payload in soup_packets(data, 1000)[0]]
                self.compare(f"account {number}", one, fast, take(self.slow.reports_of(number)))
        assert self.fast.counters() == self.slow.counters, one
        assert self.fast.open_orders == self.slow.engine.open_orders(), one

    def do_slowly(self, one: Input) -> Any:
        verb, *arguments = one
        if verb == "submit_terms":
            arguments[2], arguments[3] = Side[arguments[2].name], slow_terms(arguments[3])
        if verb == "reduce":
            account, nth, leaves, now_ns = arguments
            if not (open_orders := self.slow.accounts[account].open()):
                return None
            arguments = [open_orders[nth % len(open_orders)], leaves, now_ns]
        return getattr(self.slow, verb)(*arguments)

    def compare(self, who: str, one: Input, fast: list[dict[str, Any]], slow: list[dict[str, Any]]) -> None:
        for ours, theirs in zip(fast, slow, strict=False):
            self.translate(ours, theirs)
        told = [bare({k: v for k, v in m.items() if k not in NOT_OUR_BUSINESS}) for m in fast]
        expected = [bare(m) for m in slow]
        first = next((n for n, m in enumerate(told) if expected[n : n + 1] != [m]), len(told))
        assert told == expected, f"{who} after {one}: {told[first:]} instead of {expected[first:]}"

    def translate(self, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
        """Put the twin's references into our message; one that is new to both is taken as the same."""
        for key in REFERENCES:
            if key in ours and key in theirs:
                ours[key] = self.slow_of.setdefault(ours[key], theirs[key])
        if "options" in ours and "options" in theirs:
            self.translate(ours["options"], theirs["options"])


def bare(message: dict[str, Any]) -> dict[str, Any]:
    """Without the padding of texts."""
    return {k: v.strip() if isinstance(v, str) else bare(v) if isinstance(v, dict) else v for k, v in message.items()}


def take(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    taken = messages[:]
    messages.clear()
    return taken


def slow_terms(terms: dict[str, Any]) -> Terms:
    words = {"tif": Tif, "type": Type, "peg": Peg, "post_only": PostOnly}
    return Terms(**{key: words[key][value.name] if key in words else value for key, value in terms.items()})


@pytest.mark.parametrize("seed", SEEDS)
def test_random_sessions_over_both_protocols_say_the_same(seed: int):
    rng = random.Random(f"venue {seed}")
    small = {"orders_max": 15, "tokens_max": 400} if seed % 4 == 0 else {}
    inputs = RandomInputs(rng, faults=False, **small)
    pair = Pair(inputs)
    for one in inputs.take(1_000):
        pair.do(one)
    assert len(pair.slow_of) > 20
