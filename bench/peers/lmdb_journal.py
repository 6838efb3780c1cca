"""Appends records to LMDB, for bench/journal_peers.py: a request is `<records> <records per transaction>`."""

import json
import sys
from tempfile import TemporaryDirectory
from time import perf_counter_ns

import lmdb

RECORD_BYTES = 112
MAP_BYTES = 4 << 30


def main() -> None:
    """Answer each request with the ns of every transaction; a transaction returns when it is on disk."""
    record = bytes(RECORD_BYTES)
    with TemporaryDirectory(prefix="openbell-bench-", dir=sys.argv[1]) as folder:
        store = lmdb.open(folder, map_size=MAP_BYTES)
        seq = 0
        for line in sys.stdin:
            count, batch = map(int, line.split())
            times = []
            for _ in range(count // batch):
                start = perf_counter_ns()
                with store.begin(write=True) as transaction:
                    for _ in range(batch):
                        seq += 1
                        transaction.put(seq.to_bytes(8, "big"), record, append=True)
                times.append(perf_counter_ns() - start)
            print(json.dumps({"ns": times}), flush=True)


if __name__ == "__main__":
    main()
