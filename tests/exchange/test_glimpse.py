"""The snapshot server: whoever joins late has the books of who heard everything, and goes on with the feed."""

import random

import numpy as np
import pytest
from tests.exchange.harness import Client, FakeTime, Receiver, exchange, run

from openbell._native import (
    FeedSnapshot,
    VenueCore,
    glimpse_end,
    glimpse_parse_end,
    itch_decode,
    itch_encode,
    soup_packet,
    soup_packets,
)
from openbell.types import BUY, RECORDS, SELL, Side, Tif
from oracles.book import Books
from oracles.itch_market import market
from oracles.spin import Spin

GLIMPSE = {"user": "SNAP", "password": "plain:secret"}
INSTRUMENTS = [1, 2]


def books_of(messages):
    """What a listener believes: (instrument, side, px) -> [(reference, qty)] in time priority."""
    books = Books(INSTRUMENTS, 1 << 16, 1 << 16)
    for message in messages:
        decoded = itch_decode(message)
        if row := market(decoded):
            record = np.zeros(1, RECORDS["Market"])[0]
            for name, value in row.items():
                record[name] = int(value)
            record["instrument"] = decoded["locate"]
            assert books.apply(record)[0] == 0, decoded
    return {
        (number, side, px): book.queue(side, px)
        for number, book in books.books.items()
        for side in (BUY, SELL)
        for px in book.levels[side]
    }


def feed_of(venue, first=1):
    return [venue.itch_message(n) for n in range(first, venue.itch_next)]


def busy_venue(rng, events):
    """A venue in the middle of its day: orders of every fate in two instruments."""
    venue = VenueCore([("OBEL", 100, 100), ("RING", 100, 100)], 0, 10_000, 10_000, 1_000_000)
    account = venue.add_account(internal=True)
    venue.open_day(0)
    live = []
    for now in range(1, events):
        if live and rng.random() < 0.4:
            order = live.pop(rng.randrange(len(live)))
            venue.reduce(order, rng.choice([0, 0, 100]), now)
        else:
            side, px = Side(rng.choice([1, 2])), 50_0000 + 100 * rng.randint(-5, 5)
            reference = venue.submit(account, rng.randrange(2), side, px, 100 * rng.randint(1, 9), Tif.DAY, now)
            live += [reference] if reference else []
    return venue


def messages_of(log):
    return [payload for _, payload in soup_packets(log.sequenced(1, 1 << 30)[0], 1000)[0]]


def snapshot_of(venue):
    snapshot = FeedSnapshot(venue)
    assert snapshot.follow(1 << 62)
    return messages_of(snapshot.take())


def test_the_snapshot_has_the_books_of_the_feed_in_time_priority(rng):
    venue = busy_venue(rng, 3000)

    *messages, end = snapshot_of(venue)

    assert glimpse_parse_end(end) == venue.itch_next
    assert books_of(messages) == books_of(feed_of(venue))
    assert len(books_of(messages)) > 10
    kinds = "".join(itch_decode(m)["type"] for m in messages)
    assert kinds.rstrip("A") == "SRRHH"
    assert itch_decode(messages[0])["event"] == "Q"


def test_the_snapshot_is_the_oracles_however_it_was_followed(rng):
    venue = busy_venue(rng, 20_000)
    snapshot, oracle = FeedSnapshot(venue), Spin(venue)
    while not snapshot.follow(rng.randint(1, 2_000)):
        assert glimpse_parse_end(messages_of(snapshot.take())[-1]) < venue.itch_next

    assert messages_of(snapshot.take()) == oracle.messages()
    assert snapshot.take() is snapshot.take()
    held, before = snapshot.take(), oracle.messages()
    account = venue.add_account(internal=True)
    for now in range(1000):
        venue.submit(account, now % 2, Side(1 + now % 2), 50_0000 + 100 * (now % 3), 300, Tif.DAY, 20_000 + now)
    snapshot.follow(1 << 62)
    assert messages_of(snapshot.take()) == oracle.messages() != before
    assert messages_of(held) == before


