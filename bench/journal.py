"""The journal on the trading thread, its archiver, and the ring between processes, each beside its floor."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter_ns

from bench.harness import Result, samples, throughput
from openbell import _native as native
from openbell.journal import JournalReader, JournalWriter, Ring

BLOCKS, BLOCK_FRAMES = 400, 5_000
PACED_FRAMES, INTERVAL_NS = 1_000_000, 1_000
BULK_FRAMES = 9_000_000  # 112 bytes each: about 1 GB
TRIPS, RING_RECORDS, REPETITIONS = 100_000, 5_000_000, 7
SYNCS = 300


def run() -> Result:
    """Measure on this machine's shared memory and on the disk that holds the temporary directory."""
    line, ring = _round_trips()
    return Result(
        name="journal",
        input="frames of one Market record (112 bytes); 64 MiB segments in /dev/shm; archiver in its own process",
        figures=[
            samples("append, in blocks of 5000", "ns", _append_blocks(), target=60),
            samples("append, 1 M/s, archiver syncing, with one clock read", "ns", _append_paced()),
            throughput("archiver, group commit", "frames/s", [archiver_rate(BULK_FRAMES)], target=3.5e6),
            samples("bare fdatasync of 4 KiB", "us", _fdatasync_us()),
            samples("durable_seq covers one frame, archiver polling", "us", _durable_us()),
            throughput("read, CRC checked", "frames/s", _read_rates(), target=5e6),
            samples("ping-pong of one line between processes", "ns", line),
            samples("ring round trip, 64 B", "ns", ring, target=1.5 * sorted(line)[len(line) // 2]),
            throughput("ring, one way", "records/s", _ring_rates(), target=25e6),
        ],
        notes="p99.9 of the paced append is in the JSON; on a machine with two cores the archiver and other load share "
        "the core of the writer's neighbour, and the scheduler shows in p99.9",
    )


@contextmanager
def _directories() -> Iterator[tuple[str, str]]:
    hot = tempfile.mkdtemp(prefix="openbell-bench-", dir="/dev/shm")
    disk = tempfile.mkdtemp(prefix="openbell-bench-")
    try:
        yield hot, disk
    finally:
        shutil.rmtree(hot)
        shutil.rmtree(disk)


@contextmanager
def _archiver(hot: str, disk: str, wait_us: int = 50) -> Iterator[None]:
    command = [sys.executable, "-m", "openbell.journal.archiver", hot, disk, "--wait-us", str(wait_us)]
    process = subprocess.Popen(command)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _append_blocks() -> list[float]:
    with _directories() as (hot, disk):
        writer = JournalWriter(disk, hot)
        times = [native.bench_append(writer, BLOCK_FRAMES) for _ in range(BLOCKS)]
        writer.close()
        return times


def _append_paced() -> list[int]:
    with _directories() as (hot, disk):
        writer = JournalWriter(disk, hot)
        with _archiver(hot, disk):
            native.bench_append(writer, 10_000)
            _wait_durable(writer)
            times = native.bench_append_paced(writer, PACED_FRAMES, INTERVAL_NS)
        writer.close()
        return list(times)


def _wait_durable(writer: JournalWriter) -> None:
    while writer.durable_seq < writer.last_seq:
        if writer.is_archiver_failed:
            raise RuntimeError("the archiver failed; its message is above")


def archiver_rate(frames: int) -> float:
    """Frames a second that an archiver in its own process makes durable."""
    with _directories() as (hot, disk):
        writer = JournalWriter(disk, hot, hot_segments_max=24)
        with _archiver(hot, disk):
            native.bench_append(writer, 1_000)
            _wait_durable(writer)
            start = perf_counter_ns()
            native.bench_append(writer, frames)
            _wait_durable(writer)
            took = perf_counter_ns() - start
        writer.close()
        return frames * 1e9 / took


def _fdatasync_us() -> list[float]:
    with _directories() as (_, disk):
        fd = os.open(f"{disk}/file", os.O_CREAT | os.O_WRONLY)
        times = []
        for _ in range(SYNCS):
            start = perf_counter_ns()
            os.write(fd, bytes(4096))
            os.fdatasync(fd)
            times.append((perf_counter_ns() - start) / 1e3)
        os.close(fd)
        return times


def _durable_us() -> list[float]:
    with _directories() as (hot, disk):
        writer = JournalWriter(disk, hot)
        times = []
        with _archiver(hot, disk, wait_us=0):
            native.bench_append(writer, 1)
            _wait_durable(writer)
            for _ in range(SYNCS):
                start = perf_counter_ns()
                native.bench_append(writer, 1)
                _wait_durable(writer)
                times.append((perf_counter_ns() - start) / 1e3)
        writer.close()
        return times


def _read_rates() -> list[float]:
    with _directories() as (_, disk):
        tape = f"{disk}/tape"
        writer = JournalWriter(tape)
        native.bench_append(writer, 1_000_000)
        writer.close()
        rates = []
        for _ in range(REPETITIONS):
            start = perf_counter_ns()
            frames = JournalReader(tape, check_crc=True).summary()["frames"]
            rates.append(frames * 1e9 / (perf_counter_ns() - start))
        return rates


@contextmanager
def _other_process(code: str, *arguments: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-c", f"import sys\nfrom openbell import _native as n\na = sys.argv\n{code}", *arguments]
    )
    yield
    if process.wait():
        raise RuntimeError(f"the other process ended with {process.returncode}")


def _round_trips() -> tuple[list[float], list[float]]:
    """ns per round trip: the bare line, and the ring; alternating, so that both see the same machine."""
    line, ring = [], []
    with _directories() as (hot, _):
        for i in range(REPETITIONS):
            path = f"{hot}/line{i}"
            Path(path).write_bytes(bytes(4096))
            with _other_process("n.bench_line_echo(a[1], int(a[2]))", path, str(TRIPS + 1)):
                native.bench_line_ping(path, 1)
                line.append(native.bench_line_ping(path, TRIPS, 2))
            requests, answers = f"{hot}/q{i}", f"{hot}/a{i}"
            there, back = Ring.create(requests, 1024), Ring.create(answers, 1024)
            code = "n.bench_ring_echo(n.Ring.attach(a[1]), n.Ring.attach(a[2]), int(a[3]))"
            with _other_process(code, requests, answers, str(TRIPS + 1)):
                native.bench_ring_ping(there, back, 1)
                ring.append(native.bench_ring_ping(there, back, TRIPS))
    return line, ring


def _ring_rates() -> list[float]:
    rates = []
    with _directories() as (hot, _):
        for i in range(REPETITIONS):
            path = f"{hot}/ring{i}"
            ring = Ring.create(path, 4096)
            with _other_process("n.bench_ring_drain(n.Ring.attach(a[1]), int(a[2]))", path, str(RING_RECORDS + 4096)):
                native.bench_ring_push(ring, 4096)
                while len(ring):  # the other process is up
                    pass
                rates.append(1e9 / native.bench_ring_push(ring, RING_RECORDS, 4096))
    return rates


if __name__ == "__main__":
    from bench.harness import as_json

    for figure in as_json(run())["figures"]:
        print({k: v for k, v in figure.items() if v not in (None, {})})
