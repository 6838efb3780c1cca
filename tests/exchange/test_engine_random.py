"""The matching engine against its oracle: random sequences of everything the rule book knows.

`make compare ARGS="--operations 1000000 --seed 7"` is the long way.
"""

import pytest

from exchange.comparison.run import run_sequence

BLOCKS, SEQUENCES = 20, 15


@pytest.mark.parametrize("block", range(BLOCKS))
def test_engine_and_oracle_say_the_same(block: int, seed: int):
    operations = sum(run_sequence(f"{seed} {block} {number}") for number in range(SEQUENCES))

    assert operations > 1_000