def test_a_snapshot_of_any_moment_and_the_feed_from_its_number_on_are_the_whole_feed(rng):
    for events in rng.sample(range(1, 400), 12):
        venue = busy_venue(random.Random(events), events)
        *messages, end = snapshot_of(venue)
        account = venue.add_account(internal=True)
        for now in range(50):
            venue.submit(account, now % 2, Side(1 + now % 2), 50_0000, 300, Tif.DAY, events + now)

        later = feed_of(venue, glimpse_parse_end(end))

        assert books_of([*messages, *later]) == books_of(feed_of(venue))


HEAD = {"locate": 2, "tracking": 0, "ts": 7}


@pytest.mark.parametrize("kind", ["A", "F"])
def test_a_replaced_order_keeps_its_side_and_attribution_and_has_the_time_of_its_replace(kind):
    venue = VenueCore([("OBEL", 100, 100), ("RING", 100, 100)], 0, 10, 10, 100, matches=False)
    add = {"type": kind, **HEAD, "order_id": 5, "side": "S", "qty": 300, "symbol": "RING    ", "px": 1_0000}
    add |= {"mpid": "OPEN"} if kind == "F" else {}
    other = {**add, "order_id": 6}
    replace = {"type": "U", **HEAD, "ts": 9, "order_id": 5, "new_order_id": 8, "qty": 200, "px": 2_0000}
    venue.publish([itch_encode(m) for m in (add, other, replace)])

    *messages, _ = snapshot_of(venue)

    expected = {**add, "ts": 9, "order_id": 8, "qty": 200, "px": 2_0000}
    assert messages == [itch_encode(other), itch_encode(expected)]


def test_states_come_once_the_last_of_each_instrument_in_their_order():
    venue = VenueCore([("OBEL", 100, 100)], 0, 10, 10, 100, matches=False)
    halt = {"type": "h", "locate": 1, "tracking": 0, "ts": 1, "symbol": "OBEL    "}
    messages = [
        {**halt, "market": "Q", "action": "H"},
        {**halt, "type": "Y", "action": "1"},
        {**halt, "market": "B", "action": "H"},
        {**halt, "market": "Q", "action": "T"},
        {**halt, "type": "Y", "action": "0"},
    ]
    venue.publish([itch_encode(m) for m in messages])

    *states, _ = snapshot_of(venue)

    assert states == [itch_encode(messages[n]) for n in (4, 2, 3)]


async def snapshot(server, **login):
    """Every message of a snapshot over the wire."""
    login = {"user": "snap", "password": "secret", **login}
    client = await Client.login(server, address=server.ready.glimpse, **login)
    messages = []
    while not messages or messages[-1][:1] != b"G":
        kind, payload = await client.packet()
        assert kind == "S"
        messages.append(payload)
    return client, messages


def test_a_late_receiver_joins_by_snapshot_and_goes_on_with_the_feed():
    async def conversation():
        receiver = Receiver()
        async with exchange(glimpse=GLIMPSE, feed={"send_to": [receiver.address], "linger_ms": 0}) as server:
            trader = await Client.login(server)
            for n in range(60):
                trader.enter(f"A{n}", "BS"[n % 2], px=50_0000 + 100 * (n % 7 - 3))
                await trader.report()
            client, messages = await snapshot(server)
            assert await client.packet() == ("H", b"")
            client.writer.write(soup_packet("O", b""))
            assert await client.packet() == ("", b"")
            trader.enter("B1", "S", px=49_0000)
            while (await trader.report()).get("token", "").strip() != "B1":
                pass

            next_seq = glimpse_parse_end(messages.pop())
            feed = await receiver.follow_until(server, lambda m: len(m) == server.venue.itch_next - 1)
            assert books_of([*messages, *feed[next_seq - 1 :]]) == books_of(feed)
            assert len(feed) > next_seq - 1

    run(conversation)


