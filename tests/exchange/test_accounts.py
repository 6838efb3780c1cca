"""What an account is configured to be: its protocol, its rate, its group, over real sockets."""

import pytest
from tests.exchange.harness import Client, brief, exchange, run

from openbell._native import ouch50_decode_outbound, ouch50_encode_inbound, soup_packet
from openbell.exchange.ledger import OPEN_KEYS

NODE1 = {"name": "NODE1", "password": "plain:secret"}
NODE2 = {"name": "NODE2", "password": "plain:secret", "cancel_on_disconnect": False}
OUCH50 = {**NODE2, "protocol": "ouch50"}


def enter50(number, side="B", qty=100, px=50_0000, **fields):
    order = {
        "type": "O", "user_ref": number, "side": side, "qty": qty, "symbol": "OBEL    ", "px": px, "tif": "0",
        "display": "Y", "capacity": "P", "iso": "N", "cross": "N", "cl_ord_id": f"C{number}".ljust(14), **fields,
    }  # fmt: skip
    return soup_packet("U", ouch50_encode_inbound(order))


async def reports50(client, count):
    """(type, user reference, quantity) of the next reports."""
    out = []
    while len(out) < count:
        kind, payload = await client.packet()
        if kind == "S":
            report = ouch50_decode_outbound(payload)
            out.append((report["type"], report.get("user_ref"), report.get("qty")))
    return out


def test_accounts_of_both_protocols_trade_with_each_other_at_one_port():
    async def conversation():
        async with exchange(accounts=[NODE1, OUCH50]) as server:
            old, new = await Client.login(server), await Client.login(server, user="NODE2")
            await old.replay()
            new.writer.write(enter50(1, "S", 300))
            assert await reports50(new, 2) == [("S", None, None), ("A", 1, 300)]
            old.enter("T1", "B", 200)

            assert [brief(r)[:3] for r in await old.reports(2)] == [("A", "T1", 200), ("E", "T1", 200)]
            assert await reports50(new, 1) == [("E", 1, 200)]
            [order] = server.answer({"verb": "ledger", "account": "NODE2"})["orders"]
            assert (order["token"], order["leaves_qty"]) == ("1", 100)
            [rests] = server.answer({"verb": "open", "account": "NODE2"})["orders"]
            assert rests == {key: order[key] for key in OPEN_KEYS}
            assert server.answer({"verb": "open", "account": "NODE1"})["orders"] == []

    run(conversation)


def test_bytes_of_the_other_protocol_end_the_connection():
    async def conversation():
        async with exchange(accounts=[NODE1, OUCH50]) as server:
            client = await Client.login(server, user="NODE2", seq=0)
            client.writer.write(soup_packet("U", b"O" + b" " * 48))
            while (await client.packet())[0]:
                pass
            assert server.door.counters.dropped == {"malformed": 1}

    run(conversation)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("fill-before-ack NODE2", [("E", 1, 100), ("A", 1, 200)]),
        ("lose-ack NODE2 how=remove", [("E", 1, 100)]),
        ("wrong-report NODE2", [("A", 1, 200), ("E", 1, 300)]),
        ("fill-after-cancel NODE2", [("A", 1, 200), ("C", 1, 100), ("E", 1, 100)]),
        ("reject-storm NODE2 reason=7", [("J", 1, None)]),
    ],
)
def test_faults_of_reports_speak_both_protocols(fault, expected):
    async def conversation():
        async with exchange(accounts=[NODE1, OUCH50]) as server:
            maker, taker = await Client.login(server), await Client.login(server, user="NODE2", seq=0)
            maker.enter("M1", "S", 100)
            await maker.reports(2)
            server.faults.start(fault)
            taker.writer.write(enter50(1, "B", 200) + soup_packet("U", ouch50_encode_inbound(CANCEL)))

            assert (await reports50(taker, len(expected)))[: len(expected)] == expected

    run(conversation)


CANCEL = {"type": "X", "user_ref": 1, "qty": 0}


def test_orders_beyond_the_rate_of_an_account_are_rejected():
    async def conversation():
        limited = {**NODE1, "orders_per_s": 1, "burst": 3}
        async with exchange(accounts=[limited, NODE2]) as server:
            client, other = await Client.login(server), await Client.login(server, user="NODE2")
            await client.replay(), await other.replay()
            for n in range(5):
                client.enter(f"A{n}")
                other.enter(f"B{n}")
            assert [(await client.report())["type"] for _ in range(5)] == ["A", "A", "A", "J", "J"]
            assert [(await other.report())["type"] for _ in range(5)] == ["A"] * 5

    run(conversation)


def test_accounts_of_one_group_do_not_trade_with_each_other():
    async def conversation():
        group = {"group": 7, "self_trade": "cancel_oldest"}
        async with exchange(accounts=[{**NODE1, **group}, {**NODE2, **group}]) as server:
            first, second = await Client.login(server), await Client.login(server, user="NODE2")
            await first.replay(), await second.replay()
            first.enter("M1", "S")
            assert brief(await first.report())[:2] == ("A", "M1")
            second.enter("T1", "B")
            assert brief(await second.report())[:2] == ("A", "T1")
            assert (await first.report())["type"] in "CD"
            assert server.venue.open_orders == 1

    run(conversation)
