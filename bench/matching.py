"""Matching operations in process: a small book, one of a million orders, a thousand instruments."""

from itertools import chain

from bench.harness import Figure, Result, percentile, samples, throughput
from openbell._native import MatchingMix

SEED, REPETITIONS, OPERATIONS = 7, 9, 500_000
CASES = {  # instruments, open orders, mean distance of a limit order from the opposite touch in ticks
    "small book": (1, 1_000, 8.0),
    "million orders": (1, 1_000_000, 100.0),
    "1000 instruments": (1_000, 500_000, 8.0),
}
VERBS = ("add", "cancel", "replace", "aggressive")
TARGET_RATE, TARGET_P99_NS = 10e6, 300


def run() -> Result:
    """Play a recorded stream on fresh engines: untimed inside for the rate, each operation timed for the latency."""
    mixes = {name: MatchingMix(*case, OPERATIONS, SEED) for name, case in CASES.items()}
    figures = [figure for name, mix in mixes.items() for figure in _figures(name, mix)]
    return Result(
        name="matching",
        input=f"{OPERATIONS:_} operations: 60 % add, 30 % cancel, 5 % replace, 5 % aggressive, seed {SEED}; instrument "
        "and order drawn evenly; "
        + "; ".join(f"{name}: {orders:_} open orders" for name, (_, orders, _) in CASES.items()),
        figures=figures,
        notes="an aggressive order takes 6 on average, which is what keeps the book's size under this mix; "
        + ", ".join(f"{mix.events_per_operation:.2f}" for mix in mixes.values())
        + " events an operation, read by a sink that sums them; tick table and collars are on; rates are of the "
        "thread's processor time; two reads of the clock in a row are subtracted from each latency; percentiles are "
        "medians over the repetitions",
    )


def _figures(name: str, mix: MatchingMix) -> list[Figure]:
    rates, latencies = [], []
    for _ in range(REPETITIONS):
        rates.append(mix.rate())
        latencies.append(mix.latencies())
    whole = [list(chain(*verbs)) for verbs in latencies]
    by_verb = [(verb, list(chain(*(run[n] for run in latencies)))) for n, verb in enumerate(VERBS)]
    return [
        throughput(name, "operations/s", rates, TARGET_RATE),
        samples(f"{name}, p50", "ns", [percentile(run, 0.5) for run in whole]),
        samples(f"{name}, p99", "ns", [percentile(run, 0.99) for run in whole], TARGET_P99_NS),
        samples(f"{name}, p99.9", "ns", [percentile(run, 0.999) for run in whole]),
        *(samples(f"{name}, {verb}", "ns", values) for verb, values in by_verb),
    ]
