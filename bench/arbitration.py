"""Arbitration of two MoldUDP64 lines, without the receive call."""

from bench.harness import Result, samples
from openbell._native import bench_arbitration, bench_arbitration_bare

PACKETS, MESSAGE_BYTES, REPETITIONS = 4_096, 36, 2_000
LOST_ONE_IN = 100


def run() -> Result:
    """Datagrams of both lines from memory, A first; session, number, blocks and lag are looked at."""
    figures = [
        samples(
            "A/B arbitration, one message a datagram",
            "ns/datagram",
            bench_arbitration(PACKETS, 1, MESSAGE_BYTES, 0, REPETITIONS),
            target=15,
        ),
        samples(
            "ten messages a datagram", "ns/datagram", bench_arbitration(PACKETS, 10, MESSAGE_BYTES, 0, REPETITIONS)
        ),
        samples(
            f"line A loses one in {LOST_ONE_IN}",
            "ns/datagram",
            bench_arbitration(PACKETS, 1, MESSAGE_BYTES, LOST_ONE_IN, REPETITIONS),
        ),
        samples(
            "a bare loop that compares numbers",
            "ns/datagram",
            bench_arbitration_bare(PACKETS, 1, MESSAGE_BYTES, REPETITIONS),
        ),
    ]
    return Result(
        name="arbitration",
        input=f"{PACKETS:_} packets of 36-byte messages on each line, {REPETITIONS:_} repetitions",
        figures=figures,
        notes="processor time of the thread; each datagram of line B follows its twin of line A",
    )
