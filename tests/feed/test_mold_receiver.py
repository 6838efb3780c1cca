"""native/feed/mold_receiver.h: what is delivered is 1..N, in order and once, whatever the lines do."""

import heapq
import random

import numpy as np
import pytest

from openbell import _native as native
from openbell.types import RECORDS
from oracles import itch, mold

SESSION = "S000000001"
A, B, REQUESTED = 0, 1, 2
MS = 1_000_000
FOREVER = 2**63 - 1


def deletes(count: int) -> list[bytes]:
    """A directory message and deletes whose order_id is their message number."""
    directory = native.itch_encode({"type": "R", "locate": 1, "symbol": "ALC"})
    return [directory] + [
        itch.encode({"type": "D", "locate": 1, "tracking": 0, "ts": 0, "order_id": seq}) for seq in range(2, count + 1)
    ]


def packet(first: int, last: int, session: str = SESSION) -> bytes:
    """Messages `first` to `last`."""
    return mold.packet(session, first, deletes(last)[first - 1 :])


def config(**settings: int) -> native.MoldConfig:
    out = native.MoldConfig()
    for name, value in settings.items():
        setattr(out, name, value)
    return out


def started(next_seq: int = 1, session: str = SESSION, **settings: int) -> native.MoldItchFeed:
    feed = native.MoldItchFeed(config=config(**settings))
    feed.start(session, next_seq)
    return feed


def requests(feed: native.MoldItchFeed) -> list[tuple[int, int]]:
    """(first message, how many) of each request that wants to be sent."""
    return [native.mold_parse_request(request)[1:] for request in feed.take_requests()]


def test_a_second_line_repeats_and_is_dropped():
    feed = started()

    for first, last in [(1, 3), (4, 4)]:
        feed.on_packet(packet(first, last), A, 0)
        feed.on_packet(packet(first, last), B, 0)

    assert feed.take_seqs() == [1, 2, 3, 4]
    assert feed.take_events() == []
    counters = feed.counters
    assert counters["duplicates"] == 2
    assert counters["packets"] == (2, 2, 0) and counters["delivered"] == (4, 0, 0)


def test_lines_need_not_cut_their_packets_alike():
    feed = started()

    feed.on_packet(packet(1, 3), A, 0)
    feed.on_packet(packet(2, 5), B, 0)
    feed.on_packet(packet(4, 6), A, 0)

    assert feed.take_seqs() == [1, 2, 3, 4, 5, 6]


def test_the_other_line_fills_a_gap_and_nothing_is_requested():
    feed = started(wait_ns=2 * MS)

    feed.on_packet(packet(1, 2), A, 0)
    feed.on_packet(packet(5, 6), A, 0)
    assert feed.take_seqs() == [1, 2] and feed.is_behind
    feed.poll(2 * MS - 1)
    feed.on_packet(packet(3, 4), B, 2 * MS - 1)

    assert feed.take_seqs() == [3, 4, 5, 6]
    assert feed.take_events() == [("gap", 3, 5), ("recovered", 7, 7)]
    assert requests(feed) == [] and feed.deadline_ns == FOREVER
    assert feed.counters["skipped"] == (2, 0, 0)
    assert feed.counters["out_of_order"] == feed.counters["gaps"] == 1


def test_a_gap_is_requested_after_the_wait_repeated_and_given_up():
    feed = started(wait_ns=2 * MS, retry_ns=10 * MS, tries_max=3)
    feed.on_packet(packet(4, 5), A, 100)

    asked_at = []
    for _ in range(10):
        if (now := feed.deadline_ns) == FOREVER:
            break
        feed.poll(now)
        asked_at += [(now, *request) for request in requests(feed)]

    assert asked_at == [(100 + t * MS, 1, 3) for t in (2, 12, 22)]
    assert feed.take_events() == [("gap", 1, 4), ("lost", 1, 4)]
    assert feed.take_seqs() == [4, 5]
    assert feed.counters["lost"] == 3 and feed.counters["requests"] == 3


def test_an_answer_that_holds_a_part_is_asked_for_the_rest_at_once():
    feed = started(wait_ns=0, messages_per_request=10)
    feed.on_packet(packet(11, 11), A, 0)
    assert requests(feed) == [(1, 10)]

    feed.on_packet(packet(1, 4), REQUESTED, 1)
    assert requests(feed) == [(5, 6)]
    feed.on_packet(packet(5, 10), REQUESTED, 2)

    assert requests(feed) == []
    assert feed.take_seqs() == list(range(1, 12))
    assert feed.counters["recovered"] == 10 and feed.counters["delivered"] == (1, 0, 10)


