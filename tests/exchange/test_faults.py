"""Faults on command, over real sockets: what the client sees of each, and that a replay by sequence tells the same."""

import asyncio

import pytest
from tests.exchange.fault_steps import FEED, MAKER, TAKER, end_of, login, replayed, rest
from tests.exchange.harness import Client, Receiver, brief, config, exchange, run

from openbell._native import glimpse_parse_end, itch_decode
from openbell.exchange.control import RequestError, ask
from openbell.exchange.fault_desk import BY_NAME, name_of, read_fault
from openbell.exchange.faults import FAULTS, Drop, FillBeforeAck, Loss
from openbell.exchange.server import ExchangeServer


def test_every_fault_has_a_name_and_says_what_happens():
    assert [*BY_NAME] == [name_of(fault) for fault in FAULTS]
    assert name_of(FillBeforeAck) == "fill-before-ack"
    assert all(fault.__doc__ for fault in FAULTS)


def test_a_fault_is_read_from_a_line_of_text():
    assert read_fault("loss A p=0.25 seed=7") == Loss(on="A", p=0.25, seed=7)
    assert read_fault("drop count=3") == Drop(count=3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a fault, one of drop, loss"),
        ("melt A", "expected a fault, one of drop, loss"),
        ("loss A", "loss: p"),
        ("loss A p=2", "p: expected at most 1"),
        ("loss A q=1 p=0", "q"),
        ("loss A B p=1", "expected one name after 'loss'"),
        ("loss C p=1", "expected a line of the feed, A, found 'C'"),
        ("disconnect NOBODY", "expected one of NODE1, NODE2, found 'NOBODY'"),
        ("disconnect NODE1", "expected NODE1 to be connected"),
        ("fill-before-ack COPY", "expected an account, found the drop copy COPY"),
        ("halt NONE", "expected one of OBEL, RING"),
    ],
)
def test_what_is_no_fault_says_what_was_expected(text, message):
    async def conversation():
        copy = {"name": "COPY", "password": "plain:secret", "accounts": ["NODE1"]}
        async with exchange(drop_copies=[copy]) as server:
            with pytest.raises(RequestError) as caught:
                server.faults.start(text)
            assert message.replace("NODE1, NODE2, found", "NODE1, NODE2, COPY, found") in str(caught.value)

    run(conversation)


def test_faults_are_started_listed_and_cleared_by_control():
    async def conversation():
        async with exchange() as server:
            control = server.ready.control
            await ask(control, {"verb": "fault", "fault": "loss", "on": "A", "p": 0.5})
            started = await ask(control, {"verb": "fault", "fault": "halt", "on": "OBEL"})
            assert [(f["fault"], f["on"]) for f in started["faults"]] == [("loss", "A"), ("halt", "OBEL")]
            assert (await ask(control, {"verb": "status"}))["faults"] == started["faults"]
            assert server.feed.lines["A"].disturbance.active() == {"loss": 0.5}

            cleared = await ask(control, {"verb": "clear", "on": "obel"})
            assert (cleared["cleared"], [f["fault"] for f in cleared["faults"]]) == (1, ["loss"])
            assert (await ask(control, {"verb": "clear"}))["cleared"] == 1
            assert server.feed.lines["A"].disturbance.active() == {}
            with pytest.raises(RequestError, match="expected a fault"):
                await ask(control, {"verb": "clear", "fault": "melt"})

    run(conversation)


# ---- lines and feed --------------------------------------------------------------------------------


def test_a_dropped_packet_is_seen_as_a_gap_and_is_asked_for():
    async def conversation():
        receiver = Receiver()
        async with exchange(feed={"send_to": [receiver.address], **FEED}) as server:
            client, _ = await login(server, TAKER)
            await receiver.follow_until(server, lambda m: len(m) == 7)
            server.faults.start("drop A count=2")
            for n in range(4):
                await rest(client, f"A{n}")
            assert len(await receiver.follow_until(server, lambda m: len(m) == 11)) == 11
            assert (receiver.asked > 0, server.feed.lines["A"].counters.dropped) == (True, 2)
            assert server.faults.active() == []

            server.faults.start("drop A seq=13")
            for n in range(4, 8):
                await rest(client, f"A{n}")
            await receiver.follow_until(server, lambda m: len(m) == 15)
            assert server.feed.lines["A"].counters.dropped == 3

    run(conversation)


