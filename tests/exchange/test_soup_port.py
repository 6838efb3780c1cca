"""A SoupBinTCP port by itself: bytes cut anywhere, crowds of strangers, thousands of clients, and its timers."""

import asyncio
import socket
import struct

import pytest
from tests.exchange.harness import Client, FakeTime, brief, enter, exchange, run

from openbell._native import ouch_encode_inbound, soup_login_request, soup_packet, soup_packets
from openbell.exchange.server import allow_sockets
from openbell.exchange.wheel import Wheel


class Transport:
    """What the exchange says to a connection that has no socket."""

    def __init__(self):
        self.written, self.closing = b"", False

    def write(self, data):
        self.written += data

    def abort(self):
        self.closing = True

    close = abort

    def is_closing(self):
        return self.closing

    def get_extra_info(self, name):
        return {"peername": ("127.0.0.1", 1), "socket": self}[name]

    def fileno(self):
        return -1


def conversation_of(token):
    """Everything a client may say, in one stream."""
    cancel = {"type": "X", "token": token.ljust(14), "qty": 0}
    return (
        soup_packet("+", b"hello")
        + soup_login_request("NODE2", "secret", "", 0)
        + soup_packet("R", b"")
        + soup_packet("U", ouch_encode_inbound(enter(token)))
        + soup_packet("+", b"still here")
        + soup_packet("U", ouch_encode_inbound(cancel))
        + soup_packet("O", b"")
        + soup_packet("U", ouch_encode_inbound(enter(token + "X")))
    )


def say(server, pieces):
    """Connect without a socket, say `pieces`, and return what was heard before the end."""
    transport = Transport()
    connection = server.door.port._connect()
    connection.connection_made(transport)
    for piece in pieces:
        connection.data_received(piece)
        server.flush()
    assert transport.closing
    connection.connection_lost(None)
    return [(kind, payload[:1]) for kind, payload in soup_packets(transport.written, 1000)[0]]


def test_bytes_cut_at_every_boundary_or_not_at_all_say_the_same():
    async def conversation():
        async with exchange() as server:
            expected = [("A", b" "), ("H", b""), ("S", b"A"), ("S", b"C")]
            length = len(conversation_of("T0000"))
            for at in range(length):
                stream = conversation_of(f"T{at:04}")
                assert say(server, [stream[:at], stream[at:]]) == expected
            stream = conversation_of("SINGLE")
            assert say(server, [stream[n : n + 1] for n in range(length)]) == expected
            states = {o["state"] for o in server.answer({"verb": "ledger", "account": "NODE2"})["orders"]}
            assert states == {"CANCELED"}
            assert server.door.counters.dropped == {"logout": length + 1}

    run(conversation)


def test_any_pieces_say_the_same(rng):
    async def conversation():
        async with exchange() as server:
            for n in range(200):
                stream = conversation_of(f"R{n:04}")
                cuts = sorted(rng.sample(range(1, len(stream)), rng.randint(0, 20)))
                pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
                assert say(server, pieces) == [("A", b" "), ("H", b""), ("S", b"A"), ("S", b"C")]

    run(conversation)


def test_a_connection_that_was_reset_before_it_was_looked_at_is_forgotten():
    async def conversation():
        async with exchange() as server:
            host, port = server.ready.order_entry.split(":")
            for _ in range(20):
                hasty = socket.create_connection((host, int(port)))
                hasty.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                hasty.close()  # the server has had no turn
            await (await Client.login(server)).replay()
            assert len(server.door.port.connections) == 1
            assert not server.door.port._waiting

    run(conversation)


@pytest.mark.parametrize("raw", [b"\x00\x00", b"\xff\xffU", soup_packet("Q", b""), soup_packet("S", b"x")])
def test_packets_that_no_client_sends_end_the_connection(raw):
    async def conversation():
        async with exchange() as server:
            heard = say(server, [soup_login_request("NODE1", "secret", "", 0), raw])
            assert heard == [("A", b" "), ("H", b"")]
            assert server.door.counters.dropped == {"malformed": 1}

    run(conversation)


def test_a_crowd_without_logins_makes_room_and_harms_nobody():
    async def conversation():
        async with exchange(order_entry={"waiting_max": 8, "connects_per_s_max": 100_000}) as server:
            client = await Client.login(server)
            await client.replay()
            crowd = [await Client.connect(server) for _ in range(100)]
            client.enter("A1")
            assert brief(await client.report())[:2] == ("A", "A1")
            late = await Client.login(server, user="NODE2")
            await late.replay()

            assert len(server.door.port._waiting) <= 8
            assert server.door.counters.dropped["made room"] >= 92
            assert await crowd[0].packet() == ("", b"")
            client.enter("A2")
            assert brief(await client.report())[:2] == ("A", "A2")

    run(conversation)


