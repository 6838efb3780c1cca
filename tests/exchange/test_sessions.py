"""SoupBinTCP sessions over real loopback sockets: logins, sequence, heartbeats, and clients that misbehave."""

import socket
import struct
from contextlib import suppress

import pytest
from tests.exchange.harness import Client, FakeTime, brief, enter, exchange, run

from openbell._native import ouch_decode_outbound, ouch_encode_inbound, soup_login_request, soup_packet
from openbell.exchange.control import ask


def test_login_starts_with_the_number_of_the_next_report_and_ends_replay_with_a_heartbeat():
    async def conversation():
        async with exchange() as server:
            client = await Client.login(server)

            assert (client.session, client.next_seq) == ("DAY1", 1)
            assert [brief(r) for r in await client.replay()] == [("S", "", "S")]

    run(conversation)


@pytest.mark.parametrize(
    ("login", "reason"),
    [({"password": "wrong"}, b"A"), ({"user": "NOBODY"}, b"A"), ({"user": "*FLOW*"}, b"A"), ({"session": "OLD"}, b"S")],
)
def test_a_login_that_is_refused_gets_a_reason_and_the_end(login, reason):
    async def conversation():
        async with exchange() as server:
            client = await Client.connect(server)
            client.send_login(**login)

            assert await client.packet() == ("J", reason)
            assert await client.packet() == ("", b"")

    run(conversation)


def test_name_and_password_do_not_care_for_case():
    async def conversation():
        async with exchange() as server:
            await Client.login(server, user="node1", password="SECRET", session="DAY1")

    run(conversation)


@pytest.mark.parametrize(("seq", "expected"), [(1, [1, 2, 3]), (2, [2, 3]), (0, []), (4, []), (99, [])])
def test_reconnecting_replays_from_the_number_asked_for(seq, expected):
    async def conversation():
        async with exchange() as server:
            first = await Client.login(server, user="NODE2")
            await first.replay()
            first.enter("A1")
            first.cancel("A1")
            await first.reports(2)
            await first.disconnect()

            again = await Client.login(server, user="NODE2", seq=seq)

            assert again.next_seq == (expected[0] if expected else 4)
            types = {1: "S", 2: "A", 3: "C"}
            assert [r["type"] for r in await again.replay()] == [types[n] for n in expected]

    run(conversation)


@pytest.mark.parametrize("user", ["NODE1", "NODE2"])
def test_a_new_login_drops_the_old_connection_after_draining_it(user):
    """The server does not read the old socket any more when the orders arrive there: only the login drains it."""

    async def conversation():
        async with exchange() as server:
            old = await Client.login(server, user=user)
            await old.replay()
            server.door.accounts[user].connection.transport.pause_reading()
            for n in range(50):
                old.enter(f"A{n}")
            new = await Client.connect(server)
            new.send_login(user=user)

            kind, _ = await new.packet()
            reports = [brief(r) for r in await new.replay()]

            assert kind == "A"
            accepted = [("A", f"A{n}", 100, 50_0000) for n in range(50)]
            canceled = [("C", f"A{n}", 100, "S") for n in range(50)] if user == "NODE1" else []
            assert reports == [("S", "", "S"), *accepted, *canceled]
            while (await old.packet())[0]:
                pass  # what it was sent before the end
            new.enter("B1")
            assert brief(await new.report()) == ("A", "B1", 100, 50_0000)
            assert server.door.counters.dropped == {"replaced by a new login": 1}

    run(conversation)


def test_orders_of_a_killed_client_count_if_they_reached_our_socket():
    """A process that dies with unread bytes resets its connection; what it had sent before is still obeyed."""

    async def conversation():
        async with exchange() as server:
            old = await Client.login(server, user="NODE2")
            await old.replay()
            server.door.accounts["NODE2"].connection.transport.pause_reading()
            orders = [soup_packet("U", ouch_encode_inbound(enter(f"A{n}"))) for n in range(50)]
            old.writer.write(b"".join(orders))  # one segment: it has arrived when this returns
            linger_0 = struct.pack("ii", 1, 0)
            old.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_0)
            old.writer.transport.abort()
            await old.disconnect()

            new = await Client.login(server, user="NODE2")
            assert [r["type"] for r in await new.replay()] == ["S", *["A"] * 50]

    run(conversation)


