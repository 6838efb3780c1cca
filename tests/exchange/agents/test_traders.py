"""What each kind of agent does, on a market of plain lists."""

import random
from collections import Counter
from itertools import pairwise

import pytest
from tests.exchange.agents.slow_market import BUY, SELL, SlowMarket

from openbell.exchange.agents.fundamental import Fundamental
from openbell.exchange.agents.informed import Informed
from openbell.exchange.agents.market_maker import MarketMaker
from openbell.exchange.agents.metaorders import MetaorderExecutor
from openbell.exchange.agents.momentum import Momentum
from openbell.exchange.agents.profile import FLAT, SECOND_NS, Profile
from openbell.exchange.agents.settings import (
    FundamentalSettings,
    InformedSettings,
    MarketMakerSettings,
    MetaorderSettings,
    MomentumSettings,
)

ALWAYS = Profile(FLAT, 1.0, 0)


class Known:
    """A value that a test sets."""

    def __init__(self, value):
        self.value = value

    def at(self, _now_ns):
        return self.value


def quoted(bid, ask, qty=100):
    market = SlowMarket()
    market.limit(BUY, bid, qty, 0)
    market.limit(SELL, ask, qty, 0)
    market.asked.clear()
    return market


def rng():
    return random.Random(5)


# ---- market makers -----------------------------------------------------------------------------------------


def maker(market, **settings):
    values = {"lots": 10, "half_spread_ticks": 1.0, "skew_ticks_per_lot": 0.1, "inventory_max_lots": 30, **settings}
    return MarketMaker(market, rng(), MarketMakerSettings(kind="market-maker", **values))


def test_a_maker_quotes_around_the_mid_and_leaves_good_quotes_alone():
    market = quoted(90, 110)
    agent = maker(market)
    agent.act(1)
    agent.act(2)

    assert market.asked == [("limit", BUY, 99, 10), ("limit", SELL, 101, 10)]


def test_a_maker_that_was_hit_counts_it_and_moves_its_quotes_against_it():
    market = quoted(90, 110)
    agent = maker(market)
    agent.act(1)
    market.take(SELL, 99, 6, 2)
    market.asked.clear()
    agent.act(3)

    assert agent.inventory == 6
    # The mid is still 100, the skew 0.6: bid floor(98.4), ask ceil(100.4).
    assert market.asked == [("cancel", 3), ("limit", BUY, 98, 10)]


def test_a_maker_never_crosses_and_never_holds_more_than_its_limit():
    market = quoted(100, 101)
    agent = maker(market, half_spread_ticks=0.0, skew_ticks_per_lot=0.0)
    for now_ns in range(200):
        agent.act(now_ns)
        market.take(SELL, 100, 150, now_ns)
        market.limit(BUY, 100, 100, now_ns)

    assert agent.inventory == 30
    assert all(px < 101 for kind, side, px, _ in (a for a in market.asked if a[0] == "limit") if side == BUY)
    assert not [p for p in market.prints if p.side == BUY]


def test_a_maker_waits_for_a_market_with_two_sides():
    market = SlowMarket()
    market.limit(BUY, 90, 1, 0)
    maker(market).act(1)

    assert market.asked == [("limit", BUY, 90, 1)]


# ---- informed traders and the value ------------------------------------------------------------------------


def informed(market, value, **settings):
    agent = Informed(market, rng(), InformedSettings(kind="informed", looks_per_min=60.0, **settings), ALWAYS, value)
    agent.begin(0)
    return agent


@pytest.mark.parametrize(
    ("value", "trades"), [(104.0, [(BUY, 101, 3)]), (102.9, []), (97.1, []), (96.0, [(SELL, 99, 3)])]
)
def test_informed_traders_take_what_is_better_than_their_view_by_the_edge(value, trades):
    market = quoted(99, 101)
    informed(market, Known(value), edge_ticks=2.0, lots_min=3, lots_max=3).act(1)

    assert market.prints == trades


def test_informed_traders_look_more_often_the_further_the_price_is_away():
    def mean_wait_s(value):
        agent = informed(quoted(99, 101), Known(value), edge_ticks=1e6, haste_per_tick=0.5)
        return sum(agent.act(1) - 1 for _ in range(2_000)) / 2_000 / SECOND_NS

    assert mean_wait_s(100.0) == pytest.approx(1.0, rel=0.1)
    assert mean_wait_s(118.0) == pytest.approx(0.1, rel=0.1)