@pytest.mark.parametrize("count, reported", [(0, []), (mold.END_OF_SESSION, [("end", 6, 6)])])
def test_a_heartbeat_or_the_end_opens_a_gap(count: int, reported: list[tuple[str, int, int]]):
    feed = started(wait_ns=0)
    feed.on_packet(packet(1, 2), A, 0)

    feed.on_packet(mold.notice(SESSION, 6, count), A, 1)
    assert feed.take_events() == [("gap", 3, 6)]
    assert requests(feed) == [(3, 3)]
    feed.on_packet(packet(3, 5), REQUESTED, 2)
    feed.on_packet(mold.notice(SESSION, 6, count), A, 3)

    assert feed.take_events() == [("recovered", 6, 6), *reported]
    assert feed.take_seqs() == [1, 2, 3, 4, 5]


def test_catching_up_keeps_a_window_of_requests_in_flight():
    server = mold.Server(SESSION, deletes(1000))
    feed = started(wait_ns=0, requests_in_flight_max=4, messages_per_request=30)
    feed.on_packet(mold.notice(SESSION, 1001), A, 0)

    rounds = 0
    while sent := feed.take_requests():
        assert len(sent) <= 4
        for request in sent:
            answer = server.answer(request)
            assert answer is not None
            feed.on_packet(answer, REQUESTED, 0)
        rounds += 1

    assert feed.take_seqs() == list(range(1, 1001))
    assert rounds <= 10 and feed.counters["requests"] <= 40
    assert feed.take_events() == [("gap", 1, 1001), ("recovered", 1001, 1001)]


def test_a_full_buffer_keeps_the_lowest_numbers_and_asks_for_the_others_again():
    feed = started(held_packets_max=2, wait_ns=5)
    for seq in (9, 7, 5, 3):
        feed.on_packet(packet(seq, seq), A, 0)
    assert feed.counters["not_held"] == 2

    feed.poll(5)
    assert requests(feed) == [(1, 2)]
    feed.on_packet(packet(1, 2), REQUESTED, 6)
    assert requests(feed) == [(4, 1)]
    feed.on_packet(packet(4, 4), REQUESTED, 6)
    assert requests(feed) == [(6, 4)]
    feed.on_packet(packet(6, 9), REQUESTED, 6)

    assert feed.take_seqs() == list(range(1, 10))


def test_a_full_buffer_does_not_ask_again_and_again_for_what_it_cannot_hold():
    feed = started(held_packets_max=2, wait_ns=0, messages_per_request=1)
    feed.on_packet(mold.notice(SESSION, 10), A, 0)
    assert requests(feed) == [(1, 1), (2, 1)]

    for seq in (9, 8, 5, 4, 5, 4):
        feed.on_packet(packet(seq, seq), REQUESTED, 1)

    assert requests(feed) == []
    assert feed.counters["not_held"] == 2


def test_another_session_is_ignored_until_this_one_ends():
    feed = started()
    feed.on_packet(packet(1, 2), A, 0)
    feed.on_packet(packet(1, 1, "S000000002"), A, 0)
    assert feed.counters["wrong_session"] == 1

    feed.on_packet(mold.notice(SESSION, 3, mold.END_OF_SESSION), A, 0)
    feed.on_packet(packet(1, 1, "S000000002"), A, 0)
    feed.on_packet(packet(1, 3), B, 0)

    assert feed.take_seqs() == [1, 2, 1]
    assert feed.take_events() == [("end", 3, 3), ("session", 0, 0)]
    assert feed.counters["wrong_session"] == 2


def test_the_operator_may_allow_a_switch_and_what_was_missing_is_lost():
    feed = started()
    feed.on_packet(packet(3, 3), A, 0)

    feed.allow_switch()
    feed.on_packet(packet(1, 2, "S000000002"), A, 0)

    assert feed.take_events() == [("gap", 1, 3), ("lost", 1, 4), ("session", 0, 0)]
    assert feed.take_seqs() == [1, 2]


def test_a_blank_session_is_that_of_the_first_packet():
    feed = started(next_seq=2, session="")

    feed.on_packet(packet(1, 3), A, 0)
    feed.on_packet(packet(4, 4, "S000000002"), A, 0)

    assert feed.take_seqs() == [2, 3]
    assert feed.take_events() == [("session", 0, 0)]
    assert feed.counters["wrong_session"] == 1


def test_a_receiver_may_begin_at_the_first_packet():
    feed = started(next_seq=0, session="")

    feed.on_packet(packet(7, 8), A, 0)

    assert feed.take_seqs() == [7, 8] and feed.next_seq == 9 and not feed.is_behind


