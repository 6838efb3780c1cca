"""Lines A and B: the same packets on both, receivers that come and go, and each line's own faults under its seed."""

import asyncio
import struct
from itertools import pairwise

import pytest
from tests.exchange.harness import Client, Receiver, exchange, run

from openbell._native import itch_decode
from openbell.config_types import Address
from openbell.errors import NetError
from openbell.exchange.control import RequestError, ask
from openbell.exchange.feed_config import LineSettings
from openbell.exchange.lines import Line

HEARTBEAT, END = 0, 0xFFFF


def packet(seq, count=1):
    return b"DAY1      " + struct.pack(">QH", seq, count)


def line_of(**settings):
    """A line with one receiver, and what it hears: (sequence number, count)."""
    heard = []

    def send(data, receiver):
        assert receiver == ("127.0.0.1", 9)
        heard.append(struct.unpack_from(">QH", data, 10))
        return True

    line = Line(LineSettings(name="A", **settings), send)
    line.add(Address("127.0.0.1", 9))
    return line, heard


def seqs(heard):
    return [seq for seq, _ in heard]


def test_a_line_that_works_changes_nothing():
    line, heard = line_of()
    for seq in range(1, 100):
        line.publish(packet(seq))
    assert seqs(heard) == [*range(1, 100)]
    assert line.status()["disturbance"] == {}


@pytest.mark.parametrize(
    ("fault", "counter"), [("loss", "dropped"), ("duplicate", "duplicated"), ("reorder", "reordered")]
)
def test_a_fault_by_chance_happens_about_as_often_as_asked_and_the_same_way_again(fault, counter, seed):
    def once(of):
        line, heard = line_of(**{fault: 0.2}, seed=of)
        for seq in range(1, 2001):
            line.publish(packet(seq))
        line.flush()
        return seqs(heard), line.status()[counter]

    heard, count = once(seed)
    assert once(seed) == (heard, count)
    assert once(seed + 1)[0] != heard
    assert 300 < count < 500
    assert len(heard) == {"loss": 2000 - count, "duplicate": 2000 + count, "reorder": 2000}[fault]
    if fault == "reorder":
        assert sorted(heard) == [*range(1, 2001)]
        assert sum(a > b for a, b in pairwise(heard)) in (count, count - 1)  # nothing may overtake the last


def test_a_packet_that_was_to_be_overtaken_by_none_leaves_with_the_next_heartbeat():
    line, heard = line_of(reorder=1.0)
    line.publish(packet(1))
    assert heard == []
    line.publish(packet(2, HEARTBEAT))
    assert heard == [(2, HEARTBEAT), (1, 1)]


def test_drops_on_command_are_of_messages_and_of_no_heartbeat():
    line, heard = line_of()
    line.disturbance.drop_next = 2
    line.disturbance.drop_seq = 9
    for seq, count in [(1, HEARTBEAT), (1, 2), (3, 1), (4, 4), (8, 3), (8, 3), (11, END)]:
        line.publish(packet(seq, count))
    assert heard == [(1, HEARTBEAT), (4, 4), (8, 3), (11, END)]
    assert line.counters.dropped == 3


def test_a_delayed_line_keeps_its_order_and_loses_nothing():
    async def conversation():
        line, heard = line_of(delay_ms=5.0)
        for seq in range(1, 4):
            line.publish(packet(seq))
        line.disturbance.delay_ms = 0.0
        line.publish(packet(4))
        assert heard == []
        done = asyncio.get_running_loop().create_future()
        line._send = lambda data, _: (
            heard.append(struct.unpack_from(">QH", data, 10)),
            len(heard) == 4 and done.set_result(0),
        )
        await done
        assert seqs(heard) == [1, 2, 3, 4]

        line.disturbance.delay_ms = 10_000.0
        line.publish(packet(5))
        line.flush()
        assert seqs(heard) == [1, 2, 3, 4, 5]

    run(conversation)