@pytest.mark.parametrize("what", ["duplicate A p=1", "reorder A p=1", "delay A ms=1", "loss A p=0.7"])
def test_a_disturbed_line_loses_no_message_for_good(what):
    async def conversation():
        receiver = Receiver()
        async with exchange(feed={"send_to": [receiver.address], **FEED}) as server:
            client, _ = await login(server, TAKER)
            server.faults.start(what)
            for n in range(20):
                await rest(client, f"A{n}")
            server.faults.clear()
            await rest(client, "LAST")
            assert len(await receiver.follow_until(server, lambda m: len(m) == 28)) == 28

    run(conversation)


def test_a_paused_feed_says_everything_when_the_fault_is_cleared():
    async def conversation():
        receiver = Receiver()
        async with exchange(feed={"send_to": [receiver.address], "linger_ms": 0}) as server:
            await receiver.follow_until(server, lambda m: len(m) == 7)
            server.faults.start("pause-feed")
            client, _ = await login(server, TAKER)
            await rest(client, "A1")
            server.feed.tick()
            packets, receiver.asked = server.feed.lines["A"].counters.packets, 0
            assert server.answer({"verb": "status"})["feed"]["paused"]

            server.faults.clear("pause-feed")
            await receiver.follow_until(server, lambda m: len(m) == 8)
            assert (server.feed.lines["A"].counters.packets, receiver.asked) == (packets + 1, 0)

    run(conversation)


def test_wrong_references_and_crossed_prices_are_the_feed_and_its_retransmission_but_not_the_venue():
    async def conversation():
        glimpse = {"user": "SNAP", "password": "plain:secret"}
        live, late = Receiver(), Receiver()
        async with exchange(feed={"send_to": [live.address], **FEED}, glimpse=glimpse) as server:
            client, _ = await login(server, MAKER)
            await rest(client, "S1", px=50_0000)
            server.faults.start("crossed-price")
            server.faults.start("wrong-reference count=2")
            await rest(client, "B1", "B", px=49_0000)
            for token in ("B1", "S1"):
                client.cancel(token)
                await client.report()
            await rest(client, "B2", "B", px=49_0000)
            feed = await live.follow_until(server, lambda m: len(m) == 12)

            s1, b1, gone, gone_too, b2 = [itch_decode(m) for m in feed[7:]]
            assert (b1["side"], b1["px"], b2["px"]) == ("B", 50_0100, 49_0000)
            assert [m["type"] for m in (gone, gone_too)] == ["D", "D"]
            assert not {gone["order_id"], gone_too["order_id"]} & {s1["order_id"], b1["order_id"]}
            assert server.faults.active() == []
            assert server.venue.touch(0, 1) == (49_0000, 100)
            while len(late.messages) < 12:
                await late.ask(server, len(late.messages) + 1, 60_000)
                late.messages += (await late.packet())[3]
            assert late.messages == feed

    run(conversation)


# ---- sessions --------------------------------------------------------------------------------------


def test_a_session_that_does_not_read_answers_when_the_fault_ends():
    async def conversation():
        async with exchange() as server:
            client, _ = await login(server, TAKER)
            other, _ = await login(server, MAKER)
            server.faults.start(f"stop-reading {TAKER}")
            client.enter("A1")
            await rest(other, "M1", px=60_0000)
            assert server.venue.open_orders == 1

            server.faults.clear()
            assert brief(await client.report())[:2] == ("A", "A1")

    run(conversation)