@pytest.mark.parametrize(
    ("login", "reason"),
    [
        ({"user": "NODE1"}, b"A"),
        ({"password": "x"}, b"A"),
        ({"seq": 2}, b"S"),
        ({"seq": 0}, b"S"),
        ({"session": "X"}, b"S"),
    ],
)
def test_a_snapshot_is_for_its_user_from_message_1(login, reason):
    async def conversation():
        async with exchange(glimpse=GLIMPSE) as server:
            client = await Client.connect(server, address=server.ready.glimpse)
            client.send_login(**{"user": "SNAP", **login})
            assert await client.packet() == ("J", reason)

    run(conversation)


def test_connections_are_few_and_who_has_everything_is_not_kept_for_ever():
    async def conversation():
        async with exchange(glimpse={**GLIMPSE, "connections_max": 2, "login_timeout_ms": 5_000}) as server:
            time = FakeTime(server.glimpse.port)
            (first, _), (second, _) = await snapshot(server), await snapshot(server)
            third = await Client.connect(server, address=server.ready.glimpse)
            assert await third.packet() == ("", b"")
            time.advance(6.0)
            for client in (first, second):
                while (packet := await client.packet())[0]:
                    assert packet == ("H", b"")
            assert server.glimpse.port.counters.dropped == {"too many connections": 1, "done": 2}

    run(conversation)


def test_one_that_does_not_read_is_dropped_and_the_next_is_served():
    async def conversation():
        async with exchange(glimpse=GLIMPSE, order_entry={"heartbeat_ms": 10}) as server:
            real, server.glimpse.snapshot = server.glimpse.snapshot, Endless()
            clock = await Client.login(server)
            time, slow = FakeTime(server.glimpse.port), await Client.connect(server, address=server.ready.glimpse)
            slow.reader._transport.pause_reading()
            slow.send_login(user="SNAP")
            while not any(connection.is_paused for connection in server.glimpse.port.connections):
                await clock.packet()
            [connection] = server.glimpse.port.connections
            time.advance(10.0)
            slow.writer.write(soup_packet("R", b""))  # it lives, and does not read
            while connection.last_received < time.now_s:
                await clock.packet()
            time.advance(5.5)
            assert server.glimpse.port.counters.dropped == {"does not read": 1}

            server.glimpse.snapshot = real
            assert (await snapshot(server))[1][-1] == glimpse_end(8)

    run(conversation)


CUTS = [(1, 14, []), (1, 15, [0]), (1, 37, [0]), (1, 38, [0, 1]), (2, 1000, [1, 2]), (4, 1000, [])]


@pytest.mark.parametrize(("from_seq", "bytes_max", "expected"), CUTS)
def test_a_snapshot_is_cut_between_its_packets(from_seq, bytes_max, expected):
    venue = VenueCore([("OBEL", 100, 100)], 0, 10, 10, 100, matches=False)
    event = itch_encode({"type": "S", "locate": 0, "tracking": 0, "ts": 1, "event": "O"})
    reg_sho = itch_encode({"type": "Y", "locate": 1, "tracking": 0, "ts": 1, "symbol": "OBEL    ", "action": "0"})
    venue.publish([event, reg_sho])
    snapshot = FeedSnapshot(venue)
    snapshot.follow(10)
    packets = [soup_packet("S", message) for message in (event, reg_sho, glimpse_end(3))]

    assert snapshot.take().sequenced(from_seq, bytes_max) == (
        b"".join(packets[n] for n in expected),
        from_seq + len(expected),
    )


class Endless:
    """A snapshot without an end."""

    next_seq = 1 << 40

    def follow(self, _):
        return True

    def take(self):
        return self

    def sequenced(self, from_seq, bytes_max):
        return bytes(bytes_max), from_seq + 1
