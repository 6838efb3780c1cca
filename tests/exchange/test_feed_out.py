"""The feed over real UDP: every message once, and again for who asks."""

import asyncio

import pytest
from tests.exchange.harness import Client, Receiver, exchange, run

from openbell._native import itch_decode

DAY_START = ["S", "R", "R", "H", "H", "S", "S"]


def types(messages):
    return [itch_decode(m)["type"] for m in messages]


async def trade(server):
    client = await Client.login(server)
    for n in range(100):
        client.enter(f"A{n}", px=49_0000 + 100 * n)
    await client.replay()
    await client.reports(100)


def test_receivers_hear_the_day_start_and_every_order():
    async def conversation():
        receivers = [Receiver(), Receiver()]
        async with exchange(feed={"send_to": [r.address for r in receivers], "linger_ms": 0}) as server:
            await trade(server)
            for receiver in receivers:
                messages = await receiver.follow_until(server, lambda m: len(m) == 107)
                assert types(messages) == DAY_START + ["A"] * 100

    run(conversation)


def test_a_late_receiver_gets_everything_by_asking():
    async def conversation():
        async with exchange() as server:
            await trade(server)
            late = Receiver()
            got = []
            while len(got) < 107:
                await late.ask(server, len(got) + 1, 60_000)
                session, seq, count, messages = await late.packet()
                assert (session.strip(), seq, count) == ("DAY1", len(got) + 1, len(messages))
                got += messages

            assert types(got) == DAY_START + ["A"] * 100

    run(conversation)


def test_a_request_gets_one_packet_of_what_was_asked():
    async def conversation():
        async with exchange() as server:
            receiver = Receiver()
            await receiver.ask(server, 3, 2)
            _, seq, count, messages = await receiver.packet()

            assert (seq, count, types(messages)) == (3, 2, ["R", "H"])

    run(conversation)


@pytest.mark.parametrize(("seq", "count", "session"), [(0, 1, "DAY1"), (8, 1, "DAY1"), (1, 0, "DAY1"), (1, 1, "OTHER")])
def test_what_cannot_be_answered_is_met_with_silence(seq, count, session):
    async def conversation():
        async with exchange() as server:
            receiver = Receiver()
            await receiver.ask(server, seq, count, session)
            await asyncio.get_running_loop().sock_sendto(
                receiver.socket, b"short", ("127.0.0.1", int(server.ready.retransmit.split(":")[1]))
            )
            await receiver.ask(server, 7, 1)

            assert (await receiver.packet())[1] == 7

    run(conversation)


def test_heartbeats_say_the_next_number():
    async def conversation():
        receiver = Receiver()
        feed = {"send_to": [receiver.address], "heartbeat_ms": 10, "linger_ms": 0}
        async with exchange(feed=feed) as server:
            while (packet := await receiver.packet())[2] != 0:
                pass
            assert packet[1] == server.venue.itch_next == 8

    run(conversation)
