"""Prices on the tick, quantities in lots: exactly, for every small case."""

import pytest

from openbell.strategy.taking import clip_of, tick_above, tick_below


@pytest.mark.parametrize("tick", [1, 5, 100])
def test_ticks_around_a_price_are_its_nearest_multiples(tick):
    for px in range(1, 3 * tick + 2):
        below, above = tick_below(px, tick), tick_above(px, tick)

        assert below % tick == above % tick == 0
        assert px - tick < below <= px <= above < px + tick


def test_a_clip_is_the_most_whole_lots_that_size_and_room_leave():
    for size in range(0, 25):
        for room in range(-12, 25):
            for lot in (1, 5, 10):
                fits = [n for n in range(0, 25, lot) if n <= size and n <= room]

                assert clip_of(size, room, lot) == max(fits, default=0)