def test_damaged_datagrams_are_counted_and_change_nothing():
    feed = started(gap_messages_max=1000)
    whole = packet(1, 3)

    for size in range(len(whole)):
        feed.on_packet(whole[:size], A, 0)
    feed.on_packet(whole, 3, 0)
    feed.on_packet(mold.packet(SESSION, 1001, [b"too far"]), A, 0)
    feed.on_packet(mold.notice(SESSION, 2**64 - 1), A, 0)

    assert feed.counters["malformed"] == len(whole) + 1
    assert feed.counters["implausible"] == 2
    assert feed.take_seqs() == [] and feed.next_seq == 1 and not feed.is_behind


@pytest.mark.parametrize("setting", ["requests_in_flight_max", "messages_per_request", "tries_max"])
def test_a_limit_of_zero_is_refused(setting: str):
    with pytest.raises(Exception, match=f"feed setting {setting}: expected 1 or more, found 0"):
        native.MoldItchFeed(config=config(**{setting: 0}))


class Lines:
    """Two lines and a request server that lose, repeat and delay by a seed, on simulated time."""

    def __init__(self, rng: random.Random, messages: list[bytes], loss: float) -> None:
        self.rng = rng
        self.loss = loss
        self.server = mold.Server(SESSION, messages, rng.choice([120, 400, 1400]))
        self.queue: list[tuple[int, int, bytes, int]] = []
        self.sent = 0
        for line in (A, B):
            self.publish(line, messages)

    def publish(self, line: int, messages: list[bytes]) -> None:
        seq, now = 1, 0
        while seq <= len(messages):
            count = self.rng.randint(1, 12)
            self.send(mold.packet(SESSION, seq, messages[seq - 1 : seq - 1 + count]), line, now)
            seq, now = seq + count, now + self.rng.randint(0, MS)
        for beat in range(1, 40):
            self.send(mold.notice(SESSION, len(messages) + 1, self.rng.choice([0, 0xFFFF])), line, now + beat * MS)

    def send(self, datagram: bytes, line: int, now: int) -> None:
        while self.rng.random() >= self.loss:
            self.sent += 1
            heapq.heappush(self.queue, (now + self.rng.randint(0, 5 * MS), self.sent, datagram, line))
            if self.rng.random() < 0.9:
                return

    def request(self, request: bytes, now: int) -> None:
        answer = self.server.answer(request)
        if answer is not None:
            self.send(answer, REQUESTED, now)

    def run(self, feed: native.MoldItchFeed) -> None:
        """Until every datagram has arrived and the receiver wants nothing more."""
        steps = 0
        while self.queue or feed.deadline_ns != FOREVER:
            assert (steps := steps + 1) < 100_000, f"no progress at message {feed.next_seq}"
            now = min(self.queue[0][0] if self.queue else FOREVER, feed.deadline_ns)
            if self.queue and self.queue[0][0] == now:
                _, _, datagram, line = heapq.heappop(self.queue)
                feed.on_packet(datagram, line, now)
            feed.poll(now)
            for request in feed.take_requests():
                self.request(request, now)


@pytest.mark.parametrize("case", range(40))
def test_lossy_lines_with_requests_answered_deliver_everything_in_order(case: int):
    rng = random.Random(case)
    count = rng.randint(1, 600)
    feed = started(
        held_packets_max=rng.choice([1, 3, 16, 1024]),
        requests_in_flight_max=rng.choice([1, 2, 16]),
        messages_per_request=rng.choice([1, 7, 32]),
        wait_ns=rng.choice([0, MS]),
        retry_ns=20 * MS,
        tries_max=1000,
    )

    Lines(rng, deletes(count), loss=rng.choice([0.0, 0.05, 0.3, 0.6])).run(feed)

    assert feed.take_seqs() == list(range(1, count + 1))
    markets = np.frombuffer(feed.take_markets(), dtype=RECORDS["Market"])
    assert markets["order_id"].tolist() == list(range(2, count + 1))
    assert feed.counters["lost"] == 0 and feed.counters["malformed"] == 0
    assert feed.counters["requests"] <= 10 * (count + 10)
    assert feed.take_events()[-1:] in ([("recovered", count + 1, count + 1)], [("end", count + 1, count + 1)])


@pytest.mark.parametrize("case", range(20))
def test_what_is_neither_delivered_nor_reported_lost_does_not_exist(case: int):
    rng = random.Random(case)
    count = rng.randint(20, 300)
    feed = started(held_packets_max=rng.choice([1, 8, 1024]), retry_ns=3 * MS, tries_max=2)

    Lines(rng, deletes(count), loss=0.5).run(feed)

    delivered = feed.take_seqs()
    lost = [seq for what, first, end in feed.take_events() if what == "lost" for seq in range(first, end)]
    assert delivered == sorted(delivered)
    assert sorted(delivered + lost) == list(range(1, count + 1))
    assert feed.counters["lost"] == len(lost)
