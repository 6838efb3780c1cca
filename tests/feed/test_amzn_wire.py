"""A real day over real sockets: LOBSTER's AMZN -> exchange -> UDP -> feed -> books, equal in every row.

Every datagram in DROP_EVERY is thrown away before the feed sees it, so that the request server has work to do.
"""

import asyncio
import json
import time

import numpy as np
import pytest

from openbell._native import Books, MoldItchFeed, UdpSocket
from openbell.exchange.config import ExchangeConfig
from openbell.exchange.lobster_file import NO_ASK_PX, NO_BID_PX, load_lobster
from openbell.exchange.server import ExchangeServer
from openbell.types import RECORDS, Side, Type

ROWS = {1: 57_515, 5: 155_935}
"""Of the file of so many levels."""
DROP_EVERY = 100
TIMEOUT_S = 55.0
LINE_A, ANSWERS = 0, 2
POLL_S = 0.001


class Receiver:
    """The feed behind two sockets of the event loop: one for the line, one for what it asks for."""

    def __init__(self):
        self.feed = MoldItchFeed()
        self.feed.start("", 1)
        self.line, self.requests = (UdpSocket(receive_buffer_bytes=4 << 20) for _ in range(2))
        self.packets = self.dropped = 0
        self.events = []
        self.ended = asyncio.Event()

    @property
    def address(self):
        return "{}:{}".format(*self.line.local)

    def run(self, retransmit):
        host, port = retransmit.split(":")
        self.server = (host, int(port))
        self.loop = asyncio.get_running_loop()
        self.loop.add_reader(self.line.fileno(), self.receive)
        self.loop.add_reader(self.requests.fileno(), self.receive)
        self.tick()

    def tick(self):
        self.receive()
        self.timer = self.loop.call_later(POLL_S, self.tick)

    def receive(self):
        while batch := self.line.receive():
            for datagram, now_ns, _ in batch:
                self.packets += 1
                if self.packets % DROP_EVERY:
                    self.feed.on_packet(datagram, LINE_A, now_ns)
                else:
                    self.dropped += 1
        while batch := self.requests.receive():
            for datagram, now_ns, _ in batch:
                self.feed.on_packet(datagram, ANSWERS, now_ns)
        self.feed.poll(time.time_ns())  # the clock of the datagrams' receive times
        for request in self.feed.take_requests():
            self.requests.send_to(self.server, request)
        self.events += self.feed.take_events()
        if any(event[0] == "end" for event in self.events):
            self.ended.set()

    def close(self):
        self.timer.cancel()
        for socket in (self.line, self.requests):
            self.loop.remove_reader(socket.fileno())


async def receive_day(path):
    """The receiver after the whole day went through an exchange."""
    receiver = Receiver()
    config = {
        "instruments": [{"symbol": "AMZN"}],
        "feed": {"send_to": [receiver.address]},
        "flow": {"kind": "lobster", "path": str(path), "speed": 0},
    }
    async with asyncio.timeout(TIMEOUT_S):
        async with ExchangeServer(ExchangeConfig.model_validate_json(json.dumps(config))) as server:
            receiver.run(server.ready.retransmit)
            await server.flow_done.wait()
        await receiver.ended.wait()
    receiver.close()
    return receiver


def rows_of(markets):
    """The records of each row of the file: they carry its number, modulo 65536, as their tracking number."""
    orders = markets[markets["type"] < Type.STATUS.value]
    return np.split(orders, np.flatnonzero(np.diff(orders["tracking"])) + 1)


def book_row(books, levels):
    """The best levels as LOBSTER writes them: ask px, ask qty, bid px, bid qty, best level first."""
    row = np.tile(np.array([NO_ASK_PX, 0, NO_BID_PX, 0], np.int64), (levels, 1))
    for column, side in ((0, Side.SELL), (2, Side.BUY)):
        depth = books.depth(0, side, levels).view(np.int64)
        row[: len(depth), column : column + 2] = depth[:, :2]
    return row.ravel()


@pytest.mark.parametrize("levels", ROWS)
def test_the_book_at_the_far_end_of_the_wire_is_lobsters_in_every_row(levels, shared_data):
    path = shared_data / "lobster" / f"LOBSTER_SampleFile_AMZN_2012-06-21_{levels}.zip"
    shown = load_lobster(path).book

    receiver = asyncio.run(receive_day(path))

    books = Books(1, 1 << 16)
    books.add_instrument(0)
    rows = rows_of(np.frombuffer(receiver.feed.take_markets(), RECORDS["Market"]))
    faults = 0
    built = np.empty_like(shown)
    for i, records in enumerate(rows):
        faults += books.apply(records)
        built[i] = book_row(books, levels)
    mismatches = int((built != shown).any(axis=1).sum())
    print(f"{receiver.packets} datagrams, {receiver.dropped} dropped, {receiver.feed.counters}")
    print(f"{len(rows)} rows, {mismatches} mismatches, {faults} faults")
    assert (len(rows), mismatches, faults, books.is_valid(0)) == (ROWS[levels], 0, 0, True)
    assert receiver.dropped > 0 and receiver.feed.counters["recovered"] > 0 and receiver.feed.counters["lost"] == 0