def test_a_price_that_lasts_is_believed_and_the_belief_fades():
    market = quoted(109, 111)
    agent = informed(market, Known(100.0), learn_s=10.0, forget_s=1e6)
    agent.act(100 * SECOND_NS)
    believed = len(market.prints)
    fading = informed(quoted(109, 111), Known(100.0), learn_s=1e9, forget_s=10.0)
    fading.act(100 * SECOND_NS)

    assert believed == 0
    assert len(fading._market.prints) == 1


def test_the_value_does_not_depend_on_who_looks():
    settings = FundamentalSettings(news_per_min=6.0, excitation=((10.0, 0.5),), reversion_h=1.0)
    often, seldom = (Fundamental(rng(), settings, ALWAYS, 100.0) for _ in range(2))
    often.at(0)
    seldom.at(0)
    path = [often.at(second * SECOND_NS) for second in range(1, 2_000)]

    assert seldom.at(1_999 * SECOND_NS) == path[-1]
    assert len(set(path)) > 100


def test_news_comes_at_its_rate_and_a_move_fades_in_the_given_hours():
    jumps = FundamentalSettings(news_per_min=2.0, jump_ticks=3.0, reversion_h=1e6)
    value = Fundamental(rng(), jumps, ALWAYS, 0.0)
    path = [value.at(second * SECOND_NS) for second in range(60_000)]
    moves = [abs(b - a) for a, b in pairwise(path) if abs(b - a) > 1e-6]

    assert len(moves) == pytest.approx(2_000, rel=0.06)
    assert sum(moves) / len(moves) == pytest.approx(3.0, rel=0.06)
    faded = Fundamental(rng(), FundamentalSettings(news_per_min=1e-6, reversion_h=1.0), ALWAYS, 0.0)
    faded.at(0)
    faded._value = 10.0
    assert faded.at(3_600 * SECOND_NS) == pytest.approx(10.0 / 2.718281828, rel=1e-6)


# ---- momentum ----------------------------------------------------------------------------------------------


def test_momentum_buys_what_rises_and_sells_what_falls():
    for step, side in ((1, BUY), (-1, SELL)):
        market = SlowMarket()
        settings = MomentumSettings(kind="momentum", looks_per_min=60.0, threshold_ticks=3.0)
        agent = Momentum(market, rng(), settings, ALWAYS)
        now_ns = agent.begin(0)
        for second in range(120):
            market.orders.clear()
            market.limit(BUY, 500 + step * second, 9, 0)
            market.limit(SELL, 502 + step * second, 9, 0)
            agent.act(now_ns + second * SECOND_NS)

        assert {p.side for p in market.prints} == {side}
        assert 50 < len(market.prints) < 120


# ---- metaorders --------------------------------------------------------------------------------------------


def test_a_metaorder_is_sliced_at_the_touch_with_one_sign_and_remembered():
    settings = MetaorderSettings(
        kind="metaorders", pause_s=100.0, slice_s=1.0, lots_min=10, lots_max=10, slice_lots_min=3, slice_lots_max=3
    )
    market = quoted(99, 101, qty=1_000)
    agent = MetaorderExecutor(market, rng(), settings, ALWAYS)
    now_ns = agent.begin(0)
    starts = []
    for _ in range(4):
        starts.append(now_ns)
        now_ns = agent.act(now_ns)

    assert [p.qty for p in market.prints] == [3, 3, 3, 1]
    assert len({p.side for p in market.prints}) == 1
    sign = 1 if market.prints[0].side == BUY else -1
    assert list(agent.done) == [(sign, 10, starts[0], starts[-1])]


def test_a_metaorder_takes_no_more_than_the_touch_and_waits_when_there_is_none():
    settings = MetaorderSettings(
        kind="metaorders", pause_s=1.0, slice_s=1.0, lots_min=50, lots_max=50, slice_lots_min=9, slice_lots_max=9
    )
    market = quoted(99, 101, qty=4)
    agent = MetaorderExecutor(market, rng(), settings, ALWAYS)
    agent.act(1)
    agent.act(2)

    assert [p.qty for p in market.prints] == [4]
    assert not agent.done


def test_signs_of_metaorders_are_as_often_one_as_the_other():
    settings = MetaorderSettings(kind="metaorders", pause_s=1.0, slice_s=1.0)
    agent = MetaorderExecutor(quoted(99, 101, qty=10_000), rng(), settings, ALWAYS)
    for now_ns in range(2_000):
        agent.act(now_ns)

    assert Counter(m.sign for m in agent.done)[1] == pytest.approx(1_000, abs=100)
