"""What the tests of faults do again and again."""

from tests.exchange.harness import Client, brief

MAKER, TAKER = "NODE2", "NODE1"
FEED = {"linger_ms": 0, "heartbeat_ms": 10}


async def rest(client, token, side="S", **terms):
    """Enter an order that rests, and read its Accepted."""
    client.enter(token, side, **terms)
    assert brief(await client.report())[:2] == ("A", token)


async def login(server, user):
    client = await Client.login(server, user=user)
    return client, await client.replay()


async def replayed(server, user):
    """All reports of an account once more, from 1."""
    _, reports = await login(server, user)
    return [brief(r) for r in reports[1:]]


async def end_of(client):
    """What still comes before the end of the connection."""
    packets = []
    while (packet := await client.packet())[0]:
        packets.append(packet)
    return packets
