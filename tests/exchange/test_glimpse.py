"""The snapshot server: whoever joins late has the books of who heard everything, and goes on with the feed."""

import random

import numpy as np
import pytest
from tests.exchange.harness import Client, FakeTime, Receiver, exchange, run

from openbell._native import VenueCore, glimpse_end, glimpse_parse_end, itch_decode, itch_encode, soup_packet
from openbell.exchange.glimpse import SnapshotLog
from openbell.exchange.spin import Spin
from openbell.types import BUY, RECORDS, SELL, Side, Tif
from oracles.book import Books
from oracles.itch_market import market

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


def test_the_snapshot_has_the_books_of_the_feed_in_time_priority(rng):
    venue = busy_venue(rng, 3000)
    spin = Spin(venue)

    *messages, end = spin.messages()

    assert glimpse_parse_end(end) == venue.itch_next
    assert books_of(messages) == books_of(feed_of(venue))
    assert len(books_of(messages)) > 10
    kinds = "".join(itch_decode(m)["type"] for m in messages)
    assert kinds.rstrip("A") == "SRRHH"
    assert itch_decode(messages[0])["event"] == "Q"
    assert spin.messages() is spin.messages()


def test_a_snapshot_of_any_moment_and_the_feed_from_its_number_on_are_the_whole_feed(rng):
    for events in rng.sample(range(1, 400), 12):
        venue = busy_venue(random.Random(events), events)
        spin = Spin(venue)
        *messages, end = spin.messages()
        account = venue.add_account(internal=True)
        for now in range(50):
            venue.submit(account, now % 2, Side(1 + now % 2), 50_0000, 300, Tif.DAY, events + now)

        later = feed_of(venue, glimpse_parse_end(end))

        assert books_of([*messages, *later]) == books_of(feed_of(venue))
        assert books_of(spin.messages()[:-1]) == books_of(feed_of(venue))


HEAD = {"locate": 2, "tracking": 0, "ts": 7}


@pytest.mark.parametrize("kind", ["A", "F"])
def test_a_replaced_order_keeps_its_side_and_attribution_and_has_the_time_of_its_replace(kind):
    venue = VenueCore([("OBEL", 100, 100), ("RING", 100, 100)], 0, 10, 10, 100, matches=False)
    add = {"type": kind, **HEAD, "order_id": 5, "side": "S", "qty": 300, "symbol": "RING    ", "px": 1_0000}
    add |= {"mpid": "OPEN"} if kind == "F" else {}
    other = {**add, "order_id": 6}
    replace = {"type": "U", **HEAD, "ts": 9, "order_id": 5, "new_order_id": 8, "qty": 200, "px": 2_0000}
    venue.publish([itch_encode(m) for m in (add, other, replace)])

    *messages, _ = Spin(venue).messages()

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

    *states, _ = Spin(venue).messages()

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
            message = itch_encode({"type": "S", "locate": 0, "tracking": 0, "ts": 1, "event": "O"})
            long, server.glimpse._snapshot = [message] * 2_000_000, lambda: long
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

            long[:] = [glimpse_end(1)]
            assert (await snapshot(server))[1] == [glimpse_end(1)]

    run(conversation)


def test_the_log_of_a_snapshot_is_cut_at_packets():
    log = SnapshotLog([b"one", b"three"])
    assert log.sequenced(1, 13) == (b"\x00\x04Sone", 2)
    assert log.sequenced(2, 8) == (b"\x00\x06Sthree", 3)
    assert log.sequenced(3, 100) == (b"", 3)
