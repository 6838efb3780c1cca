"""What an exchange tells about itself: pages of it where there are thousands of rows, and the table on a terminal."""

import pytest
from rich.console import Console
from tests.exchange.harness import Client, brief, config, exchange, run

from openbell.exchange.control import RequestError, ask
from openbell.exchange.server import ExchangeServer
from openbell.exchange.status_view import render

MANY = [{"symbol": f"S{n:05}", "px": "10.00"} for n in range(10_000)]


def shown(status, first=0):
    console = Console(width=140, record=True, file=None, force_terminal=False)
    with console.capture() as captured:
        console.print(render(status, first))
    return captured.get()


def test_ten_thousand_instruments_and_accounts_are_told_in_pages():
    accounts = [{"name": f"A{n:05}", "password": "plain:secret"} for n in range(10_000)]

    async def conversation():
        async with ExchangeServer(config(instruments=MANY, accounts=accounts)) as server:
            client = await Client.login(server, user="A09999")
            client.enter("B1", symbol="S09998", px=9_0000)
            client.enter("S1", "S", symbol="S09998", px=11_0000)
            while brief(await client.report())[:2] != ("A", "S1"):
                pass
            page = await ask(server.ready.control, {"verb": "status", "first": 9_990, "rows": 20})

            assert [*page["instruments"]] == [f"S{n:05}" for n in range(9_990, 10_000)]
            assert (page["instruments_total"], page["accounts_total"]) == (10_000, 10_000)
            assert page["accounts"]["A09999"] == {"connected": True, "protocol": "ouch42", "last_seq": 3}
            row = page["instruments"]["S09998"]
            assert (row["bid_px"], row["ask_px"], row["phase"]) == (9_0000, 11_0000, "CONTINUOUS")
            found = server.answer({"verb": "status", "find": "09998"})
            assert ([*found["instruments"]], [*found["accounts"]]) == (["S09998"], ["A09998"])

    run(conversation)


@pytest.mark.parametrize("wrong", [{"first": -1}, {"rows": 1_001}, {"find": 7}, {"rows": "all"}])
def test_a_page_that_cannot_be_says_what_was_expected(wrong):
    async def conversation():
        async with exchange() as server:
            with pytest.raises(RequestError, match="expected find: text, first: 0 or more, rows: 0 to 1000"):
                await ask(server.ready.control, {"verb": "status", **wrong})

    run(conversation)


def test_the_table_has_lines_ports_faults_instruments_and_accounts():
    async def conversation():
        glimpse = {"user": "SNAP", "password": "plain:secret"}
        lines = [{"name": "A", "send_to": ["127.0.0.1:9"]}, {"name": "B"}]
        async with exchange(glimpse=glimpse, feed={"lines": lines, "linger_ms": 0}) as server:
            maker, taker = await Client.login(server), await Client.login(server, user="NODE2")
            maker.enter("M1", "S", 300)
            taker.enter("T1", "B", 100)
            while (await taker.report())["type"] != "E":
                pass
            server.faults.start("loss B p=0.25")
            server.faults.start("halt RING")
            text = shown(await ask(server.ready.control, {"verb": "status"}))

            words = [line.split() for line in text.splitlines()]
            row = {line[0]: line[1:] for line in words if line}
            assert row["session"][0] == "DAY1"
            assert row["A"][0] == "127.0.0.1:9"
            assert row["B"][-2:] == ["loss", "0.25"]
            assert row["faults:"] == ["loss", "B", "p=0.25;", "halt", "RING"]
            assert row["OBEL"] == ["continuous", "50.00", "-", "50.00", "200", "0"]
            assert row["RING"][0] == "halted"
            assert row["NODE1"] == ["ouch42", "connected", "3", "OBEL", "-100"]
            assert row["order"][1:4] == ["2", "2", "0"]

    run(conversation)


def test_an_empty_exchange_and_a_page_in_the_middle_can_be_drawn():
    async def conversation():
        async with exchange(accounts=[], instruments=MANY[:100]) as server:
            text = shown(server.answer({"verb": "status", "first": 50, "rows": 10}), first=50)
            assert "51 to 60 of 100 instruments" in text
            assert "faults: none" in text
            text = shown(server.answer({"verb": "status", "find": "NONE"}))
            assert "none of 100 instruments" in text

    run(conversation)
