"""Faults of what an account is told: the log has them, so that live and replay agree."""

import pytest
from tests.exchange.fault_steps import MAKER, TAKER, end_of, login, replayed, rest
from tests.exchange.harness import Client, brief, exchange, run

from openbell.exchange.control import RequestError


def test_an_ack_that_is_lost_by_a_cut_is_in_the_replay():
    async def conversation():
        async with exchange() as server:
            client, _ = await login(server, MAKER)
            await rest(client, "A1")
            server.faults.start(f"lose-ack {MAKER}")
            client.cancel("A1")
            client.enter("A2")
            packets = await end_of(client)
            assert [payload[:1] for _, payload in packets] == [b"C"]

            assert (await replayed(server, MAKER))[-1] == ("A", "A2", 100, 50_0000)

    run(conversation)


def test_an_ack_that_is_removed_is_in_no_replay_but_in_the_drop_copy():
    async def conversation():
        copy = {"name": "COPY", "password": "plain:secret", "accounts": [MAKER]}
        async with exchange(drop_copies=[copy]) as server:
            client, _ = await login(server, MAKER)
            server.faults.start(f"lose-ack {MAKER} how=remove")
            client.enter("A1")
            client.enter("A2")
            assert brief(await client.report())[:2] == ("A", "A2")
            client.cancel("A1")
            assert brief(await client.report()) == ("C", "A1", 100, "U")
            assert await replayed(server, MAKER) == [("A", "A2", 100, 50_0000), ("C", "A1", 100, "U")]

            watcher = await Client.login(server, user="COPY")
            kinds = [(await watcher.packet())[1][10:11] for _ in range(4)]
            assert kinds == [b"S", b"A", b"A", b"C"]

    run(conversation)


def test_a_fill_comes_before_the_ack_live_and_in_the_replay():
    async def conversation():
        async with exchange() as server:
            maker, _ = await login(server, MAKER)
            taker, _ = await login(server, TAKER)
            await rest(maker, "M1", qty=100)
            await rest(maker, "M2", qty=100)
            server.faults.start(f"fill-before-ack {TAKER}")
            await rest(taker, "T0", "B", px=49_0000)
            taker.enter("T1", "B", qty=200)
            taker.enter("T2", "B", px=48_0000)

            heard = [brief(r)[:3] for r in await taker.reports(4)]
            assert heard == [("E", "T1", 100), ("A", "T1", 200), ("E", "T1", 100), ("A", "T2", 100)]
            again = [(kind, token) for kind, token, *_ in await replayed(server, TAKER)]
            assert again[:4] == [("A", "T0"), ("E", "T1"), ("A", "T1"), ("E", "T1")]

    run(conversation)


def test_a_fill_comes_after_the_cancel_it_crossed():
    async def conversation():
        async with exchange() as server:
            maker, _ = await login(server, MAKER)
            taker, _ = await login(server, TAKER)
            await rest(maker, "M1", qty=300)
            server.faults.start(f"fill-after-cancel {MAKER}")
            for token in ("T1", "T2"):
                taker.enter(token, "B", qty=50, tif=0)
                await taker.reports(2)
            await rest(maker, "M2", px=51_0000)
            maker.cancel("M1")

            heard = [brief(r) for r in await maker.reports(3)]
            fill = ("E", "M1", 50, 50_0000, "A")
            assert heard == [("C", "M1", 200, "U"), fill, fill]
            assert (await replayed(server, MAKER))[-3:] == heard
            assert server.faults.active() == []

    run(conversation)


def test_fills_that_no_cancel_can_follow_are_not_kept():
    async def conversation():
        async with exchange() as server:
            maker, _ = await login(server, MAKER)
            taker, _ = await login(server, TAKER)
            await rest(maker, "M1", qty=100)
            await rest(maker, "M2", qty=100)
            server.faults.start(f"fill-after-cancel {MAKER}")
            taker.enter("T1", "B", qty=50)
            taker.enter("T2", "B", qty=50)
            taker.enter("T3", "B", qty=50)
            assert [brief(r)[:3] for r in await maker.reports(2)] == [("E", "M1", 50)] * 2
            await taker.reports(6)

            server.faults.clear()
            assert brief(await maker.report())[:3] == ("E", "M2", 50)

    run(conversation)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("qty", ("M1", 300, 50_0000)),
        ("px", ("M1", 100, 100_0100)),
        ("order", ("M1            "[:-1] + "!", 100, 50_0000)),
    ],
)
def test_a_report_is_wrong_and_well_formed(what, expected):
    async def conversation():
        async with exchange() as server:
            maker, _ = await login(server, MAKER)
            taker, _ = await login(server, TAKER)
            await rest(maker, "M1")
            server.faults.start(f"wrong-report {MAKER} what={what}")
            taker.enter("T1", "B")
            report = await maker.report()

            assert (report["token"].rstrip(" "), report["qty"], report["px"]) == expected
            assert (await taker.reports(2))[1]["qty"] == 100
            held = server.answer({"verb": "ledger", "account": MAKER})["positions"]["OBEL"]
            assert held == {"position": -100, "cash": 100 * 50_0000}

    run(conversation)


@pytest.mark.parametrize(("reason", "told"), [("", "T"), ("Z", "Z")])
def test_a_reject_storm_is_over_after_its_count(reason, told):
    async def conversation():
        async with exchange() as server:
            client, _ = await login(server, MAKER)
            await rest(client, "A0")
            server.faults.start(f"reject-storm {MAKER} count=2" + (f" reason={reason}" if reason else ""))
            client.cancel("A0")
            for n in range(1, 4):
                client.enter(f"A{n}")

            heard = [brief(r) for r in await client.reports(4)]
            assert [h[:2] for h in heard] == [("C", "A0"), ("J", "A1"), ("J", "A2"), ("A", "A3")]
            assert {h[2] for h in heard[1:3]} == {told}
            assert (await replayed(server, MAKER))[-4:] == heard
            assert server.faults.active() == []
            states = [o["state"] for o in server.answer({"verb": "ledger", "account": MAKER})["orders"]]
            assert states == ["CANCELED", "REJECTED", "REJECTED", "NEW"]

    run(conversation)


def test_a_reject_storm_ends_when_it_is_cleared():
    async def conversation():
        async with exchange() as server:
            client, _ = await login(server, MAKER)
            server.faults.start(f"reject-storm {MAKER} count=1000")
            client.enter("A1")
            assert brief(await client.report())[:2] == ("J", "A1")
            server.faults.clear()
            client.enter("A2")
            assert brief(await client.report())[:2] == ("A", "A2")
            with pytest.raises(RequestError, match="expected a letter as reason, found '7'"):
                server.faults.start(f"reject-storm {MAKER} reason=7")

    run(conversation)
