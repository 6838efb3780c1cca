"""Many seeds of two bad lines: `make feed-sim ARGS="--seeds 10000"`; ends at the first that fails, and names it."""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.feed.lossy_world import play

TOLD = ("gaps", "requests", "recovered", "lost", "snapshots", "restarts")
MEMORY = Path("/dev/shm")


def run_one(seed: str) -> tuple[str, str, dict[str, int]]:
    """(seed, what went wrong or nothing, counters of the node's last process)."""
    folder = Path(tempfile.mkdtemp(prefix="openbell-feed-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        world = play(seed, folder)
        told = {name: world.counters()[name] for name in TOLD}
        checks = {"books compared": world.witness.checked, "of a moment within an input": world.witness.unknown}
        return seed, "", {**told, **checks, "processes": world.epochs, "messages": world.venue.core.itch_next - 1}
    except Exception as error:
        return seed, f"{type(error).__name__}: {error}", {}
    finally:
        shutil.rmtree(folder)


def main() -> int:
    """Run the seeds; 1 if one failed."""
    parser = argparse.ArgumentParser(prog="make feed-sim")
    parser.add_argument("--seeds", type=int, default=1_000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the number of the first")
    parser.add_argument("--seed", default="7", help="what all of them begin with")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options = parser.parse_args()
    began, total = time.monotonic(), Counter[str]()
    seeds = [f"{options.seed}-{n}" for n in range(options.first, options.first + options.seeds)]
    with ProcessPoolExecutor(options.processes) as pool:
        for done, (seed, wrong, counters) in enumerate(pool.map(run_one, seeds, chunksize=8), start=1):
            if wrong:
                pool.shutdown(cancel_futures=True)
                prefix, _, number = seed.rpartition("-")
                print(f"seed {seed} failed: {wrong}")
                print(f'again: make feed-sim ARGS="--seed {prefix} --first {number} --seeds 1"')
                return 1
            total.update(counters)
            if done % 500 == 0:
                print(f"{done:,} seeds, {time.monotonic() - began:.0f} s", flush=True)
    facts = ", ".join(f"{name} {value:,}" for name, value in total.items())
    print(f"{len(seeds):,} seeds from {seeds[0]}, {time.monotonic() - began:.0f} s, no wrong book; {facts}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
