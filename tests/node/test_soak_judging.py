"""What the soak calls growth."""

import pytest
from bench.soak.judging import judge, picture, summary
from bench.soak.market import SESSION, Turn, cycle, opening

from openbell import _native as native

GOOD = {
    "orders": 9,
    "armed_again": 0,
    "feed_lost": 0,
    "book_faults": 0,
    "sent": 1,
    "refusals": 0,
    "feed_gaps": 0,
    "feed_dropped": 0,
}
SENT, ENDED = {"rate": 50_000.0}, {"orders_open": 0}


def samples(**grown):
    """A hundred of an hour; each name's value as a function of the hour."""
    out = []
    for n in range(100):
        hours = (n + 1) / 100
        given = {"trading_kib": 80_000, "trading_fds": 7, "decided_p999": 50_000}
        given |= {name: of(hours) for name, of in grown.items()}
        out.append(
            {"hours": hours, "seconds": 36.0, "frames": 180_000, "sent_p999": 1.0, "durable_p999": 5.0, **GOOD, **given}
        )
    return out


def test_a_steady_node_has_no_problem_and_a_picture():
    seen = samples(trading_kib=lambda h: 80_000 + (5_000 if h < 0.1 else 0))

    assert judge(seen, SENT, ENDED, 50_000) == []
    assert summary(seen)["frames_per_s"] == 5_000
    assert picture(seen, 50_000).count("<polyline") == 9


@pytest.mark.parametrize(
    ("grown", "word"),
    [
        ({"trading_kib": lambda h: 80_000 + 2_000 * h}, "trading_kib: expected less than 1,024 KiB an hour, found 2,0"),
        ({"trading_fds": lambda h: 7 + int(10 * h)}, "descriptors, found 8 to 17"),
        ({"decided_p999": lambda h: 50_000 * (1 + 0.2 * h)}, "p99.9 of decided"),
        ({"durable_p999": lambda h: 50_000 * (1 + 0.2 * h)}, "p99.9 of durable"),
        ({"orders": lambda h: 9 if h < 0.25 else 0}, "orders: expected some in every sample, found 76 samples without"),
        ({"orders": lambda h: int(h != 0.25), "armed_again": lambda h: int(h == 0.25)}, "found 1 after which the node"),
        ({"feed_lost": lambda _: 3}, "feed_lost: expected 0, found 3"),
    ],
)
def test_growth_and_loss_are_named(grown, word):
    (problem,) = judge(samples(**grown), SENT, ENDED, 50_000)
    assert word in problem


def test_a_slow_sender_and_open_orders_are_named():
    said = judge(samples(), {"rate": 40_000.0}, {"orders_open": 2}, 50_000)
    assert ["sender" in said[0], "no open order, found 2" in said[1]] == [True, True]


def test_the_market_ends_each_turn_without_an_order_and_can_be_asked_again():
    symbols = ["AA", "BB"]
    first, turn = opening(symbols), Turn.of(cycle(symbols, seed=3, hours=0.01))
    feed = native.MoldItchFeed([], 0, 0, native.MoldConfig())
    books = native.Books(4, 1 << 12)
    feed.start("", 0)
    blocks = b"".join(len(m).to_bytes(2) + m for m in first)
    feed.on_packet(SESSION.encode() + (1).to_bytes(8) + len(first).to_bytes(2) + blocks, 0, 0)

    for n in range(2):
        base = len(first) + 1 + n * turn.messages
        turn.number(base)
        turn.stamp(n * turn.messages * 1_000, 1e6)
        for i in range(len(turn.starts) - 1):
            feed.on_packet(turn.raw[turn.starts[i] : turn.starts[i + 1]].tobytes(), 0, 0)
        assert feed.next_seq == base + turn.messages
        assert feed.itch_counters["malformed"] == 0 == sum(feed.checks["failed"])
    for i in range(2):
        books.add_instrument(i)
    assert books.apply(feed.take_markets()) == 0
    assert [books.touch(i) for i in range(2)] == [(0, 0, 0, 0)] * 2
    assert turn.packet(base + 5, 1, base)[20:] == turn.raw[turn.stamps[5] - 7 : turn.stamps[6] - 7].tobytes()
