"""native/feed/live_buffer.h against a list: packets in order, the oldest gone when there is no room."""

import random
from collections import deque

import pytest

from openbell import _native as native
from openbell.errors import ConfigError
from oracles import mold

BYTES_MIN = 131_072
HEAD_BYTES = 32


def test_a_buffer_is_a_queue_of_packets_from_which_the_oldest_may_be_missing(rng: random.Random):
    buffer = native.LiveBuffer(BYTES_MIN)
    buffer.start(100)
    kept: deque[tuple[int, int, int, list[bytes]]] = deque()
    seq, lost = 100, 0
    for step in range(6_000):
        draw = rng.random()
        if draw < 0.7:
            messages = [rng.randbytes(rng.choice([0, 1, 20, 700])) for _ in range(rng.randint(1, 40))]
            first = rng.randrange(len(messages))  # those before it were delivered already
            is_whole = buffer.keep(mold.packet("S", seq - first, messages), seq, step, step % 2)
            kept.append((seq, step, step % 2, messages[first:]))
            seq += len(messages) - first
            while kept[0][0] < buffer.first:
                lost += 1
                assert not is_whole
                kept.popleft()
            assert sum(HEAD_BYTES + sum(2 + len(m) for m in row[3]) for row in kept) <= BYTES_MIN
        elif draw < 0.95 and kept:
            assert buffer.front() == kept.popleft()
            buffer.pop()
        elif draw < 0.96:
            wanted = rng.randint(buffer.first, buffer.end)
            buffer.drop_below(wanted)
            while kept and kept[0][0] + len(kept[0][3]) <= wanted:
                kept.popleft()
            if kept and kept[0][0] < wanted:
                number, ts_recv, line, messages = kept.popleft()
                kept.appendleft((wanted, ts_recv, line, messages[wanted - number :]))
        assert buffer.empty == (not kept)
        assert (buffer.first, buffer.end) == (kept[0][0] if kept else seq, seq)
    assert lost > 100


def test_one_that_could_not_hold_the_largest_packet_is_refused():
    with pytest.raises(ConfigError, match=r"at least 131072 bytes .* found 131071"):
        native.LiveBuffer(BYTES_MIN - 1)
