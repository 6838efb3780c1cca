"""Every statistic on data whose answer is known."""

import math
import random

import numpy as np
import pytest

from openbell.exchange.agents.hawkes import Hawkes, Kernel
from openbell.research import stylised_facts as sf
from openbell.research.estimate import jackknife

RNG_SEED = 4


@pytest.fixture
def rng():
    return np.random.default_rng(RNG_SEED)


def ar1(rng, phi, size):
    noise, out = rng.standard_normal(size), np.zeros(size)
    for n in range(1, size):
        out[n] = phi * out[n - 1] + noise[n]
    return out


# ---- intervals ---------------------------------------------------------------------------------------------


def test_intervals_of_a_mean_cover_the_truth_nineteen_times_in_twenty(rng):
    covered = 0
    for _ in range(400):
        estimate = jackknife(np.mean, ar1(rng, 0.5, 1_000))
        covered += estimate.low <= 0.0 <= estimate.high

    assert 0.90 < covered / 400 < 0.98


def test_without_enough_rows_there_is_a_value_and_no_interval():
    estimate = jackknife(np.mean, np.array([1.0, 2.0]))

    assert estimate.value == 1.5
    assert math.isnan(estimate.low) and math.isnan(estimate.high)


# ---- parts -------------------------------------------------------------------------------------------------


def test_autocorrelation_is_the_plain_sum_of_products(rng):
    x = ar1(rng, 0.7, 500)
    centred = x - x.mean()
    plain = [(centred[: len(x) - k] * centred[k:]).sum() / (centred**2).sum() for k in range(6)]

    assert sf.autocorrelation(x, 5) == pytest.approx(plain)


def test_the_exponent_of_a_power_is_found():
    correlations = np.append(1.0, 0.4 * np.arange(1, 501) ** -0.5)

    assert sf.decay_exponent(correlations) == pytest.approx(0.5, abs=0.01)
    assert math.isnan(sf.decay_exponent(np.append(1.0, -np.ones(100))))


def test_the_tail_of_a_pareto_sample_is_found(rng):
    assert sf.hill(rng.pareto(2.5, 100_000) + 1) == pytest.approx(2.5, rel=0.05)
    assert sf.hill(np.full(1_000, 3.0)) == math.inf
    assert math.isnan(sf.hill(np.array([1.0, 2.0])))


# ---- returns -----------------------------------------------------------------------------------------------


def test_white_noise_has_none_of_the_facts_of_returns(rng):
    returns = rng.standard_normal(40_000)

    assert sf.return_autocorrelation(returns).value == pytest.approx(0, abs=0.01)
    assert sf.return_kurtosis(returns).value == pytest.approx(0, abs=0.1)
    assert sf.volatility_clustering(returns).value == pytest.approx(0, abs=0.02)
    assert sf.volatility_memory(returns).value == pytest.approx(0, abs=0.005)
    assert sf.variance_ratio(returns).value == pytest.approx(1, abs=0.03)


def test_clusters_and_tails_are_seen_and_thin_out_with_the_horizon(rng):
    volatility = np.exp(0.5 * ar1(rng, 0.99, 40_000) / 7)
    returns = volatility * rng.standard_t(4, 40_000)

    assert sf.volatility_clustering(returns).value > 0.05
    assert sf.return_kurtosis(returns).value > 2
    assert 2 < sf.return_tail(returns).value < 4
    assert sf.aggregational_gaussianity(returns).value < 0.5
    assert 0 < sf.volatility_decay(returns).value < 2


def test_variance_ratio_of_a_moving_average_has_its_closed_form(rng):
    noise = rng.standard_normal(200_001)
    returns = noise[1:] - 0.4 * noise[:-1]
    rho = -0.4 / (1 + 0.4**2)

    assert sf.variance_ratio(returns).value == pytest.approx(1 + 2 * 0.9 * rho, abs=0.02)
    assert sf.mid_change_autocorrelation(np.cumsum(returns)).value == pytest.approx(rho, abs=0.01)


def test_a_quote_that_leaves_the_mid_alone_is_no_change():
    moved = np.cumsum(np.tile([1.0, -0.5, 0.5], 200))

    assert sf.mid_change_autocorrelation(np.repeat(moved, 3)) == sf.mid_change_autocorrelation(moved)


def test_volume_that_follows_volatility_is_seen(rng):
    activity = np.exp(rng.standard_normal(5_000))
    returns = np.sqrt(activity) * rng.standard_normal(5_000)

    assert sf.volume_volatility(activity, returns).value > 0.3
    assert sf.volume_volatility(rng.permutation(activity), returns).value == pytest.approx(0, abs=0.05)


# ---- trades ------------------------------------------------------------------------------------------------


