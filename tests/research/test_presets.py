"""What the presets of the background flow advertise is true: with a fixed seed, in simulated time."""

from functools import cache

import numpy as np
import pytest

from openbell.exchange.agents.presets import load_preset, preset_names
from openbell.exchange.agents.simulation import simulate
from openbell.exchange.config import ListedSettings
from openbell.exchange.flow_config import AgentFlowSettings
from openbell.research.facts import MINUTE_NS, Verdict, facts
from openbell.research.simulated import sample_of

SEED = 2
CLAIM_FACTS = ["large-tick", "small-tick", "zero-intelligence"]
LOT = 100


@cache
def sample(preset):
    settings = AgentFlowSettings.model_validate({"kind": "agents", "preset": preset, "seed": SEED})
    about = load_preset(preset).facts
    return sample_of(simulate(settings, ListedSettings(symbol="OBEL", px=about.px), about.hours), settings.session_s)


@pytest.mark.parametrize("preset", CLAIM_FACTS)
def test_a_preset_passes_every_fact_but_those_it_names(preset):
    rows = facts(sample(preset))
    found = {f"{row.number} {row.name}": row.verdict for row in rows}

    failing = {row.number for row in rows if row.verdict != Verdict.PASS}
    assert failing == set(load_preset(preset).facts.fails), found


@pytest.mark.parametrize(("preset", "but"), [("large-tick", {18}), ("small-tick", set())])
def test_the_agents_show_all_that_real_markets_are_known_for(preset, but):
    """Spread, hump, tails, clusters, signs, arrivals, the U of the day and the square root of impact."""
    assert {13, 14, 3, 4, 6, 8, 10, 15, 18} & set(load_preset(preset).facts.fails) == but


def test_every_preset_says_what_it_is_for():
    assert preset_names() == ["large-tick", "small-tick", "steady", "zero-intelligence"]
    assert all(len(load_preset(name).about) > 40 for name in preset_names())


# ---- the long run of zero intelligence ---------------------------------------------------------------------
# Cont, Stoikov, Talreja (2010) with the parameters of Sky Perfect; values recomputed by exact chains and simulation.


def share_of_time(seen, holds):
    weights = np.diff(np.append(seen.quote_ns, seen.end_ns))
    return float((holds * weights).sum() / weights.sum())


def test_zero_intelligence_has_its_long_run_spread_and_depth():
    seen = sample("zero-intelligence").seen
    spread = seen.ask_px - seen.bid_px

    assert share_of_time(seen, spread) == pytest.approx(1.350, rel=0.04)
    assert share_of_time(seen, spread == 1) == pytest.approx(0.744, rel=0.04)
    assert share_of_time(seen, spread == 2) == pytest.approx(0.188, rel=0.04)
    assert share_of_time(seen, spread == 3) == pytest.approx(0.049, rel=0.10)  # 4 % is 3 of its standard errors
    depth = [1.58, 1.65, 1.59, 1.56, 1.60, 1.56, 1.46, 1.38]
    assert seen.depth[:8] / LOT == pytest.approx(np.array(depth), rel=0.04)
    assert np.argmax(seen.depth) == 1


def test_zero_intelligence_has_its_long_run_moves():
    seen = sample("zero-intelligence").seen
    minutes = np.diff(seen.mid_at(seen.grid(MINUTE_NS)))
    moves = np.diff(seen.mid)
    moves = moves[moves != 0]

    assert len(moves) / len(minutes) == pytest.approx(2.5, rel=0.05)  # known to two digits
    assert minutes.std() == pytest.approx(1.03, rel=0.04)
    assert 6 < (minutes**4).mean() / (minutes**2).mean() ** 2 < 9
    assert -0.16 < np.corrcoef(moves[:-1], moves[1:])[0, 1] < -0.10
    assert abs(np.corrcoef(seen.trade_sign[:-1], seen.trade_sign[1:])[0, 1]) < 0.03
