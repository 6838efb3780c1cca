"""Frames made durable: by the archiver, by SQLite in WAL mode, by LMDB, and by a bare loop of fdatasync, in turns.

Every side appends records of 112 bytes (a frame of one Market record) on the disk of the temporary directory. "One a
sync" is a transaction of one record; "in groups" is as many at once as each side likes to take.
"""

import os
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from time import perf_counter_ns

from bench.harness import Figure, Result, SkippedError, percentile, samples, throughput
from bench.journal import _archiver, _directories, _wait_durable, archiver_rate
from bench.peers_venv import ask, peer
from openbell import _native as native
from openbell.journal import JournalWriter

RECORD_BYTES = 112
ROUNDS, SYNCS = 7, 150
GROUP, GROUPED = 10_000, 100_000
GROUPED_OURS = 2_000_000

Side = Callable[[int, int], list[float]]
"""Appends so many records, so many a transaction; the us of each transaction."""


def run() -> Result:
    """Measure all sides alternately; LMDB runs in the peers' environment and is left out without it."""
    with ExitStack() as stack:
        sides: dict[str, Side] = {
            "bare fdatasync": _bare(stack),
            "openbell": _ours(stack),
            "SQLite WAL": _sqlite(stack),
        }
        try:
            sides["LMDB"] = _lmdb(stack)
        except SkippedError as skipped:
            print(skipped)
        one = _alternately(sides, SYNCS, 1)
        groups = _alternately(
            {n: s for n, s in sides.items() if n not in ("bare fdatasync", "openbell")}, GROUPED, GROUP
        )
        grouped_ours = [archiver_rate(GROUPED_OURS) for _ in range(3)]
    floor = one.pop("bare fdatasync")
    figures: list[Figure] = [samples("bare append and fdatasync of 112 bytes", "us", [t for r in floor for t in r])]
    for name, rounds in one.items():
        figures.append(samples(f"{name}, one a sync", "us", [t for r in rounds for t in r]))
        ratios = [percentile(bare, 0.5) / percentile(r, 0.5) for bare, r in zip(floor, rounds, strict=True)]
        target = 0.9 if name == "openbell" else None
        figures.append(throughput(f"{name}, one a sync, rate against bare", "x", ratios, target=target))
    figures.append(
        throughput("openbell, in groups, archiver in its own process", "records/s", grouped_ours, target=3.5e6)
    )
    for name, rounds in groups.items():
        figures.append(throughput(f"{name}, {GROUP} a sync", "records/s", [GROUPED * 1e6 / sum(r) for r in rounds]))
    return Result(
        name="journal_peers",
        input=f"{RECORD_BYTES}-byte records, {ROUNDS} rounds of {SYNCS} in turns; archiver polling in its own process",
        figures=figures,
        notes="SQLite and LMDB are called from Python, whose share is below 5 us a transaction of one record",
    )


def _alternately(sides: dict[str, Side], count: int, batch: int) -> dict[str, list[list[float]]]:
    rounds: dict[str, list[list[float]]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, side in sides.items():
            rounds[name].append(side(count, batch))
    return rounds


def _folder(stack: ExitStack) -> str:
    return stack.enter_context(tempfile.TemporaryDirectory(prefix="openbell-bench-"))


def _bare(stack: ExitStack) -> Side:
    fd = os.open(f"{_folder(stack)}/file", os.O_CREAT | os.O_WRONLY)
    stack.callback(os.close, fd)
    return lambda count, _: [t / 1e3 for t in native.bench_fdatasync(fd, count, RECORD_BYTES)]


def _ours(stack: ExitStack) -> Side:
    hot, disk = stack.enter_context(_directories())
    writer = JournalWriter(disk, hot)
    stack.callback(writer.close)
    stack.enter_context(_archiver(hot, disk, wait_us=0))
    native.bench_append(writer, 1)
    _wait_durable(writer)
    return lambda count, _: [t / 1e3 for t in native.bench_durable(writer, count)]


def _sqlite(stack: ExitStack) -> Side:
    store = sqlite3.connect(f"{_folder(stack)}/file", isolation_level=None)
    stack.callback(store.close)
    store.execute("PRAGMA journal_mode=WAL")
    store.execute("PRAGMA synchronous=FULL")
    store.execute("CREATE TABLE frames (seq INTEGER PRIMARY KEY, bytes BLOB)")
    row = (bytes(RECORD_BYTES),)

    def append(count: int, batch: int) -> list[float]:
        times = []
        for _ in range(count // batch):
            start = perf_counter_ns()
            store.execute("BEGIN")
            store.executemany("INSERT INTO frames (bytes) VALUES (?)", [row] * batch)
            store.execute("COMMIT")
            times.append((perf_counter_ns() - start) / 1e3)
        return times

    return append


def _lmdb(stack: ExitStack) -> Side:
    process: subprocess.Popen[str] = stack.enter_context(peer("lmdb_journal.py", "lmdb", tempfile.gettempdir()))
    stack.callback(process.kill)
    return lambda count, batch: [t / 1e3 for t in ask(process, f"{count} {batch}")["ns"]]