def test_a_session_that_does_not_write_has_said_nothing_until_the_fault_ends():
    async def conversation():
        async with exchange() as server:
            client, _ = await login(server, TAKER)
            other, _ = await login(server, MAKER)
            server.faults.start(f"stop-writing {TAKER}")
            client.enter("A1", "S", px=60_0000)
            while server.venue.open_orders == 0:
                await rest(other, f"M{server.venue.itch_next}", px=61_0000)
                other.cancel(f"M{server.venue.itch_next}")
            connection = server.door.accounts[TAKER].connection
            assert connection.next_seq == 2

            server.faults.clear()
            assert brief(await client.report())[:2] == ("A", "A1")

    run(conversation)


def test_a_connection_can_be_closed_now():
    async def conversation():
        async with exchange() as server:
            client, _ = await login(server, TAKER)
            server.faults.start(f"disconnect {TAKER}")
            assert await end_of(client) == []
            assert server.door.counters.dropped == {"a fault": 1}

    run(conversation)


@pytest.mark.parametrize("after", [1, 2, 3, 40, 1000, 0])
def test_a_message_is_cut_in_its_middle_and_comes_whole_after_the_next_login(after):
    async def conversation():
        async with exchange() as server:
            client, _ = await login(server, MAKER)
            server.faults.start(f"cut-message {MAKER} of=A after={after}")
            client.cancel("NONE")
            client.enter("A1")
            assert await end_of(client) == []
            assert 0 < len(client.stream) < 69
            assert after in (0, len(client.stream), 1000)
            assert server.faults.active() == []

            assert await replayed(server, MAKER) == [("A", "A1", 100, 50_0000)]

    run(conversation)


def test_a_debug_packet_comes_between_the_others():
    async def conversation():
        async with exchange() as server:
            client, _ = await login(server, TAKER)
            server.faults.start(f"say {TAKER} 'text=still here'")
            client.enter("A1")
            assert await client.packet() == ("+", b"still here")
            assert brief(await client.report())[:2] == ("A", "A1")

    run(conversation)


# ---- the venue -------------------------------------------------------------------------------------


def test_a_halt_is_over_when_it_is_cleared():
    async def conversation():
        async with exchange() as server:
            client, _ = await login(server, TAKER)
            server.faults.start("halt OBEL")
            client.enter("A1")
            assert brief(await client.report()) == ("J", "A1", "H")
            server.faults.clear()
            client.enter("A2")
            assert brief(await client.report())[:2] == ("A", "A2")

    run(conversation)


@pytest.mark.parametrize("orders", ["keep", "lose"])
def test_a_venue_that_restarts_keeps_sessions_and_perhaps_orders(orders):
    async def conversation():
        receiver = Receiver()
        async with exchange(feed={"send_to": [receiver.address], **FEED}) as server:
            client, _ = await login(server, TAKER)
            await rest(client, "A1")
            await rest(client, "A2")
            server.faults.start(f"restart orders={orders}")
            assert await end_of(client) == []
            again = await Client.login(server, user=TAKER, session="DAY1", seq=4)
            assert await again.replay() == []
            again.cancel("A1")
            again.enter("A3", "S")

            kept = orders == "keep"
            heard = [brief(r)[:2] for r in await again.reports(2 if kept else 1)]
            assert heard == [("C", "A1"), ("A", "A3")][0 if kept else 1 :]
            feed = await receiver.follow_until(server, lambda m: len(m) == (11 if kept else 12))
            assert "".join(itch_decode(m)["type"] for m in feed[7:]) == ("AADA" if kept else "AADDA")

    run(conversation)


def test_a_killed_exchange_says_goodbye_to_nobody():
    async def conversation():
        receiver = Receiver()
        async with exchange(feed={"send_to": [receiver.address], "linger_ms": 0}) as server:
            client, _ = await login(server, TAKER)
            await rest(client, "A1")
            await receiver.follow_until(server, lambda m: len(m) == 8)
            serving = asyncio.ensure_future(server.serve())
            await ask(server.ready.control, {"verb": "fault", "fault": "kill"})
            await serving

            assert await end_of(client) == []
            assert server.is_killed
            with pytest.raises(OSError, match="Connect"):
                await Client.connect(server)
        assert server.venue.open_orders == 1
        with pytest.raises(BlockingIOError):
            receiver.socket.recv(2048)

    run(conversation)


