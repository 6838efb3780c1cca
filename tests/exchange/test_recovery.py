"""An exchange that died goes on with its day: same session, same orders, same numbers for whoever comes back."""

import json
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest
from tests.exchange.harness import Client, Receiver, config, run

from openbell.errors import ConfigError
from openbell.exchange.control import ask
from openbell.exchange.server import ExchangeServer


def journalled(tmp_path, **more):
    journal = {"dir": str(tmp_path / "journal"), "hot_dir": str(tmp_path / "hot"), "segment_mib": 1, **more}
    return config(session="", journal=journal)


@asynccontextmanager
async def one_life(tmp_path, *, killed, **more):
    server = ExchangeServer(journalled(tmp_path, **more))
    await server.start()
    try:
        yield server
        if killed:
            server.kill()
    finally:
        await server.stop()


def test_after_a_crash_a_client_resumes_by_sequence_and_its_order_trades(tmp_path):
    async def conversation():
        async with one_life(tmp_path, killed=True) as server:
            client = await Client.login(server)
            client.enter("A1", "S", 100, 50_0000)
            client.enter("A2", "S", 200, 50_0100)
            before = await client.reports(3)
            session = client.session
            feed = [server.venue.itch_message(n) for n in range(1, server.venue.itch_next)]

        async with one_life(tmp_path, killed=False) as server:
            assert (server.session, server.recovered_inputs > 0) == (session, True)
            assert [server.venue.itch_message(n) for n in range(1, len(feed) + 1)] == feed
            client = await Client.login(server, session=session, seq=2)
            assert (client.next_seq, await client.replay()) == (2, before[1:])
            other = await Client.login(server, user="NODE2", session=session)
            await other.replay()
            other.enter("B1", "B", 150, 50_0100)
            assert [r["type"] for r in await other.reports(3)] == ["A", "E", "E"]
            assert [(r["type"], r["token"].strip(), r["qty"]) for r in await client.reports(2)] == [
                ("E", "A1", 100), ("E", "A2", 50),
            ]  # fmt: skip

    run(conversation)


def test_coming_back_changes_nothing(tmp_path):
    async def conversation():
        async with one_life(tmp_path, killed=True) as server:
            client = await Client.login(server)
            client.enter("A1", "S", 100, 50_0000), client.enter("A2", "B", 300, 50_0000)
            await client.reports(5)
            before = server.answer({"verb": "audit"})

        async with one_life(tmp_path, killed=False) as server:
            assert server.answer({"verb": "audit"}) == before

    run(conversation)


def with_receiver(tmp_path, receiver, **sections):
    feed = config(feed={"send_to": [receiver.address], "linger_ms": 0}).feed
    return journalled(tmp_path).model_copy(update={"feed": feed, **sections})


def test_a_receiver_hears_nothing_twice_and_may_ask_for_what_it_missed(tmp_path):
    async def conversation():
        async with one_life(tmp_path, killed=True) as server:
            client = await Client.login(server)
            client.enter("A1", "S", 100, 50_0000)
            await client.reports(2)
            said = [server.venue.itch_message(n) for n in range(1, server.venue.itch_next)]

        receiver = Receiver()
        async with ExchangeServer(with_receiver(tmp_path, receiver)) as server:
            assert server.feed.publisher.next_packet() == b""
            client = await Client.login(server, session=server.session)
            client.enter("A2", "S", 100, 50_0000)
            _, seq, _, messages = await receiver.packet()
            assert (seq, len(messages)) == (len(said) + 1, 1)
            await receiver.ask(server, 1, len(said), server.session)
            assert (await receiver.packet())[3] == said

    run(conversation)


def test_after_an_orderly_end_a_new_day_begins(tmp_path):
    async def conversation():
        sessions = []
        for _ in range(2):
            async with one_life(tmp_path, killed=False) as server:
                client = await Client.login(server)
                client.enter("A1", "S", 100, 50_0000)
                await client.reports(2)
                sessions.append((server.session, server.recovered_inputs))
        (first, nothing), (second, nothing_too) = sessions
        assert first != second
        assert nothing == nothing_too == 0
        assert not (tmp_path / "journal/CURRENT").exists()

    run(conversation)


