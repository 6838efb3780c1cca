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


def test_time_that_was_there_already_goes_on_and_never_stands_still():
    clock = WallClock()
    later = clock.now_ns() + 3600 * SECOND_NS

    clock.go_on_from(later)

    first, second = clock.now_ns(), clock.now_ns()
    assert later < first < second < later + SECOND_NS


def test_time_that_is_past_changes_nothing():
    clock = WallClock()
    offset_ns = clock.offset_ns

    clock.go_on_from(clock.now_ns() - SECOND_NS)

    assert clock.offset_ns == offset_ns


def test_simulated_time_moves_only_forward():
    clock = SimClock(100)
    clock.advance(5)
    clock.advance(-50)
    clock.advance_to(90)

    assert clock.now_ns() == 105
