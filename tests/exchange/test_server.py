"""The exchange over real loopback sockets, read as a conversation with it."""

import asyncio
import json

import pytest
from tests.exchange.harness import Client, Receiver, brief, config, exchange, run

from openbell.errors import NetError
from openbell.exchange.control import RequestError, ask
from openbell.exchange.server import ExchangeServer

MARKET = 0x7FFF_FFFF


def test_orders_of_two_accounts_trade_and_the_ledger_conserves():
    async def conversation():
        async with exchange() as server:
            maker, taker = await Client.login(server), await Client.login(server, user="NODE2")
            await maker.replay(), await taker.replay()

            maker.enter("M1", "S", 100, 50_0100)
            assert brief(await maker.report()) == ("A", "M1", 100, 50_0100)
            taker.enter("T1", "B", 150, 50_0200, tif=0)

            assert [brief(r) for r in await taker.reports(3)] == [
                ("A", "T1", 150, 50_0200), ("E", "T1", 100, 50_0100, "R"), ("C", "T1", 50, "I"),
            ]  # fmt: skip
            assert brief(await maker.report()) == ("E", "M1", 100, 50_0100, "A")
            books = [await ask(server.ready.control, {"verb": "ledger", "account": n}) for n in ("NODE1", "NODE2")]
            assert [b["positions"]["OBEL"] for b in books] == [
                {"position": -100, "cash": 100 * 50_0100}, {"position": 100, "cash": -100 * 50_0100},
            ]  # fmt: skip
            assert books[0]["fills"] == [{
                "match_id": 1, "token": "M1", "symbol": "OBEL", "side": "S", "px": 50_0100, "qty": 100,
                "liquidity": "A", "fee": 0, "state": "GOOD", "order_id": books[0]["orders"][0]["order_id"],
            }]  # fmt: skip
            assert [(o["state"], o["cum_qty"], o["leaves_qty"]) for o in books[1]["orders"]] == [("CANCELED", 100, 0)]

    run(conversation)


def test_a_market_order_trades_with_the_flow_and_everything_sums_to_zero():
    async def conversation():
        flow = {"kind": "agents", "preset": "steady", "agents": {"traders": {"events_per_s": 2000.0}}, "seed": 3}
        async with exchange(flow=flow) as server:
            client = await Client.login(server)
            await client.replay()
            client.enter("T1", "B", 300, MARKET, tif=0)

            assert brief(await client.report()) == ("A", "T1", 300, MARKET)
            filled = 0
            while filled < 300:
                report = await client.report()
                assert report["type"] == "E"
                filled += report["qty"]
            held = (await ask(server.ready.control, {"verb": "status"}))["holdings"]
            assert held["NODE1"]["OBEL"]["position"] == 300
            for symbol in ("OBEL", "RING"):
                for what in ("position", "cash"):
                    assert sum(account[symbol][what] for account in held.values()) == 0

    run(conversation)


def test_a_token_already_used_is_ignored_whatever_became_of_it():
    async def conversation():
        async with exchange() as server:
            client = await Client.login(server)
            await client.replay()
            client.enter("A1")
            client.enter("A1", qty=200)
            client.cancel("A1")
            client.enter("A1")
            client.enter("BAD", symbol="NONE")
            client.enter("BAD")
            client.enter("LAST")

            assert [brief(r) for r in await client.reports(4)] == [
                ("A", "A1", 100, 50_0000), ("C", "A1", 100, "U"), ("J", "BAD", "S"), ("A", "LAST", 100, 50_0000),
            ]  # fmt: skip
            assert (await ask(server.ready.control, {"verb": "status"}))["venue"]["duplicate_tokens"] == 3

    run(conversation)


def test_replace_counts_what_was_executed_and_dead_orders_are_silent():
    async def conversation():
        async with exchange() as server:
            client, other = await Client.login(server), await Client.login(server, user="NODE2")
            await client.replay(), await other.replay()
            client.enter("A1", "B", 500, 50_0000)
            other.enter("X1", "S", 200, 50_0000)
            assert [brief(r) for r in await client.reports(2)][1] == ("E", "A1", 200, 50_0000, "A")

            client.replace("A1", "A2", 600, 49_9900)
            client.replace("A1", "A3", 700, 49_9900)
            client.cancel("A1")
            client.cancel("A2", 300)
            client.replace("A2", "A4", 200, 49_9900)

            assert [brief(r) for r in await client.reports(3)] == [
                ("U", "A2", "A1", 400, 49_9900), ("C", "A2", 300, "U"), ("C", "A2", 100, "U"),
            ]  # fmt: skip
            orders = server.answer({"verb": "ledger", "account": "NODE1"})["orders"]
            assert [(o["token"].strip(), o["state"], o["qty"], o["cum_qty"]) for o in orders] == [
                ("A1", "REPLACED", 500, 200), ("A2", "CANCELED", 300, 200),
            ]  # fmt: skip

    run(conversation)


