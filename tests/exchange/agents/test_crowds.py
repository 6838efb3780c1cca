"""The agents that are a whole flow: rates by kind, side and distance, and what they do in odd books."""

import random
from collections import Counter

import pytest
from tests.exchange.agents.slow_market import BUY, SELL, SlowMarket

from openbell.exchange.agents.around_value import AroundValue
from openbell.exchange.agents.hawkes_traders import HawkesTraders
from openbell.exchange.agents.profile import FLAT, Profile
from openbell.exchange.agents.settings import AroundValueSettings, HawkesSettings, ZeroIntelligenceSettings
from openbell.exchange.agents.zero_intelligence import ZeroIntelligence

ALWAYS = Profile(FLAT, 1.0, 0)
MINUTE_NS = 60_000_000_000
START = 1_000
ZERO = ZeroIntelligenceSettings(
    kind="zero-intelligence",
    limit_per_min=(3.0, 2.0),
    limit_tail=(1.0, 1.0),
    depth_ticks=4,
    cancel_per_min=(1.0, 0.5),
    market_per_min=1.0,
)
CROWD = HawkesSettings(
    kind="hawkes",
    market_per_min=2.0,
    limit_per_min=10.0,
    cancel_per_min=10.0,
    limit_weight=(1.0, 2.0),
    cancel_weight=(0.5, 1.0),
    orders_target=20,
)


class Watched(SlowMarket):
    """Also counts limit orders by side and distance from the opposite best, and time at each distance."""

    def __init__(self):
        super().__init__()
        self.distances = Counter()
        self.best = {BUY: START, SELL: START + 1}

    def limit(self, side, px, qty, now_ns):
        other = SELL if side == BUY else BUY
        best, there = self.touch(other)
        self.best[other] = best if there else self.best[other]
        self.distances[side, abs(px - self.best[other])] += 1
        return super().limit(side, px, qty, now_ns)


def run(agent, market, minutes):
    now_ns = agent.begin(0)
    market.asked.clear()
    if isinstance(market, Watched):
        market.distances.clear()
    while now_ns < minutes * MINUTE_NS:
        now_ns = agent.act(now_ns)
    return Counter(kind for kind, *_ in market.asked)


def test_zero_intelligence_arrives_at_its_rates():
    market, minutes = Watched(), 3_000
    asked = run(ZeroIntelligence(market, random.Random(3), ZERO, ALWAYS, START), market, minutes)

    assert asked["take"] / minutes == pytest.approx(2 * 1.0, rel=0.05)
    for side in (BUY, SELL):
        found = [market.distances[side, i] / minutes for i in range(1, 6)]
        assert found == pytest.approx([3.0, 2.0, 1 / 3, 1 / 4, 0.0], rel=0.08)


def test_hawkes_traders_arrive_at_their_rates_and_hold_about_their_target():
    market, minutes = Watched(), 2_000
    asked = run(HawkesTraders(market, random.Random(3), CROWD, ALWAYS, START), market, minutes)

    assert asked["take"] / minutes == pytest.approx(4.0, rel=0.05)
    assert asked["limit"] / minutes == pytest.approx(20.0, rel=0.03)
    by_distance = Counter()
    for (_, distance), count in market.distances.items():
        by_distance[distance] += count
    assert by_distance[2] / by_distance[1] == pytest.approx(2.0, rel=0.05)
    assert by_distance[1] + by_distance[2] > 0.98 * by_distance.total()  # the rest: the other side was empty
    assert 8 < len(market.orders) / 2 < 25


def test_hawkes_traders_sweep_no_further_than_they_were_told():
    market = SlowMarket()
    agent = HawkesTraders(market, random.Random(3), CROWD.model_copy(update={"sweep_ticks": 2}), ALWAYS, START)
    run(agent, market, 100)

    limits = [(side, px) for kind, side, px, *_ in (a for a in market.asked if a[0] == "take")]
    assert all(px is not None for _, px in limits)
    assert all(abs(p.px - START) < 100 for p in market.prints)


@pytest.mark.parametrize("kind", ["zero", "hawkes", "around"])
def test_a_book_that_somebody_empties_is_filled_again(kind):
    market, rng = SlowMarket(), random.Random(3)
    agent = {
        "zero": lambda: ZeroIntelligence(market, rng, ZERO, ALWAYS, START),
        "hawkes": lambda: HawkesTraders(market, rng, CROWD, ALWAYS, START),
        "around": lambda: AroundValue(market, rng, AroundValueSettings(kind="around-value", events_per_s=5.0), START),
    }[kind]()
    now_ns = agent.begin(0)
    for minute in range(1, 60):
        if minute % 10 == 0:
            market.orders.clear()
        while now_ns < minute * MINUTE_NS:
            now_ns = agent.act(now_ns)

    (bid, bid_qty), (ask, ask_qty) = market.touch(BUY), market.touch(SELL)
    assert bid_qty and ask_qty
    assert START - 50 < bid < ask < START + 50
