"""Somebody else's readers (the packages MeatPy and itchfeed) build the exchange's book from a capture of its feed."""

import datetime
from collections import Counter
from pathlib import Path

import pytest
from itch.messages import messages as itchfeed_types
from itch.parser import MessageParser
from meatpy.itch50 import ITCH50MarketProcessor, ITCH50MessageReader

from exchange.harness import Client, Receiver, exchange, run
from openbell.types import BUY, SELL
from oracles.book import Books
from oracles.itch_market import records

MESSAGES = 20_000
SYMBOLS = ("OBEL", "RING")  # listed in this order: their stock locates are 1 and 2
FLOW = {"kind": "agents", "preset": "steady", "seed": 7, "agents": {"traders": {"events_per_s": 50_000.0}}}

Queue = list[tuple[int, list[tuple[int, int]]]]  # (px, [(reference, qty)]), best price and oldest order first


async def flow(messages: list[bytes]) -> None:
    """Agents trade until there are enough messages."""
    receiver = Receiver()
    async with exchange(flow=FLOW, feed={"send_to": [receiver.address], "linger_ms": 0}) as server:
        messages.extend((await receiver.follow_until(server, lambda m: len(m) >= MESSAGES))[:MESSAGES])
    receiver.close()


async def every_kind(messages: list[bytes]) -> None:
    """Orders of every kind that shows: replaced, hidden, in an auction, of a trade that is busted."""
    receiver = Receiver()
    async with exchange(feed={"send_to": [receiver.address], "linger_ms": 0}) as server:
        client = await Client.login(server)
        for n in range(8):
            client.enter(f"b{n}", "B", 100, 49_9000 - n * 100)
            client.enter(f"s{n}", "S", 100, 50_1000 + n * 100)
        client.replace("b0", "b0x", 60, 49_9000)  # keeps its place
        client.replace("s0", "s0x", 300, 50_1000)  # does not
        client.cancel("b1", 40)
        client.cancel("s1")
        client.enter("h", "S", 50, 50_0500, display="N")
        client.enter("take", "B", 150, 50_1000)  # the hidden order first
        await client.reports(1 + 16 + 2 + 2 + 1 + 5)
        server.answer({"verb": "bust", "match": 1, "reason": "E"})
        server.answer({"verb": "state", "symbol": "OBEL", "state": "Q"})
        client.enter("call1", "B", 500, 50_3000)
        client.enter("call2", "S", 100, 49_7000)
        await client.reports(2 + 2)
        server.answer({"verb": "state", "symbol": "OBEL", "state": "T"})
        messages.extend(await receiver.follow_until(server, lambda m: len(m) >= server.venue.itch_next - 1))
    receiver.close()


@pytest.fixture(scope="module", params=[flow, every_kind], ids=lambda scene: scene.__name__)
def capture(request, tmp_path_factory) -> Path:
    """The feed of an exchange, in the framing of Nasdaq's files: two bytes of length before each message."""
    messages: list[bytes] = []
    run(request.param, messages)
    path = tmp_path_factory.mktemp("capture") / "feed.itch"
    path.write_bytes(b"".join(len(m).to_bytes(2, "big") + m for m in messages))
    kinds = {chr(m[0]) for m in messages}
    assert kinds >= (set("SRHAEDXUPQCB") if request.param is every_kind else set("SRHAED"))
    return path


@pytest.fixture(scope="module")
def book(capture) -> Books:
    """Our own reading of the capture."""
    rows, _ = records(capture)
    books = Books([1, 2], orders_max=1 << 20, levels_max=1 << 20)
    assert {books.apply(row)[0] for row in rows} == {0}
    return books


def queues(books: Books, locate: int) -> tuple[Queue, Queue]:
    book = books.books[locate]
    return tuple([(px, book.queue(side, px)) for px, *_ in book.depth(side)] for side in (BUY, SELL))


@pytest.mark.parametrize("locate", [1, 2])
def test_meatpy_builds_the_same_queues(capture, book, locate):
    theirs = ITCH50MarketProcessor(SYMBOLS[locate - 1], datetime.datetime(2026, 1, 5))
    for message in ITCH50MessageReader().read_file(capture):
        theirs.process_message(message)  # raises when an execution is out of priority

    lob = theirs.current_lob
    if lob is None:
        assert queues(book, locate) == ([], [])  # nobody traded it
        return
    assert not lob.execution_errors_buffer
    sides = tuple(
        [(level.price, [(o.order_id, o.volume) for o in level.queue]) for level in levels]
        for levels in (lob.bid_levels, lob.ask_levels)
    )
    assert sides == queues(book, locate)
    assert min(len(side) for side in sides) >= 4


def test_itchfeed_reads_every_message_and_builds_the_same_book(capture, book):
    with capture.open("rb") as file:
        theirs = list(MessageParser().parse_file(file))

    assert {m.message_type for m in theirs} <= set(itchfeed_types)
    assert b"".join((len(b := m.to_bytes())).to_bytes(2, "big") + b for m in theirs) == capture.read_bytes()
    assert open_orders(theirs) == {o.order_id: (o.instrument, o.px, o.qty) for o in book.by_id.values()}


def open_orders(messages: list) -> dict[int, tuple[int, int, int]]:
    """Locate, price and open shares by reference, from itchfeed's objects."""
    orders: dict[int, tuple[int, int]] = {}
    shares: Counter[int] = Counter()
    for m in messages:
        match m.message_type:
            case b"A":
                orders[m.order_reference_number] = (m.stock_locate, m.price)
                shares[m.order_reference_number] = m.shares
            case b"E" | b"C":
                shares[m.order_reference_number] -= m.executed_shares
            case b"X":
                shares[m.order_reference_number] -= m.cancelled_shares
            case b"D":
                shares[m.order_reference_number] = 0
            case b"U":
                locate, _ = orders[m.order_reference_number]
                shares[m.order_reference_number] = 0
                orders[m.new_order_reference_number] = (locate, m.price)
                shares[m.new_order_reference_number] = m.shares
    return {ref: (*orders[ref], n) for ref, n in shares.items() if n}