REFUSALS = {
    "S": {"symbol": "NONE"},
    "Z": {"qty": 0},
    "X": {"px": 50_0001},
    "D": {"display": "I"},
    "R": {"cross": "S"},
    "N": {"qty_min": 100},
    "O": {"side": "Q"},
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_an_order_that_cannot_be_is_rejected_with_its_reason(reason):
    async def conversation():
        async with exchange() as server:
            client = await Client.login(server)
            await client.replay()
            client.enter("A1", **REFUSALS[reason])

            assert brief(await client.report()) == ("J", "A1", reason)

    run(conversation)


def test_a_halted_instrument_rejects_orders_and_lets_cancels_through():
    async def conversation():
        async with exchange() as server:
            client = await Client.login(server)
            await client.replay()
            client.enter("A1")
            assert brief(await client.report())[0] == "A"
            await ask(server.ready.control, {"verb": "state", "symbol": "OBEL", "state": "H"})
            client.enter("A2")
            client.replace("A1", "A3", 100, 49_0000)
            client.cancel("A1")

            assert [brief(r) for r in await client.reports(3)] == [
                ("J", "A2", "H"), ("J", "A3", "H"), ("C", "A1", 100, "U"),
            ]  # fmt: skip

    run(conversation)


def test_shutdown_cancels_reports_and_ends_both_sessions():
    async def conversation():
        receiver = Receiver()
        async with exchange(feed={"send_to": [receiver.address], "linger_ms": 50}) as server:
            client = await Client.login(server)
            await client.replay()
            client.enter("A1")
            await client.report()
            serving = asyncio.ensure_future(server.serve())
            await ask(server.ready.control, {"verb": "shutdown"})
            await serving

        assert [brief(r) for r in await client.reports(2)] == [("C", "A1", 100, "E"), ("S", "", "E")]
        assert await client.packet() == ("Z", b"")
        assert await client.packet() == ("", b"")
        while (packet := await receiver.packet())[2] != 0xFFFF:
            pass
        assert packet[1] == server.venue.itch_next

    run(conversation)


def test_control_may_be_a_unix_socket(tmp_path):
    async def conversation():
        path = str(tmp_path / "control.sock")
        async with exchange(control={"unix": path}) as server:
            assert server.ready.control == path
            assert (await ask(path, {"verb": "status"}))["session"] == "DAY1"

    run(conversation)


def test_errors_of_control_say_what_was_expected():
    async def conversation():
        async with exchange() as server:
            with pytest.raises(RequestError, match="expected one of NODE1, NODE2, found account 'X'"):
                await ask(server.ready.control, {"verb": "ledger", "account": "X"})
            with pytest.raises(RequestError, match="expected one of OBEL, RING"):
                await ask(server.ready.control, {"verb": "state", "symbol": "X", "state": "H"})
            with pytest.raises(RequestError, match=r"expected \{"):
                await ask(server.ready.control, {"verb": "dance"})
            control = server.ready.control
        with pytest.raises(NetError, match="expected an exchange at"):
            await ask(control, {"verb": "status"})

    run(conversation)


def test_a_port_in_use_is_named():
    async def conversation():
        async with exchange() as server:
            with pytest.raises(NetError, match="order_entry: expected to bind"):
                async with exchange(order_entry={"listen": server.ready.order_entry}):
                    pass

    run(conversation)


def test_the_ready_file_says_where(tmp_path):
    async def conversation():
        path = tmp_path / "run" / "ready.json"
        async with exchange(ready_file=str(path)) as server:
            assert json.loads(path.read_text())["order_entry"] == server.ready.order_entry
        assert not path.exists()

    run(conversation)


def test_a_full_log_ends_the_day_with_its_reason():
    async def conversation():
        limits = {"messages_max": 40}
        server = ExchangeServer(config(limits=limits, accounts=[{"name": "NODE1", "password": "plain:secret"}]))
        await server.start()
        client = await Client.login(server)
        for n in range(50):
            client.enter(f"A{n}")

        with pytest.raises(Exception, match="message log: expected at most 40 messages a day"):
            await server.serve()
        await server.stop()

    run(conversation)


def test_an_audit_answers_with_the_hash_of_the_state():
    async def conversation():
        async with exchange() as server:
            before = await ask(server.ready.control, {"verb": "audit"})
            client = await Client.login(server)
            client.enter("A1")
            await client.reports(2)
            after = await ask(server.ready.control, {"verb": "audit"})

            assert before["state_hash"] != after["state_hash"] == f"{server.venue.state_hash:016x}"

    run(conversation)
