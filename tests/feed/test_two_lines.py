"""native/feed/mold_receiver.h: what is counted of each line, and what is done when nobody can be asked."""

import random

import pytest
from tests.feed.test_mold_receiver import FOREVER, MS, REQUESTED, A, B, packet, requests, started

from oracles import mold

SESSION, OTHER = "S000000001", "S000000002"


def test_the_later_line_is_measured_against_the_first():
    feed = started()

    for number, (late, by) in enumerate([(B, 300), (B, 500), (A, 40)], start=1):
        first = A if late == B else B
        feed.on_packet(packet(number, number), first, number * MS)
        feed.on_packet(packet(number, number), late, number * MS + by)

    counters = feed.counters
    assert counters["lag_count"] == (1, 2, 0)
    assert counters["lag_ns_max"] == (40, 500, 0)
    assert counters["lag_ns"][1] == 300 + (500 - 300) // 64
    assert counters["delivered"] == (2, 1, 0)


def test_a_line_that_repeats_itself_does_not_trail():
    feed = started()

    for now in (0, 700):
        feed.on_packet(packet(1, 2), A, now)

    assert feed.counters["lag_count"] == (0, 0, 0)
    assert feed.counters["duplicates"] == 1


def test_what_a_line_lost_is_its_own():
    feed = started()

    feed.on_packet(packet(1, 1), A, 0)
    feed.on_packet(packet(1, 4), B, 0)
    feed.on_packet(packet(5, 5), A, 0)
    feed.on_packet(packet(8, 8), B, 0)

    assert feed.counters["skipped"] == (3, 3, 0)
    assert feed.counters["gaps"] == 1


def test_without_a_server_the_other_line_is_waited_for_and_then_it_is_lost():
    feed = started(has_server=False, wait_ns=2 * MS)
    feed.on_packet(packet(4, 4), A, 0)

    assert feed.deadline_ns == 2 * MS
    feed.poll(2 * MS - 1)
    assert feed.take_events() == [("gap", 1, 4)]
    feed.poll(2 * MS)

    assert feed.take_events() == [("lost", 1, 4)]
    assert (feed.take_seqs(), requests(feed), feed.deadline_ns) == ([4], [], FOREVER)


def test_each_hole_has_a_wait_of_its_own():
    feed = started(has_server=False, wait_ns=2 * MS)
    feed.on_packet(packet(2, 2), A, 0)
    feed.on_packet(packet(4, 4), A, 1 * MS)

    feed.poll(2 * MS)
    assert feed.take_events() == [("gap", 1, 2), ("lost", 1, 2)]
    feed.on_packet(packet(3, 3), B, 3 * MS)

    assert feed.take_seqs() == [2, 3, 4]
    assert feed.take_events() == []  # the gap has lost messages: it does not end in "recovered"


def test_what_the_server_does_not_keep_is_not_asked_for():
    feed = started(server_keeps=10, wait_ns=2 * MS)
    feed.on_packet(packet(12, 12), A, 0)

    feed.poll(2 * MS)

    assert requests(feed) == []
    assert feed.take_events() == [("gap", 1, 12), ("lost", 1, 12)]
    feed.on_packet(packet(15, 15), A, 3 * MS)
    feed.poll(5 * MS)
    assert requests(feed) == [(13, 2)]


def test_it_goes_on_where_a_snapshot_ends():
    feed = started(wait_ns=0)
    feed.on_packet(packet(5, 6), A, 0)
    feed.on_packet(packet(9, 9), A, 0)
    requests(feed)

    feed.resume_at(6)
    assert feed.take_seqs() == [6] and feed.is_behind and feed.next_seq == 7
    feed.on_packet(packet(7, 8), REQUESTED, 1)

    assert feed.take_seqs() == [7, 8, 9]
    assert feed.take_events() == [("gap", 1, 5), ("recovered", 10, 10)]


def test_a_snapshot_beyond_everything_heard_closes_the_gap_in_silence():
    feed = started(wait_ns=0)
    feed.on_packet(packet(5, 6), A, 0)

    feed.resume_at(20)
    feed.on_packet(packet(5, 21), B, 0)

    assert feed.take_seqs() == [20, 21]
    assert feed.take_events() == [("gap", 1, 5)]
    assert feed.deadline_ns == FOREVER


def test_number_zero_does_not_exist():
    feed = started(next_seq=0, session="")

    feed.on_packet(mold.packet(SESSION, 0, [b"?"]), A, 0)

    assert feed.counters["malformed"] == 1 and feed.take_seqs() == []


@pytest.mark.parametrize("case", range(30))
def test_a_stray_session_changes_nothing_until_the_known_one_has_ended(case: int):
    rng = random.Random(case)
    feed, seq = started(session=""), 1
    feed.on_packet(packet(1, 1), A, 0)
    for now in range(1, 60):
        stray = [packet(1, 3, OTHER), mold.notice(OTHER, seq + 1), mold.notice(OTHER, seq + 1, mold.END_OF_SESSION)]
        feed.on_packet(rng.choice(stray), rng.choice([A, B]), now)
        if rng.random() < 0.5:
            seq += 1
            feed.on_packet(packet(seq, seq), rng.choice([A, B]), now)

    assert feed.take_seqs() == list(range(1, seq + 1))
    assert feed.take_events() == [("session", 0, 0)]
    assert feed.counters["wrong_session"] == 59
