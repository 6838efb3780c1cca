"""The exchange over real loopback sockets, read as a conversation with it."""

import asyncio
import json
import socket
import struct
from contextlib import suppress

import pytest
from tests.exchange.harness import Client, Receiver, config, enter, exchange, run

from openbell._native import ouch_encode_inbound, soup_packet
from openbell.errors import NetError
from openbell.exchange.control import RequestError, ask
from openbell.exchange.server import ExchangeServer

MARKET = 0x7FFF_FFFF


def brief(report):
    """(type, token, then what the type is about)."""
    keys = {"A": ("qty", "px"), "E": ("qty", "px", "liquidity"), "C": ("qty", "reason"), "J": ("reason",),
            "U": ("prev_token", "qty", "px"), "S": ("event",)}  # fmt: skip
    values = [report[key] for key in keys[report["type"]]]
    return (report["type"], report.get("token", "").strip(), *(v.strip() if isinstance(v, str) else v for v in values))


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
            assert books[0]["fills"] == [
                {"match_id": 1, "token": "M1", "symbol": "OBEL", "side": "S", "px": 50_0100, "qty": 100}
            ]
            assert [(o["state"], o["cum_qty"], o["leaves_qty"]) for o in books[1]["orders"]] == [("CANCELED", 100, 0)]

    run(conversation)


def test_a_market_order_trades_with_the_flow_and_everything_sums_to_zero():
    async def conversation():
        flow = {"kind": "random", "events_per_s": 2000.0, "seed": 3}
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
    "D": {"display": "N"},
    "R": {"cross": "O"},
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


def test_the_silent_are_dropped_and_the_living_get_heartbeats():
    async def conversation():
        timing = {"heartbeat_ms": 10, "dead_peer_ms": 60, "login_timeout_ms": 60}
        async with exchange(order_entry=timing) as server:
            stranger = await Client.connect(server)
            client = await Client.login(server)
            await client.replay()

            assert await stranger.packet() == ("", b"")
            assert await client.packet() == ("H", b"")
            while (await client.packet())[0]:
                pass
            assert server.door.counters.dropped == {"no login in time": 1, "silent": 1}

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
        receiver.close()

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
