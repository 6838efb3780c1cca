"""A drop copy over a real socket of the exchange, held against the venue's own ledger."""

import asyncio
import time
from dataclasses import replace

import pytest
from tests.exchange.harness import Client, exchange, run
from tests.posttrade.trades import AAPL, order_id

from openbell._native import ouch_encode_outbound, ouch_token
from openbell.config_types import read_address
from openbell.errors import DecodeError, NetError
from openbell.posttrade.books import OpenOrder
from openbell.posttrade.drop_copy import DropCopyBooks
from openbell.posttrade.reconcile import differences
from openbell.posttrade.venue_books import venue_books
from openbell.types import Side
from openbell.venue.drop_copy import DropCopyLink, split_copy

COPY = {"name": "COPY", "password": "plain:secret", "accounts": ["NODE1", "NODE2"]}
OBEL = replace(AAPL, symbol="OBEL")
ASSETS = {"OBEL": OBEL, "RING": replace(AAPL, symbol="RING")}
WAIT_S = 10.0


def token(number, version=1):
    return ouch_token(order_id(number), version)


def linked(server, account="NODE1", password="secret"):
    """A login from the first message, and the books it fills."""
    books = DropCopyBooks(account)
    link = DropCopyLink(read_address(server.ready.order_entry), "COPY", password, books.take)
    link.connect()
    return link, books


async def hear(link, messages):
    """Poll until so many messages were taken."""
    await poll_until(link, lambda: link.next_seq > messages)


async def poll_until(link, is_there):
    """Poll, beside the exchange's loop."""

    def poll():
        give_up = time.monotonic() + WAIT_S
        while not is_there():
            link.poll(time.monotonic())
            assert time.monotonic() < give_up, f"waited in vain, found {link.next_seq - 1} messages"

    await asyncio.to_thread(poll)


def venue_of(server, account="NODE1"):
    theirs = venue_books(server.answer({"verb": "ledger", "account": account}), ASSETS)
    theirs.positions = theirs.cash = None  # a drop copy says nothing of them
    for key, fill in theirs.fills.items():
        theirs.fills[key] = fill._replace(fee=None)
    return theirs


async def trade_a_little(maker, taker):
    """Rest, fill in part, replace, cancel; ten reports to the maker, the system event included."""
    maker.enter(token(1), "S", qty=100)
    maker.enter(token(2), "S", qty=100, px=50_0100)
    await maker.reports(3)
    taker.enter(token(1), "B", qty=30)
    await maker.report()
    maker.replace(token(2), token(2, 2), 150, 50_0200)
    await maker.report()
    maker.cancel(token(2, 2), 50)
    await maker.report()


def test_a_drop_copy_is_the_venues_books():
    async def conversation():
        async with exchange(drop_copies=[COPY]) as server:
            maker, taker = await Client.login(server), await Client.login(server, user="NODE2")
            await trade_a_little(maker, taker)
            link, books = linked(server)
            await hear(link, 9)
            heard = books.books()

            assert heard.orders == {
                order_id(1): OpenOrder("OBEL", Side.SELL, 50_0000, 70),
                order_id(2): OpenOrder("OBEL", Side.SELL, 50_0200, 50),
            }
            assert len(heard.fills) == 1
            assert differences(heard, venue_of(server)) == []
            link.close()

    run(conversation)


def test_busts_and_corrections_are_heard():
    async def conversation():
        async with exchange(drop_copies=[COPY]) as server:
            maker, taker = await Client.login(server), await Client.login(server, user="NODE2")
            for number in (1, 2):
                maker.enter(token(number), "S", qty=100)
                taker.enter(token(number), "B", qty=100)
                await maker.reports(2 + (number == 1))
            first, second = (
                fill["match_id"] for fill in server.answer({"verb": "ledger", "account": "NODE1"})["fills"]
            )
            server.answer({"verb": "bust", "match": first})
            server.answer({"verb": "correct", "match": second, "px": 49_9900, "qty": 60})
            link, books = linked(server)
            await hear(link, 14)
            fills = list(books.books().fills.values())

            assert [(f.qty, f.px, f.is_busted) for f in fills] == [(100, 50_0000, True), (60, 49_9900, False)]
            assert differences(books.books(), venue_of(server)) == []
            link.close()

    run(conversation)