def test_a_snapshot_tells_what_the_feed_told():
    async def conversation():
        glimpse = {"user": "SNAP", "password": "plain:secret"}
        async with exchange(glimpse=glimpse) as server:
            server.faults.start("wrong-reference")
            client, _ = await login(server, TAKER)
            await rest(client, "A1")
            snapshot = await Client.login(server, user="SNAP", address=server.ready.glimpse)
            messages = []
            while not messages or messages[-1][:1] != b"G":
                messages.append((await snapshot.packet())[1])
            assert glimpse_parse_end(messages[-1]) == server.venue.itch_next == 9

    run(conversation)


def test_a_bust_takes_a_trade_back_on_both_sides():
    async def conversation():
        async with exchange() as server:
            maker, _ = await login(server, MAKER)
            taker, _ = await login(server, TAKER)
            await rest(maker, "M1")
            taker.enter("T1", "B")
            match = (await taker.reports(2))[1]["match_id"]
            server.faults.start(f"bust match={match}")

            for client in (maker, taker):
                reports = await client.reports(1 if client is taker else 2)
                assert (reports[-1]["type"], reports[-1]["match_id"], reports[-1]["reason"]) == ("B", match, "E")
            held = server.answer({"verb": "ledger", "account": MAKER})["positions"]["OBEL"]
            assert held == {"position": 0, "cash": 0}
            with pytest.raises(RequestError, match="expected a trade that stands"):
                server.faults.start(f"bust match={match}")
            with pytest.raises(RequestError, match="expected a trade of today"):
                server.faults.start("bust match=99")

    run(conversation)


def test_reported_times_step_and_step_back():
    async def conversation():
        async with exchange() as server:
            client, _ = await login(server, TAKER)
            times = []
            for step in ("", "clock-step ms=-60000", "clock-step ms=-60000", ""):
                server.faults.start(step) if step else server.faults.clear()
                client.enter(f"A{len(times)}")
                times.append((await client.report())["ts"])

            minute = 60_000_000_000
            assert [round((ts - times[0]) / minute) for ts in times] == [0, -1, -2, 0]

    run(conversation)


def test_a_slow_clock_loses_time_and_is_right_again():
    async def conversation():
        now = [1_700_000_000_000_000_000]
        server = ExchangeServer(config(), clock=lambda: now[0])
        async with server:
            client, _ = await login(server, TAKER)
            times = []
            for fault in ("", "slow-clock rate=0.5", ""):
                server.faults.start(fault) if fault else server.faults.clear()
                now[0] += 10_000_000_000
                server.faults.tick()
                client.enter(f"A{len(times)}")
                times.append((await client.report())["ts"])

            assert [(ts - times[0]) // 1_000_000_000 for ts in times] == [0, 5, 20]

    run(conversation)


def test_faults_of_a_killed_exchange_do_not_come_back_with_its_day(tmp_path):
    journal = {"dir": str(tmp_path / "journal"), "hot_dir": str(tmp_path / "hot"), "segment_mib": 1}

    async def conversation():
        async with ExchangeServer(config(session="", journal=journal)) as server:
            client, _ = await login(server, MAKER)
            for fault in ("clock-step ms=-60000", "reject-storm NODE2 count=9", "lose-ack NODE2 how=remove"):
                server.faults.start(fault)
            server.faults.start("wrong-reference")
            client.enter("A1")
            assert brief(await client.report())[:2] == ("J", "A1")
            then = server.venue.itch_next
            server.faults.start("kill")
        async with ExchangeServer(config(session="", journal=journal)) as server:
            assert server.faults.active() == []
            client, reports = await login(server, MAKER)
            client.enter("A2")
            accepted = await client.report()
            assert (brief(accepted)[:2], server.venue.itch_next) == (("A", "A2"), then + 1)
            assert accepted["ts"] - reports[-1]["ts"] > 59_000_000_000

    run(conversation)
