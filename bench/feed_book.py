"""ITCH decoding, and decoding with the book behind it, natively, over a day in memory."""

from collections.abc import Iterator
from time import perf_counter_ns

import numpy as np

from bench.amzn import amzn_zip
from bench.book import clear_record
from bench.harness import Result, throughput
from openbell._native import ItchFeed
from openbell.book import Books

REPETITIONS, CHUNK_BYTES = 9, 1 << 14


def run() -> Result:
    """The LOBSTER day as ITCH messages with NASDAQ's 2-byte lengths, in chunks; every integrity check on."""
    from openbell.backtest.tape_lobster import lobster_chunks
    from openbell.exchange.lobster_file import load_lobster

    data = b"".join(chunk for chunk, _ in lobster_chunks(load_lobster(amzn_zip())))
    messages = _count(data)
    chunks = list(_chunks(data))
    decoded, built = _rates(chunks, data, messages)
    return Result(
        name="feed_book",
        input=f"AMZN 2012-06-21 level 5 as {messages:_} ITCH messages, {len(data):_} bytes in {len(chunks)} chunks",
        figures=[
            throughput("ITCH decode into 48-byte records of a reused buffer", "msg/s", decoded, target=70e6),
            throughput("ITCH decode, then the L3 book, all checks", "msg/s", built, target=20e6),
        ],
        notes=f"one buffer of {CHUNK_BYTES * 3 >> 10} KiB; the book gets 128 records at a time; one thread; in turns",
    )


def _rates(chunks: list[bytes], data: bytes, messages: int) -> tuple[list[float], list[float]]:
    """Messages a second of decoding alone and with the books, in turns."""
    decoded, built = [], []
    out = np.zeros(CHUNK_BYTES * 3, np.uint8)
    books = Books(instruments_max=16, orders_max=1 << 16)
    books.add_instrument(0)
    for _ in range(REPETITIONS + 1):  # the first one warms up
        feed = ItchFeed()
        records = 0
        start = perf_counter_ns()
        for chunk in chunks:
            records += feed.decode_into(chunk, out)[1]
        decoded.append(messages * 1e9 / (perf_counter_ns() - start))

        feed = ItchFeed()
        books.apply(clear_record())  # a day is 10 ms: fresh memory would be a good part of it
        start = perf_counter_ns()
        faults = feed.apply_framed(data, books)
        built.append(messages * 1e9 / (perf_counter_ns() - start))
        if faults or records + feed.counters["instruments"] != messages:
            raise RuntimeError(f"expected {messages} messages without faults, found {records} and {faults} faults")
    return decoded[1:], built[1:]


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