def test_a_lost_connection_goes_on_where_it_stopped():
    async def conversation():
        async with exchange(drop_copies=[COPY]) as server:
            maker, taker = await Client.login(server), await Client.login(server, user="NODE2")
            link, books = linked(server)
            await hear(link, 2)
            server.answer({"verb": "fault", "fault": "disconnect", "on": "COPY"})
            with pytest.raises(NetError, match=r"before message 3: .*it logs in again"):
                await hear(link, 3)
            assert not link.is_up

            await trade_a_little(maker, taker)
            link.connect()
            await hear(link, 9)
            assert link.is_up
            assert differences(books.books(), venue_of(server)) == []
            link.close()

    run(conversation)


def test_without_a_number_it_hears_what_is_told_from_now_on():
    async def conversation():
        async with exchange(drop_copies=[COPY]) as server:
            maker, taker = await Client.login(server), await Client.login(server, user="NODE2")
            await trade_a_little(maker, taker)
            heard = []
            address = read_address(server.ready.order_entry)
            link = DropCopyLink(address, "COPY", "secret", heard.append, next_seq=0)
            link.connect()
            await poll_until(link, lambda: link.is_up)
            assert (link.next_seq, heard) == (10, [])

            maker.cancel(token(1), 10)
            await hear(link, 10)
            [report] = heard
            assert split_copy(report) == ("NODE1", report[10:])
            link.close()

    run(conversation)


def test_a_wrong_password_is_told():
    async def conversation():
        async with exchange(drop_copies=[COPY]) as server:
            link, _ = linked(server, password="wrong")
            with pytest.raises(NetError, match="the login was refused"):
                await hear(link, 1)

    run(conversation)


def test_nobody_there():
    link = DropCopyLink(read_address("127.0.0.1:1"), "COPY", "secret", DropCopyBooks("NODE1").take)
    with pytest.raises(NetError, match=r"expected a venue at 127\.0\.0\.1:1"):
        link.connect()
    with pytest.raises(NetError, match="call connect"):
        link.poll(0.0)


# ---- the reader alone --------------------------------------------------------------------------------

TERMS = {
    "side": "B", "qty": 100, "symbol": "OBEL    ", "px": 50_0000, "tif": 0, "firm": "FIRM", "display": "Y",
    "order_id": 1, "capacity": "P", "iso": "N", "qty_min": 0, "cross": "N", "state": "L", "bbo_weight": " ",
}  # fmt: skip


def report(kind, number=1, version=1, account="NODE1", **fields):
    return account.ljust(10).encode() + ouch_encode_outbound(
        {"type": kind, "ts": 1, "token": token(number, version), **fields}
    )


def filled(match, qty, number=1):
    return report("E", number, match_id=match, qty=qty, px=50_0000, liquidity="A")


def read(*payloads):
    books = DropCopyBooks("NODE1")
    for payload in payloads:
        books.take(payload)
    return books.books()


def test_a_fill_before_its_acceptance_learns_from_it():
    said = read(filled(7, 30), report("A", **TERMS))

    assert said.orders[order_id(1)].leaves_qty == 70
    assert said.fills[order_id(1), 7].symbol == "OBEL"


def test_a_fill_told_twice_is_two_copies_and_reduces_once():
    said = read(report("A", **TERMS), filled(7, 30), filled(7, 30))

    assert said.fills[order_id(1), 7].copies == 2
    assert said.orders[order_id(1)].leaves_qty == 70


def test_an_order_that_is_dead_on_arrival_has_ended():
    said = read(report("A", **TERMS | {"state": "D"}))

    assert (said.orders, said.ended) == ({}, {order_id(1)})


def test_the_last_share_ends_the_order():
    assert read(report("A", **TERMS), filled(7, 100)).ended == {order_id(1)}


def test_what_is_of_others_is_numbered_and_left_alone():
    books = DropCopyBooks("NODE1")
    books.take(report("A", account="NODE2", **TERMS))
    books.take(b"NODE1     " + ouch_encode_outbound({"type": "S", "ts": 1, "event": "S"}))
    books.take(b"NODE1     " + ouch_encode_outbound({"type": "A", "ts": 1, "token": "NOT OURS".ljust(14), **TERMS}))

    assert (books.seq, books.foreign, books.books().orders) == (3, 1, {})


def test_a_bust_of_nothing_known_changes_nothing():
    assert read(report("B", match_id=9, reason="E")).fills == {}


def test_another_protocol_is_refused():
    with pytest.raises(DecodeError, match=r"message 1: expected a report of OUCH 4.2, found 7a 7a"):
        read(b"NODE1     zz")
