"""OUCH messages through the venue in process: decode, ledger, matching, reports and feed."""

from bench.harness import Figure, Result, throughput
from openbell._native import VenueMix

SEED, REPETITIONS, OPERATIONS = 7, 9, 500_000
CASES = {  # instruments, accounts, open orders
    "10 instruments, 10 accounts": (10, 10, 10_000),
    "100 instruments, 1000 accounts": (100, 1_000, 200_000),
}
TARGET_RATE = 2e6


def run() -> Result:
    """Play a recorded stream on fresh venues."""
    return Result(
        name="venue",
        input=f"{OPERATIONS:_} OUCH 4.2 messages: 60 % add, 30 % cancel, 5 % replace, 5 % market; seed {SEED}; "
        + "; ".join(f"{name}: {orders:_} open orders" for name, (_, _, orders) in CASES.items()),
        figures=[_figure(name, VenueMix(*case, OPERATIONS, SEED)) for name, case in CASES.items()],
        notes="every message is decoded and its token remembered; reports, feed and ledger are written",
    )


def _figure(name: str, mix: VenueMix) -> Figure:
    mix.rate()
    return throughput(name, "messages/s", [mix.rate() for _ in range(REPETITIONS)], TARGET_RATE)
