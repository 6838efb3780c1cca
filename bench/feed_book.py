"""ITCH decoding, with the book behind it, and with the journal between them, natively, over a day in memory."""

import shutil
import tempfile
from collections.abc import Iterator
from time import thread_time_ns

import numpy as np

from bench.amzn import amzn_zip
from bench.book import clear_record
from bench.harness import Result, throughput
from openbell._native import ItchFeed, bench_journal_and_apply
from openbell.book import Books
from openbell.journal import JournalWriter

REPETITIONS, CHUNK_BYTES = 9, 1 << 14
FRAME_MESSAGES = (1, 16)


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
            *(
                throughput(f"the same through the journal, frames of {n}", "msg/s", rates, target=10e6)
                for n, rates in _journalled(data, messages).items()
            ),
        ],
        notes=f"one buffer of {CHUNK_BYTES * 3 >> 10} KiB; the book gets 128 records at a time; one thread; in turns; "
        "64 MiB segments in /dev/shm, every frame with its CRC",
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
        start = thread_time_ns()
        for chunk in chunks:
            records += feed.decode_into(chunk, out)[1]
        decoded.append(messages * 1e9 / (thread_time_ns() - start))

        feed = ItchFeed()
        books.apply(clear_record())  # a day is 10 ms: fresh memory would be a good part of it
        start = thread_time_ns()
        faults = feed.apply_framed(data, books)
        built.append(messages * 1e9 / (thread_time_ns() - start))
        if faults or records + feed.counters["instruments"] != messages:
            raise RuntimeError(f"expected {messages} messages without faults, found {records} and {faults} faults")
    return decoded[1:], built[1:]


def _journalled(data: bytes, messages: int) -> dict[int, list[float]]:
    """Messages a second by messages a frame: decoded into the journal's shared memory, committed, then the books."""
    rates: dict[int, list[float]] = {n: [] for n in FRAME_MESSAGES}
    books = Books(instruments_max=16, orders_max=1 << 16)
    books.add_instrument(0)
    for _ in range(REPETITIONS + 1):
        for n in FRAME_MESSAGES:
            rates[n].append(messages * 1e9 / _journalled_ns(data, books, n))
    return {n: values[1:] for n, values in rates.items()}


def _journalled_ns(data: bytes, books: Books, frame_messages: int) -> int:
    hot, disk = (tempfile.mkdtemp(prefix="openbell-bench-", dir=at) for at in ("/dev/shm", None))
    try:
        writer = JournalWriter(disk, hot)  # no archiver: a day is less than a segment
        books.apply(clear_record())
        start = thread_time_ns()
        faults = bench_journal_and_apply(writer, books, data, frame_messages)
        elapsed = thread_time_ns() - start
        writer.close()
    finally:
        shutil.rmtree(hot)
        shutil.rmtree(disk)
    if faults:
        raise RuntimeError(f"expected messages without faults, found {faults}")
    return elapsed


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
