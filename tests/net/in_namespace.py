"""Multicast on two interfaces; run by test_multicast.py in a network namespace that has nothing else."""

from pathlib import Path

import pytest

from openbell import _native as native
from openbell import events
from openbell.errors import NetError
from oracles import mold

INTERFACES = ("10.91.0.1", "10.92.0.1")
GROUPS = ("239.91.0.1", "239.92.0.1")
SESSION, FEED = "NAMESPACE1", 16
RUN_NS = 200_000_000


def sockets(at: int, port: int = 0) -> tuple[native.UdpSocket, native.UdpSocket]:
    """A receiver of a group on its interface, and a sender that leaves by it."""
    receiver = native.UdpSocket(group=GROUPS[at], port=port, interface=INTERFACES[at])
    return receiver, native.UdpSocket(INTERFACES[at], interface=INTERFACES[at])


def payloads(receiver: native.UdpSocket) -> list[bytes]:
    return [payload for payload, _, _ in receiver.receive()]


def test_a_group_is_heard_on_the_interface_it_was_joined_on():
    receiver, sender = sockets(0)
    _, elsewhere = sockets(1)
    to = (GROUPS[0], receiver.local[1])

    assert sender.send_to(to, b"right") and elsewhere.send_to(to, b"other interface")

    assert payloads(receiver) == [b"right"]


def test_a_group_that_was_not_joined_is_not_heard():
    receiver, _ = sockets(0)
    other, sender = sockets(1, receiver.local[1])

    assert sender.send_to((GROUPS[1], receiver.local[1]), b"line B")

    assert (payloads(receiver), payloads(other)) == ([], [b"line B"])


def test_an_interface_that_is_not_there_is_told():
    with pytest.raises(NetError, match=r"by interface 10\.93\.0\.1, got Cannot assign requested address"):
        native.UdpSocket(group=GROUPS[0], interface="10.93.0.1")


def test_a_node_hears_two_groups_on_two_interfaces(tmp_path: Path):
    config, feed, capacity = native.LiveConfig(), native.LiveFeedConfig(), native.EngineCapacity()
    capacity.instruments_max, capacity.book_orders_max, capacity.orders_max = 1, 1 << 10, 16
    config.journal_dir, config.hot_dir = str(tmp_path / "journal"), str(tmp_path / "hot")
    config.segment_bytes, config.capacity = 1 << 20, capacity
    (tmp_path / "hot").mkdir()
    feed.name, feed.symbols = "groups", ["OBEL"]
    for group, interface in zip(GROUPS, INTERFACES, strict=True):
        feed.add_line(host="", port=0, group=group, interface=interface, receive_buffer_bytes=1 << 20)
    config.feeds = [feed]
    engine = native.Engine(capacity)
    node = native.LiveNode(config, engine, native.StrategyHost())
    node.submit(events.started(node=1, epoch=node.epoch, now_ns=1, seed=1))
    messages = [native.itch_encode({"type": "R", "locate": 1, "symbol": "OBEL"})] + [
        native.itch_encode(
            {"type": "A", "locate": 1, "order_id": n, "side": "B", "qty": 1, "symbol": "OBEL", "px": 10_000}
        )
        for n in range(1, 20)
    ]
    senders = [native.UdpSocket(at, interface=at) for at in INTERFACES]

    for seq, message in enumerate(messages, start=1):
        for line, sender in enumerate(senders):
            if seq % 5 != line:  # each line loses what the other one has
                assert sender.send_to((GROUPS[line], node.feed_port(0, line)), mold.packet(SESSION, seq, [message]))
    node.run(RUN_NS)

    counters = dict(native.Counters.attach(str(tmp_path / "hot" / "counters")).read())
    assert engine.source_seq(FEED) == len(messages) and engine.is_book_valid(0)
    assert engine.touch(0) == (10_000, 19, 0, 0)
    assert [counters[f"feed.groups.{line}.packets"] for line in "AB"] == [16, 16]
    assert counters["feed.groups.gaps"] == 0
    node.close()
