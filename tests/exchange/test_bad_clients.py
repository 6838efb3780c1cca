"""Clients that send what they like: each gets a reject or a clean end, and nobody else notices."""

import asyncio
import random

import pytest
from tests.exchange.harness import Client, brief, enter, exchange, run

from openbell._native import ouch_encode_inbound, soup_login_request, soup_packet

KINDS = "LUROSAHJZ+Q"


def mutated(rng: random.Random, packet: bytes) -> bytes:
    """The packet with some bytes changed, cut or repeated."""
    out = bytearray(packet)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(out)) if out else 0
        match rng.randrange(3):
            case 0 if out:
                out[at] = rng.randrange(256)
            case 1:
                del out[at : at + rng.randint(1, 8)]
            case _:
                out[at:at] = out[at : at + rng.randint(1, 8)]
    return bytes(out)


def nonsense(rng: random.Random, protocol_letters: bytes) -> bytes:
    """A conversation that begins like one, perhaps, and goes anywhere."""
    stream = soup_login_request("NODE1", "secret", "", rng.choice([0, 1, 5])) if rng.random() < 0.8 else b""
    for _ in range(rng.randint(1, 12)):
        order = soup_packet("U", ouch_encode_inbound(enter(f"X{rng.randrange(1 << 30)}", px=rng.randrange(1 << 31))))
        body = bytes([rng.choice(protocol_letters)]) + rng.randbytes(rng.choice([0, 8, 18, 46, 48, 60]))
        stream += rng.choice([
            rng.randbytes(rng.randint(1, 80)),
            soup_packet(rng.choice(KINDS), rng.randbytes(rng.randint(0, 60))),
            soup_packet("U", body),
            mutated(rng, order),
            order,
        ])  # fmt: skip
    return stream


@pytest.mark.parametrize("protocol", ["ouch42", "ouch50"])
def test_nonsense_ends_its_own_connection_and_harms_no_other(protocol, rng):
    accounts = [
        {"name": "NODE1", "password": "plain:secret", "protocol": protocol},
        {"name": "NODE2", "password": "plain:secret"},
    ]

    async def conversation():
        async with exchange(accounts=accounts, order_entry={"connects_per_s_max": 100_000}) as server:
            trader = await Client.login(server, user="NODE2")
            await trader.replay()
            serving = asyncio.ensure_future(server.serve())
            for n in range(150):
                bad = await Client.connect(server)
                bad.writer.write(nonsense(rng, b"OUXMNCDEQ"))
                bad.writer.write_eof()
                while (await bad.packet())[0]:
                    pass
                await bad.disconnect()
                Client.opened.remove(bad)
                trader.enter(f"T{n}", px=1_0000)
                while (report := brief(await trader.report()))[1] != f"T{n}":
                    pass
                assert report[0] == "A"

            assert not serving.done(), "the exchange stopped"
            assert server.door.port._waiting == {}
            assert len(server.door.port.connections) == 1
            server.venue.audit()
            serving.cancel()

    run(conversation)


def test_a_packet_of_a_wrong_state_is_no_way_in():
    async def conversation():
        async with exchange() as server:
            for first in ("U", "R", "O", "S", "A"):
                client = await Client.connect(server)
                client.writer.write(soup_packet(first, ouch_encode_inbound(enter("A1"))))
                assert await client.packet() == ("", b"")
            assert server.venue.open_orders == 0
            assert sum(server.door.counters.dropped.values()) == 5

    run(conversation)