def test_clients_that_log_in_all_at_once_get_in():
    async def conversation():
        names = [f"N{n}" for n in range(20)]
        accounts = [{"name": name, "password": "plain:secret"} for name in names]
        async with exchange(accounts=accounts, order_entry={"waiting_max": 4}) as server:
            host, port = server.ready.order_entry.split(":")
            crowd = [socket.create_connection((host, int(port))) for _ in names]  # the server has no turn meanwhile
            for name, one in zip(names, crowd, strict=True):
                one.sendall(soup_login_request(name, "secret", "", 1))
            for one in crowd:
                Client.opened.append(client := Client(*await asyncio.open_connection(sock=one)))
                assert (await client.packet())[0] == "A"

            assert server.door.counters.dropped == {}

    run(conversation)


def test_an_address_that_connects_too_often_is_shut_out_and_no_other():
    async def conversation():
        async with exchange(order_entry={"connects_per_s_max": 1}) as server:
            eager = [await Client.connect(server, source="127.0.0.2") for _ in range(50)]
            ends = [asyncio.ensure_future(client.packet()) for client in eager]
            done, others = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            assert {end.result() for end in done} == {("", b"")}
            for end in others:
                end.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            assert server.door.counters.dropped["connects too often"] >= 1

            await (await Client.login(server, source="127.0.0.3")).replay()

    run(conversation)


def test_the_rate_of_an_address_refills_with_time():
    async def conversation():
        async with exchange(order_entry={"connects_per_s_max": 4}) as server:
            port, time = server.door.port, FakeTime(server.door.port)

            assert [port._is_in_rate("a") for _ in range(6)] == [True] * 4 + [False] * 2
            assert port._is_in_rate("b")
            time.advance(0.5)
            assert [port._is_in_rate("a") for _ in range(3)] == [True, True, False]
            time.advance(60)
            assert [port._is_in_rate("a") for _ in range(5)] == [True] * 4 + [False]

    run(conversation)


def test_more_connections_than_allowed_are_closed_and_the_others_stay():
    async def conversation():
        async with exchange(order_entry={"connections_max": 2}) as server:
            clients = [await Client.login(server), await Client.login(server, user="NODE2")]
            third = await Client.connect(server)
            assert await third.packet() == ("", b"")
            for client in clients:
                await client.replay()
            assert server.door.counters.dropped == {"too many connections": 1}

    run(conversation)


def test_a_thousand_sessions_trade_in_one_process():
    count = 1000
    accounts = [{"name": f"N{n}", "password": "plain:secret"} for n in range(count)]

    async def conversation():
        allow_sockets(2 * count)
        async with exchange(accounts=accounts, order_entry={"connects_per_s_max": 100_000}) as server:
            clients = [await Client.login(server, user=f"N{n}") for n in range(count)]
            for client in clients:
                await client.replay()
            for n, client in enumerate(clients):
                client.enter("A1", side="BS"[n % 2])
            heard = [[(r["type"]) for r in await client.reports(2)] for client in clients]

            assert heard == [["A", "E"]] * count
            status = server.answer({"verb": "status", "find": "N99", "rows": 3})
            assert status["sessions"]["connected"] == count
            assert [*status["accounts"]] == ["N99", "N990", "N991"]

    run(conversation)


class Waiting:
    def __init__(self, name):
        self.name, self.armed_slot = name, 0


def test_a_wheel_gives_each_once_for_its_last_deadline():
    wheel = Wheel(slot_s=0.25, now=100.0)
    a, b, c = Waiting("a"), Waiting("b"), Waiting("c")
    wheel.arm(a, 101.0)
    wheel.arm(b, 100.1)
    wheel.arm(c, 100.1)
    wheel.arm(a, 103.0)
    wheel.arm(a, 101.0)
    wheel.disarm(c)

    assert [x.name for x in wheel.turn(100.9)] == ["b"]
    assert [x.name for x in wheel.turn(101.4)] == ["a"]
    assert [x.name for x in wheel.turn(110.0)] == []


@pytest.mark.parametrize("slot_s", [0.01, 0.3, 7.0])
def test_a_wheel_is_never_early_and_at_most_a_slot_late(slot_s, rng):
    now = 1000.0
    wheel, due = Wheel(slot_s, now), {}
    for n in range(500):
        waiting = Waiting(n)
        due[n] = now + rng.uniform(0, 20)
        wheel.arm(waiting, due[n])
    while due:
        now += rng.uniform(0, 1)
        for waiting in wheel.turn(now):
            assert due.pop(waiting.name) <= now
        assert all(deadline > now - slot_s for deadline in due.values())
