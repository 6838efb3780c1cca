"""Clocks: one that only goes forward, and one that only goes when told."""

import time

from openbell._native import SimClock, WallClock

SECOND_NS = 1_000_000_000


def test_the_wall_clock_is_the_monotonic_clock_plus_a_fixed_offset():
    clock = WallClock()

    before = time.monotonic_ns() + clock.offset_ns
    now = clock.now_ns()
    after = time.monotonic_ns() + clock.offset_ns

    assert before <= now <= after
    assert abs(now - time.time_ns()) < SECOND_NS


def test_adopting_an_earlier_offset_never_turns_time_back():
    clock = WallClock()
    before = clock.now_ns()

    clock.adopt(clock.offset_ns - 3600 * SECOND_NS)

    assert clock.now_ns() == before


def test_simulated_time_moves_only_forward():
    clock = SimClock(100)
    clock.advance(5)
    clock.advance(-50)
    clock.advance_to(90)

    assert clock.now_ns() == 105
