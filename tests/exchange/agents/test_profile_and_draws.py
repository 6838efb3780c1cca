"""Activity over the day, sizes and distances."""

import random

import numpy as np
import pytest

from openbell.exchange.agents.draws import Choice, Sizes, by_distance
from openbell.exchange.agents.profile import FLAT, SECOND_NS, Profile

U = ((0.0, 3.0), (0.5, 1.0), (1.0, 3.0))


def test_a_profile_is_a_polygon_with_mean_one_that_repeats():
    profile = Profile(U, 100.0, 7)
    at = [profile.at(7 + second * SECOND_NS) for second in range(300)]

    assert at[:100] == at[100:200] == at[200:]
    assert (at[0], at[25], at[50], at[75]) == (1.5, 1.0, 0.5, 1.0)
    assert np.mean(at) == pytest.approx(1.0, abs=1e-3)


def test_before_its_start_a_profile_is_in_the_session_before():
    assert Profile(U, 100.0, 50 * SECOND_NS).at(0) == 0.5
    assert Profile(FLAT, 1.0, 0).at(-5) == 1.0


def test_sizes_have_the_tail_and_the_ends_they_were_given():
    sizes = Sizes(random.Random(1), 2, 1_000_000, 1.5)
    drawn = np.array([sizes.draw() for _ in range(200_000)])

    assert drawn.min() == 2
    assert [(drawn >= x).mean() for x in (8, 32)] == pytest.approx([(2 / 8) ** 1.5, (2 / 32) ** 1.5], rel=0.05)
    assert {Sizes(random.Random(1), 3, 3, 1.5).draw() for _ in range(10)} == {3}
    assert max(Sizes(random.Random(n), 1, 5, 0.1).draw() for n in range(50)) == 5


def test_a_choice_follows_its_weights():
    choice = Choice(random.Random(1), [1.0, 0.0, 3.0])
    counts = np.bincount([choice.draw() for _ in range(40_000)], minlength=3) / 40_000

    assert list(counts) == pytest.approx([0.25, 0.0, 0.75], abs=0.01)
    assert counts[1] == 0


def test_weights_by_distance_go_on_with_the_tail():
    assert by_distance([5.0, 4.0], (8.0, 1.0), 4) == [5.0, 4.0, 8 / 3, 2.0]
    assert by_distance([5.0, 4.0], (8.0, 1.0), 1) == [5.0]
