"""Hawkes arrivals against what is known of them in closed form."""

import math
import random
from collections import Counter

import numpy as np
import pytest

from openbell.errors import ConfigError
from openbell.exchange.agents.hawkes import Hawkes, Kernel, base_of, branching_ratio

SEED = 11


def times(process, until_s, activity=1.0):
    at, out = 0.0, []
    while at < until_s:
        wait, kind = process.next(activity)
        at += wait
        out.append((at, kind))
    return out[:-1]


def test_rate_and_dispersion_of_the_published_case():
    """mu .5, n .6, beta 2: rate mu / (1 - n) = 1.25, Fano factor of large windows 1 / (1 - n)^2 = 6.25."""
    at = np.array([t for t, _ in times(Hawkes(random.Random(SEED), [0.5], [Kernel([[0.6]], 0.5)]), 400_000)])
    counts = np.bincount((at / 100).astype(int))

    assert len(at) / 400_000 == pytest.approx(1.25, rel=0.01)
    assert counts.var() / counts.mean() == pytest.approx(6.25, rel=0.06)


@pytest.mark.parametrize("window_s", [0.2, 1.0, 5.0])
def test_dispersion_of_small_windows_has_its_closed_form(window_s):
    """Hawkes (1971): var N(t) / (rate t) = F + (1 - F) (1 - e^-bt) / (bt), F = (1 - n)^-2, b = (1 - n) / after."""
    n, after_s = 0.6, 0.5
    at = np.array([t for t, _ in times(Hawkes(random.Random(SEED), [0.5], [Kernel([[n]], after_s)]), 200_000)])
    counts = np.bincount((at / window_s).astype(int))
    fano, bt = 1 / (1 - n) ** 2, (1 - n) / after_s * window_s

    assert counts.var() / counts.mean() == pytest.approx(fano + (1 - fano) * -math.expm1(-bt) / bt, rel=0.03)


def test_kinds_excite_each_other_as_the_matrix_says():
    kernels = [Kernel([[0.2, 0.4], [0.1, 0.0]], 0.1), Kernel([[0.0, 0.1], [0.3, 0.2]], 10.0)]
    base = base_of([2.0, 3.0], kernels)
    found = Counter(kind for _, kind in times(Hawkes(random.Random(SEED), base, kernels), 50_000))

    assert base == pytest.approx([2.0 - (0.2 * 2 + 0.5 * 3), 3.0 - (0.4 * 2 + 0.2 * 3)])
    assert [found[kind] / 50_000 for kind in (0, 1)] == pytest.approx([2.0, 3.0], rel=0.03)


def test_without_children_it_is_a_poisson_process_and_activity_scales_its_base():
    at = np.array([t for t, _ in times(Hawkes(random.Random(SEED), [2.0], []), 50_000, activity=3.0)])
    gaps = np.diff(at)

    assert len(at) / 50_000 == pytest.approx(6.0, rel=0.01)
    assert gaps.std() / gaps.mean() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("children", [[[1.0]], [[1.7]], [[0.5, 0.6], [0.6, 0.5]]])
def test_a_branching_ratio_of_one_or_more_is_refused_with_the_cure(children):
    with pytest.raises(
        ConfigError, match=r"below 1, found 1\.\d{3}.*scale every number of children by 0\.\d{3} or less"
    ):
        Hawkes(random.Random(SEED), [1.0] * len(children), [Kernel(children, 1.0)])


def test_the_branching_ratio_is_the_spectral_radius_over_all_kernels():
    kernels = [Kernel([[0.1, 0.4], [0.0, 0.2]], 1.0), Kernel([[0.2, 0.0], [0.4, 0.1]], 9.0)]

    assert branching_ratio(kernels) == pytest.approx(0.7)
    assert branching_ratio([]) == 0.0


def test_rates_that_no_base_can_give_are_refused():
    with pytest.raises(ConfigError, match=r"found 5/s for kind 1 with a rate of 1/s; raise that rate"):
        base_of([10.0, 1.0], [Kernel([[0.0, 0.0], [0.5, 0.0]], 1.0)])


@pytest.mark.parametrize("base", [[0.0], [-1.0], [0.0, -0.5]])
def test_bases_that_never_begin_are_refused(base):
    with pytest.raises(ConfigError, match="one above 0"):
        Hawkes(random.Random(SEED), base, [])
