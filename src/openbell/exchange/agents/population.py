"""Brings a population to life: every agent of the settings, with a random source of its own."""

import random
from collections.abc import Mapping

from openbell.exchange.agents.around_value import AroundValue
from openbell.exchange.agents.fundamental import Fundamental
from openbell.exchange.agents.hawkes_traders import HawkesTraders
from openbell.exchange.agents.informed import Informed
from openbell.exchange.agents.market import Market
from openbell.exchange.agents.market_maker import MarketMaker
from openbell.exchange.agents.metaorders import MetaorderExecutor
from openbell.exchange.agents.momentum import Momentum
from openbell.exchange.agents.profile import Profile
from openbell.exchange.agents.scheduler import Agent
from openbell.exchange.agents.settings import (
    AnyAgentSettings,
    AroundValueSettings,
    FundamentalSettings,
    HawkesSettings,
    InformedSettings,
    MarketMakerSettings,
    MetaorderSettings,
    MomentumSettings,
    ZeroIntelligenceSettings,
)
from openbell.exchange.agents.zero_intelligence import ZeroIntelligence


def populate(
    agents: Mapping[str, AnyAgentSettings],
    fundamental: FundamentalSettings,
    market: Market,
    profile: Profile,
    *,
    start_px: int,
    seed: str,
) -> list[Agent]:
    """Return the agents of one instrument in the order of the settings.

    The random source of each comes from `seed`, its name and its number alone, so adding one changes no other's draws.
    """
    value = Fundamental(random.Random(f"{seed}/fundamental"), fundamental, profile, start_px)
    return [
        _agent(settings, market, random.Random(f"{seed}/{name}/{n}"), profile, value, start_px)
        for name, settings in agents.items()
        for n in range(settings.count)
    ]


def _agent(
    settings: AnyAgentSettings,
    market: Market,
    rng: random.Random,
    profile: Profile,
    value: Fundamental,
    start_px: int,
) -> Agent:
    match settings:
        case AroundValueSettings():
            return AroundValue(market, rng, settings, start_px)
        case ZeroIntelligenceSettings():
            return ZeroIntelligence(market, rng, settings, profile, start_px)
        case HawkesSettings():
            return HawkesTraders(market, rng, settings, profile, start_px)
        case InformedSettings():
            return Informed(market, rng, settings, profile, value)
        case MarketMakerSettings():
            return MarketMaker(market, rng, settings)
        case MomentumSettings():
            return Momentum(market, rng, settings, profile)
        case MetaorderSettings():
            return MetaorderExecutor(market, rng, settings, profile)