@pytest.mark.parametrize(("user", "state"), [("NODE1", "CANCELED"), ("NODE2", "NEW")])
def test_cancel_on_disconnect_is_the_accounts_choice(user, state):
    async def conversation():
        async with exchange() as server:
            client = await Client.login(server, user=user)
            await client.replay()
            client.enter("A1")
            await client.report()
            connection = server.door.accounts[user].connection
            await client.disconnect()
            await connection.closed.wait()

            orders = (await ask(server.ready.control, {"verb": "ledger", "account": user}))["orders"]
            assert [o["state"] for o in orders] == [state]

    run(conversation)


@pytest.mark.parametrize(
    "raw",
    [soup_packet("U", b"?"), soup_packet("U", b"O" + b" " * 20), b"\x00\x00", b"\xff\xffU", soup_packet("O", b"")],
    ids=["unknown type", "cut order", "length 0", "endless", "logout"],
)
def test_bytes_that_cannot_be_followed_end_the_connection_and_nothing_else(raw):
    async def conversation():
        async with exchange() as server:
            client = await Client.login(server)
            await client.replay()
            client.enter("A1")
            await client.report()
            client.writer.write(raw)

            while (packet := await client.packet())[0]:
                assert packet[0] in "SH"
            again = await Client.login(server)
            assert [r["type"] for r in await again.replay()] == ["S", "A", "C"]

    run(conversation)


def test_a_login_split_at_every_byte_is_the_same_login():
    async def conversation():
        async with exchange() as server:
            whole = Client(None, type("Sink", (), {"write": lambda self, data: setattr(self, "data", data)})())
            whole.send_login()
            for at in range(1, len(whole.writer.data)):
                client = await Client.connect(server)
                received = server.door.counters.logins
                client.writer.write(whole.writer.data[:at])
                await client.writer.drain()
                client.writer.write(whole.writer.data[at:])
                assert (await client.packet())[0] == "A"
                assert server.door.counters.logins == received + 1

    run(conversation)


def test_the_silent_are_dropped_and_the_living_get_a_heartbeat_a_second():
    async def conversation():
        async with exchange() as server:
            time = FakeTime(server.door.port)
            stranger = await Client.connect(server)
            client = await Client.login(server)
            await client.replay()
            for _ in range(3):
                time.advance(1.0)
                assert await client.packet() == ("H", b"")
            time.advance(11.5)
            assert server.door.counters.dropped == {}

            time.advance(1.0)
            assert server.door.counters.dropped == {"silent": 1}
            beats = 0
            while (packet := await client.packet())[0]:
                assert packet == ("H", b"")
                beats += 1
            assert beats >= 11
            time.advance(14.0)
            assert server.door.counters.dropped == {"silent": 1}
            time.advance(1.0)
            assert server.door.counters.dropped == {"silent": 1, "no login in time": 1}
            assert await stranger.packet() == ("", b"")

    run(conversation)


def test_a_client_that_never_reads_is_dropped_when_it_lags_too_far():
    async def conversation():
        async with exchange(order_entry={"lag_messages_max": 1000}) as server:
            client = await Client.login(server)
            await client.replay()
            connection = server.door.accounts["NODE1"].connection
            client.reader._transport.pause_reading()
            connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            with suppress(ConnectionError):
                for n in range(100_000):
                    client.enter(f"A{n}", px=1)
                    await client.writer.drain()

            await connection.closed.wait()
            assert server.door.counters.dropped == {"too slow": 1}

    run(conversation)


