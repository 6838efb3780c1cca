"""A few random programs with every verb, on the real host in both speeds; `make speeds` runs as many as you like."""

import random

import pytest

from strategy.compiler.speeds import EVENTS, compare
from tapes import write_tape

PROGRAMS = 5


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    return write_tape(tmp_path_factory.mktemp("tape") / "tape", events=EVENTS)


@pytest.mark.parametrize("number", range(PROGRAMS))
def test_random_programs_with_every_verb_decide_the_same_in_both_speeds(tape, tmp_path, seed, number):
    met = compare(random.Random(f"{seed}/{number}"), tape, tmp_path)

    assert met["same"] + met["refused"] + met["fuel"] == 1