def test_signs_of_split_orders_remember_with_the_exponent_of_their_sizes():
    """Lillo, Mike, Farmer (2005): orders with sizes of tail a, worked one after the other: exponent a - 1."""
    rng = random.Random(RNG_SEED)
    signs: list[int] = []
    while len(signs) < 400_000:
        signs += [rng.choice((-1, 1))] * min(int(rng.paretovariate(1.5)), 20_000)

    assert sf.sign_memory(np.array(signs)).value == pytest.approx(0.5, abs=0.1)
    assert abs(sf.sign_autocorrelation(np.array([rng.choice((-1, 1)) for _ in range(50_000)])).value) < 0.02


def test_sizes_arrivals_and_their_causes(rng):
    hawkes = Hawkes(random.Random(RNG_SEED), [0.5], [Kernel([[0.6]], 0.5)])
    at_s = np.cumsum([hawkes.next()[0] for _ in range(200_000)])
    poisson_s = np.cumsum(rng.exponential(1.0, 200_000))

    assert sf.size_tail((rng.pareto(2.0, 100_000) * 100 + 100).astype(int)).value == pytest.approx(2, rel=0.05)
    assert sf.branching_ratio(np.bincount((at_s / 100).astype(int))).value == pytest.approx(0.6, abs=0.02)
    assert sf.branching_ratio(np.bincount((poisson_s / 100).astype(int))).value == pytest.approx(0, abs=0.03)
    assert sf.arrival_dispersion((at_s * 1e9).astype(int)).value > 1.2
    assert sf.arrival_dispersion((poisson_s * 1e9).astype(int)).value == pytest.approx(1, abs=0.01)


def test_the_u_of_a_day_is_its_edges_over_its_middle():
    times = np.arange(2_500)  # two sessions of 1000 and half a third that does not count
    volumes = np.where((times % 1_000 < 100) | (times % 1_000 >= 900), 6, 3)
    volumes[2_000:] = 1_000_000

    assert sf.intraday_ratio(times, volumes, 2, 1_000, 100).value == 2.0
    assert math.isnan(sf.intraday_ratio(times, volumes, 0, 1_000, 100).value)


def test_markout_is_in_half_spreads_against_who_rested():
    signs, mids = np.array([1, -1] * 50), np.full(100, 10.0)

    assert sf.passive_markout(signs, mids, mids + signs * 0.5, np.full(100, 2.0)).value == 0.25


# ---- book and orders ---------------------------------------------------------------------------------------


def test_time_means_weigh_by_time():
    starts = np.append(0, np.cumsum(np.tile([1, 3], 30)))  # 1 holds for 1, 2 for 3

    assert sf.time_mean(np.tile([1.0, 2.0], 30), starts[:-1], int(starts[-1])).value == (1 + 2 * 3) / 4


def test_counts_and_hump():
    assert sf.ratio_of_counts(3, 4).value == 0.75
    assert math.isnan(sf.ratio_of_counts(3, 0).value)
    assert sf.depth_hump(np.array([5.0, 4.0, 3.0]), 1).value == 0
    assert sf.depth_hump(np.array([1.0, 4.0, 6.0, 3.0]), 2).value == 1


def test_auc_is_the_share_of_ordered_pairs(rng):
    scores, moves = np.round(rng.standard_normal(300), 1), rng.choice((-1.0, 0.0, 1.0), 300)
    ups, downs = scores[moves > 0], scores[moves < 0]
    pairs = np.mean([(a > b) + 0.5 * (a == b) for a in ups for b in downs])

    assert sf.imbalance_auc(scores, moves).value == pytest.approx(pairs)


def test_order_flow_imbalance_counts_as_the_paper_does():
    # The bid grows, the bid rises, the ask shrinks, the ask falls.
    bid_px, bid_qty = np.array([9, 9, 10, 10, 10]), np.array([5, 8, 2, 2, 2])
    ask_px, ask_qty = np.array([12, 12, 12, 12, 11]), np.array([4, 4, 4, 1, 7])

    assert list(sf.order_flow_imbalance(bid_px, bid_qty, ask_px, ask_qty)) == [3, 2, 3, -7]


def test_r2_of_flow_and_moves(rng):
    flow = rng.standard_normal(20_000)

    assert sf.flow_r2(flow, 3 * flow + 3 * rng.standard_normal(20_000)).value == pytest.approx(0.5, abs=0.02)


# ---- metaorders --------------------------------------------------------------------------------------------


def test_the_exponent_of_impact_is_found_under_noise_that_grows_with_size(rng):
    sizes = np.floor(10 * (rng.pareto(1.5, 5_000) + 1))
    impacts = 0.3 * sizes**0.5 + 0.5 * np.sqrt(sizes) * rng.standard_normal(5_000)
    estimate = sf.impact_exponent(sizes, impacts)

    assert estimate.value == pytest.approx(0.5, abs=0.05)
    assert estimate.low < 0.5 < estimate.high


def test_what_is_left_of_impact_is_a_ratio_of_means():
    assert sf.impact_left(np.tile([1.0, 3.0], 50), np.tile([0.0, 3.0], 50)).value == 0.75