@pytest.mark.parametrize("session", ["", "DAY1", "      DAY1", "DAY1      "])
def test_the_session_may_be_blank_or_named_with_padding_on_either_side(session):
    async def conversation():
        async with exchange() as server:
            client = await Client.connect(server)
            client.writer.write(soup_login_request("NODE1", "secret", session, 1))
            kind, payload = await client.packet()

            assert (kind, payload) == ("A", b"      DAY1" + b"1".rjust(20))

    run(conversation)


def test_a_client_lives_as_long_as_it_sends_heartbeats():
    async def conversation():
        async with exchange() as server:
            time = FakeTime(server.door.port)
            client = await Client.login(server)
            await client.replay()
            connection = server.door.accounts["NODE1"].connection
            for _ in range(10):
                time.advance(10.0)
                client.writer.write(soup_packet("R", b""))
                while connection.last_received < time.now_s:
                    await client.packet()  # one of the heartbeats; the exchange gets its turn
                    client.writer.write(soup_packet("+", b""))
            client.enter("A1")

            assert brief(await client.report())[:2] == ("A", "A1")
            assert server.door.counters.dropped == {}

    run(conversation)


def test_debug_packets_of_a_client_change_nothing():
    async def conversation():
        async with exchange() as server:
            client = await Client.connect(server)
            client.writer.write(soup_packet("+", b"before the login"))
            client.send_login()
            client.writer.write(soup_packet("+", b"") + soup_packet("+", b"x" * 1024))
            assert (await client.packet())[0] == "A"
            await client.replay()
            client.enter("A1")

            assert brief(await client.report())[:2] == ("A", "A1")
            assert server.door.counters.debug_packets == 3

    run(conversation)


def test_a_session_that_has_ended_is_not_available():
    async def conversation():
        async with exchange() as server:
            server.door.port.end_session()
            client = await Client.connect(server)
            client.send_login()

            assert await client.packet() == ("J", b"S")

    run(conversation)


def test_what_was_sent_with_the_logout_is_answered():
    async def conversation():
        async with exchange() as server:
            client = await Client.login(server, user="NODE2")
            await client.replay()
            order = soup_packet("U", ouch_encode_inbound(enter("A1")))
            client.writer.write(order + soup_packet("O", b""))

            assert brief(await client.report())[:2] == ("A", "A1")
            assert await client.packet() == ("", b"")

    run(conversation)


DROP_COPY = {"name": "COPY", "password": "plain:secret", "accounts": ["NODE1", "node2"]}


def copied(packets):
    """(account, type) of drop copy messages."""
    return [(payload[:10].decode(), ouch_decode_outbound(payload[10:])["type"]) for kind, payload in packets]


async def take(client, count):
    packets = []
    while len(packets) < count:
        kind, payload = await client.packet()
        if kind == "S":
            packets.append((kind, payload))
    return packets


def test_a_drop_copy_hears_its_accounts_in_order_and_again_after_a_cut():
    async def conversation():
        async with exchange(drop_copies=[DROP_COPY]) as server:
            copy = await Client.login(server, user="copy")
            maker, taker = await Client.login(server), await Client.login(server, user="NODE2")
            maker.enter("M1", "S")
            await take(maker, 2)
            taker.enter("T1")
            one, two = "NODE1     ", "NODE2     "
            expected = [(one, "S"), (two, "S"), (one, "A"), (two, "A"), (one, "E"), (two, "E")]
            assert copied(first := await take(copy, 6)) == expected

            await copy.disconnect()
            maker.cancel("M1")
            maker.enter("M2", "S")
            await take(maker, 2)
            again = await Client.login(server, user="COPY", session="DAY1", seq=4)
            assert again.next_seq == 4
            heard = await take(again, 4)
            assert heard[:3] == first[3:]
            assert copied(heard[3:]) == [(one, "A")]

    run(conversation)


def test_a_drop_copy_takes_no_orders():
    async def conversation():
        async with exchange(drop_copies=[DROP_COPY]) as server:
            copy = await Client.login(server, user="COPY", seq=0)
            copy.enter("A1")
            while (await copy.packet())[0]:
                pass

            assert server.door.counters.dropped == {"malformed": 1}
            assert server.venue.open_orders == 0

    run(conversation)
