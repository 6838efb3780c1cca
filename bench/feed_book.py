"""ITCH decoding, and decoding with the book behind it, in native batches over a day in memory."""

from collections.abc import Iterator
from time import perf_counter_ns

import numpy as np

from bench.amzn import amzn_zip
from bench.harness import Result, throughput
from openbell._native import ItchFeed
from openbell.book import Books
from openbell.types import RECORDS

REPETITIONS, CHUNK_BYTES = 9, 1 << 16


def run() -> Result:
    """The LOBSTER day as ITCH messages with NASDAQ's 2-byte lengths, in chunks; every integrity check on."""
    from openbell.backtest.tape_lobster import lobster_chunks
    from openbell.exchange.lobster_file import load_lobster

    data = b"".join(chunk for chunk, _ in lobster_chunks(load_lobster(amzn_zip())))
    messages = _count(data)
    chunks = list(_chunks(data))
    return Result(
        name="feed_book",
        input=f"AMZN 2012-06-21 level 5 as {messages:_} ITCH messages, {len(data):_} bytes in {len(chunks)} chunks",
        figures=[
            throughput("ITCH decode into 48-byte records", "msg/s", _rates(chunks, messages, False), target=70e6),
            throughput("ITCH decode, then the L3 book", "msg/s", _rates(chunks, messages, True), target=20e6),
        ],
        notes="each chunk crosses into Python and back as bytes; one thread",
    )


def _rates(chunks: list[bytes], messages: int, with_book: bool) -> list[float]:
    rates = []
    for _ in range(REPETITIONS + 1):  # the first one warms up
        feed = ItchFeed()
        books = Books(instruments_max=16, orders_max=1 << 16)
        books.add_instrument(0)
        faults = 0
        start = perf_counter_ns()
        for chunk in chunks:
            feed.push_framed(chunk)
            records = np.frombuffer(feed.take_markets(), RECORDS["Market"])
            if with_book:
                faults += books.apply(records)
        rates.append(messages * 1e9 / (perf_counter_ns() - start))
        if faults:
            raise RuntimeError(f"expected a day without faults, found {faults}")
    return rates[1:]


def _chunks(data: bytes) -> Iterator[bytes]:
    """Whole messages, about CHUNK_BYTES at a time."""
    begin = at = 0
    while at < len(data):
        at += 2 + int.from_bytes(data[at : at + 2])
        if at - begin >= CHUNK_BYTES or at == len(data):
            yield data[begin:at]
            begin = at


def _count(data: bytes) -> int:
    """Messages in NASDAQ's file framing: 2-byte big-endian length, message."""
    count = at = 0
    while at < len(data):
        at += 2 + int.from_bytes(data[at : at + 2])
        count += 1
    return count