def test_a_name_of_a_session_that_has_ended_is_not_taken_again(tmp_path):
    async def conversation():
        settings = journalled(tmp_path).model_copy(update={"session": "DAY1"})
        async with ExchangeServer(settings):
            pass
        with pytest.raises(ConfigError, match="'DAY1' has ended in"):
            ExchangeServer(settings)

    run(conversation)


def test_another_file_does_not_go_on_with_the_day(tmp_path):
    async def conversation():
        async with one_life(tmp_path, killed=True) as server:
            await Client.login(server)
        other = journalled(tmp_path).model_copy(update={"accounts": ()})
        with pytest.raises(ConfigError, match="to be of this configuration and day"):
            ExchangeServer(other)
        async with one_life(tmp_path, killed=False) as server:
            assert server.recovered_inputs

    run(conversation)


def test_with_local_durability_nobody_is_answered_before_it_is_on_disk(tmp_path):
    async def conversation():
        async with one_life(tmp_path, killed=True, durability="local") as server:
            client = await Client.login(server)
            for n in range(20):
                client.enter(f"A{n}", "S", 100, 50_0000)
                while (await client.report())["type"] != "A":
                    pass
                assert server.venue.is_durable
            session = server.session
        for segment in (tmp_path / "hot").rglob("*"):  # the host is gone, and its memory
            if segment.is_file():
                segment.unlink()

        async with one_life(tmp_path, killed=False) as server:
            assert server.session == session
            client = await Client.login(server, session=session)
            assert len(await client.replay()) == 21

    run(conversation)


def test_orders_of_the_flow_do_not_outlive_its_memory(tmp_path):
    async def conversation():
        receiver = Receiver()
        flow = config(flow={"kind": "agents", "preset": "steady", "seed": 3}).flow
        server = ExchangeServer(with_receiver(tmp_path, receiver, flow=flow))
        await server.start()
        await receiver.follow_until(server, lambda said: any(message[:1] == b"A" for message in said))
        server.kill()
        await server.stop()

        server = ExchangeServer(with_receiver(tmp_path, receiver))
        left = server.venue.open_orders_of(server.flow_account)
        await server.start()
        open_orders = server.venue.open_orders
        await server.stop()
        assert left
        assert open_orders == 0

    run(conversation)


def test_kill_9_of_the_process_and_a_new_one(tmp_path, repo):
    path = tmp_path / "exchange.toml"
    hot = tmp_path / "hot"
    path.write_text(
        f'''ready_file = "ready.json"
[[instruments]]
symbol = "OBEL"
[[accounts]]
name = "NODE1"
password = "plain:secret"
cancel_on_disconnect = false
[journal]
dir = "journal"
hot_dir = "{hot}"
segment_mib = 1
'''
    )
    environment = {**os.environ, "PYTHONPATH": str(repo / "src")}

    async def conversation():
        tokens = []
        seq = 1
        for life in range(3):
            process = subprocess.Popen(
                [sys.executable, "-m", "openbell", "exchange", str(path)], stdout=subprocess.PIPE, env=environment
            )
            assert process.stdout
            ready = json.loads(process.stdout.readline())
            client = await Client.connect(None, address=ready["order_entry"])
            client.send_login(seq=seq)
            assert (await client.packet())[0] == "A"
            for n in range(10):
                client.enter(f"L{life}N{n}", "S", 100, 100_0000)
                tokens.append(f"L{life}N{n}")
            heard = [r for r in await client.reports(10 + (seq == 1)) if r["type"] == "A"]
            assert [r["token"].strip() for r in heard] == tokens[-10:]
            seq += 10 + (seq == 1)
            if life < 2:
                process.send_signal(signal.SIGKILL)
            else:
                book = await ask(ready["control"], {"verb": "ledger", "account": "NODE1"})
                assert [o["token"] for o in book["orders"]] == tokens
                assert {o["state"] for o in book["orders"]} == {"NEW"}
                process.send_signal(signal.SIGTERM)
            process.wait()
            process.stdout.close()

    run(conversation)