def test_what_a_delayed_line_can_hold_is_bounded(monkeypatch):
    async def conversation():
        monkeypatch.setattr("openbell.exchange.lines.DELAYED_BYTES_MAX", 50)
        line, heard = line_of(delay_ms=10_000.0)
        for seq in range(1, 5):
            line.publish(packet(seq))
        line.flush()
        assert (seqs(heard), line.counters.overflowed) == ([1, 2], 2)

    run(conversation)


def two_lines(*receivers, **faults_of_b):
    a, b = (receiver.address for receiver in receivers)
    return {"lines": [{"name": "A", "send_to": [a]}, {"name": "B", "send_to": [b], **faults_of_b}], "linger_ms": 0}


def test_both_lines_carry_the_same_packets_and_the_retransmission_server_answers_both():
    async def conversation():
        a, b = Receiver(), Receiver()
        async with exchange(feed=two_lines(a, b, loss=0.5, seed=3)) as server:
            client = await Client.login(server)
            for n in range(50):
                client.enter(f"A{n}", px=49_0000 + 100 * n)
                await client.report()
            whole = await a.follow_until(server, lambda m: len(m) == 57)
            server.feed._send_on_all_lines(server.feed.publisher.heartbeat())
            server.feed.lines["B"].disturbance.loss = 0.0
            server.feed._send_on_all_lines(server.feed.publisher.heartbeat())

            assert await b.follow_until(server, lambda m: len(m) == 57) == whole
            lines = server.answer({"verb": "status"})["feed"]["lines"]
            assert (lines["A"]["dropped"], lines["A"]["disturbance"]) == (0, {})
            assert lines["B"]["dropped"] > 10
            assert a.asked == 0
            assert b.asked > 0

    run(conversation)


def test_receivers_come_and_go_while_the_exchange_runs():
    async def conversation():
        first, late = Receiver(), Receiver()
        async with exchange(feed=two_lines(first, first)) as server:
            control = server.ready.control
            added = await ask(control, {"verb": "receivers", "line": "B", "add": late.address})
            assert added["receivers"] == {"A": [first.address], "B": [first.address, late.address]}
            client = await Client.login(server)
            client.enter("A1")
            messages = await late.follow_until(server, lambda m: len(m) == 8)
            assert itch_decode(messages[-1])["type"] == "A"

            await ask(control, {"verb": "receivers", "line": "B", "remove": late.address})
            assert (await ask(control, {"verb": "receivers"}))["receivers"]["B"] == [first.address]

    run(conversation)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"line": "C", "add": "127.0.0.1:9"}, "expected line A or B"),
        ({"line": "A", "add": "nowhere"}, 'expected "host:port"'),
        ({"line": "A", "remove": "127.0.0.1:9"}, "expected one of its receivers"),
    ],
)
def test_wrong_requests_about_receivers_say_what_was_expected(request_, message):
    async def conversation():
        receiver = Receiver()
        async with exchange(feed=two_lines(receiver, receiver)) as server:
            with pytest.raises((RequestError, NetError), match=message):
                await ask(server.ready.control, {"verb": "receivers", **request_})

    run(conversation)


def test_a_line_has_a_bounded_number_of_receivers():
    line, _ = line_of()
    with pytest.raises(NetError, match="expected at most 64 receivers"):
        for port in range(1, 100):
            line.add(Address("127.0.0.1", port))
    assert len(line.receivers) == 64


def test_a_feed_that_is_paused_is_silent_and_says_everything_afterwards():
    async def conversation():
        receiver = Receiver()
        async with exchange(feed={"send_to": [receiver.address], "heartbeat_ms": 10, "linger_ms": 0}) as server:
            await receiver.follow_until(server, lambda m: len(m) == 7)
            server.feed.is_paused = True
            client = await Client.login(server)
            client.enter("A1")
            await client.report()
            sent = server.feed.lines["A"].counters.packets
            server.feed.tick()
            assert server.feed.lines["A"].counters.packets == sent

            server.feed.is_paused = False
            server.changed()
            assert len(await receiver.follow_until(server, lambda m: len(m) == 8)) == 8
            assert receiver.asked == 0

    run(conversation)
