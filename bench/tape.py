"""Tapes: importing an ITCH day, plain and gzip, packing it, and loading it into Polars; peers' readers beside."""

import gzip
import importlib.util
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from bench.amzn import amzn_zip
from bench.harness import Result, throughput

DAYS = 8  # ITCH's clock of 6 bytes ends after 78 hours
REPETITIONS = 3
HEAD_BYTES = 11
TIME_AT = 5
LATER_NS = 7 * 3_600 * 10**9
"""From one repetition of the day to the next; a day has 6.5 hours."""


def run() -> Result:
    """A large ITCH file from a real day, repeated with a clock and references that move on; everything in one run."""
    from openbell.backtest.tape import write_index
    from openbell.backtest.tape_import import import_tape
    from openbell.backtest.tape_pack import pack_tape
    from openbell.research import bars, features, load

    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        plain, packed = home / "bench_20120621.itch", home / "bench_20120621.itch.gz"
        messages = write_day(plain)
        with gzip.open(packed, "wb", compresslevel=6) as out:
            out.write(plain.read_bytes())
        size = plain.stat().st_size
        figures = []

        def rates(name: str, unit: str, amount: float, work: Callable[[], object], target: float | None = None) -> None:
            seconds = []
            for _ in range(REPETITIONS + 1):  # the first one warms up
                shutil.rmtree(home / "tape", ignore_errors=True)
                began = perf_counter()
                work()
                seconds.append(perf_counter() - began)
            figures.append(throughput(name, unit, [amount / s for s in seconds[1:]], target))

        rates("import plain ITCH", "messages/s", messages, lambda: import_tape(plain, home / "tape"))
        rates("import gzip ITCH", "messages/s", messages, lambda: import_tape(packed, home / "tape"))
        day = home / "day_20120621.itch"
        once = write_day(day, 1)
        for name, read in {**peers(day), "openbell": lambda: import_tape(day, home / "tape").messages}.items():
            if read() != once:
                raise RuntimeError(f"expected {name} to read {once} messages of {day.name}")
            rates(f"one day of it: {name}", "messages/s", once, read)
        import_tape(plain, home / "kept")
        write_index(home / "kept")  # as a tape of the catalog has one
        rows = len(load(home / "kept", ["px"]))
        rates("load into Polars, 9 columns", "rows/s", rows, lambda: load(home / "kept"))
        rates("load into Polars, px and qty", "rows/s", rows, lambda: load(home / "kept", ["px", "qty"]))
        rates("load, px as decimals", "rows/s", rows, lambda: load(home / "kept", ["px"], prices="decimal"))
        rates("features by event", "records/s", rows, lambda: features(home / "kept"))
        rates("bars by second", "records/s", rows, lambda: bars(home / "kept", "time", 10**9))
        tape_bytes = sum(file.stat().st_size for file in (home / "kept").glob("*.seg"))
        result = pack_tape(home / "kept")
        rates("load packed, 9 columns", "rows/s", rows, lambda: load(home / "kept"))
        rates("features by event, packed", "records/s", rows, lambda: features(home / "kept"))
        return Result(
            name="tape",
            input=f"AMZN 2012-06-21 level 5, {DAYS} times: {messages:_} ITCH messages, {size:_} bytes, {rows:_} rows",
            figures=figures,
            notes=f"one core each; tape {tape_bytes:_} bytes, packed {result.packed_bytes:_}; the page cache is warm",
        )


def write_day(path: Path, days: int = DAYS) -> int:
    """The LOBSTER day as framed ITCH, again and again: later times, other references; how many messages."""
    from openbell.backtest.tape_lobster import lobster_chunks
    from openbell.exchange.lobster_file import load_lobster

    day = b"".join(chunk for chunk, _ in lobster_chunks(load_lobster(amzn_zip())))
    starts, at = [], 0
    while at < len(day):
        starts.append(at + 2)
        at += 2 + int.from_bytes(day[at : at + 2])
    with path.open("wb") as out:
        for again in range(days):
            out.write(_moved(day, starts, again) if again else day)
    return len(starts) * days


def _moved(day: bytes, starts: list[int], again: int) -> bytes:
    """The day once more, later, with `again` in the highest byte of every reference."""
    moved = bytearray(day)
    for at in starts:
        ns = int.from_bytes(day[at + TIME_AT : at + HEAD_BYTES]) + again * LATER_NS
        moved[at + TIME_AT : at + HEAD_BYTES] = ns.to_bytes(6)
        if day[at] in b"AFECXDUP":
            moved[at + HEAD_BYTES] = again
        if day[at] == ord("U"):
            moved[at + HEAD_BYTES + 8] = again
    return bytes(moved)


def peers(file: Path) -> dict[str, Callable[[], int]]:
    """Readers of ITCH 5.0 from PyPI that are installed: each reads every message of `file` and keeps none."""
    found: dict[str, Callable[[], int]] = {}
    if importlib.util.find_spec("itch"):
        from itch.parser import MessageParser

        def read_itchfeed() -> int:
            with file.open("rb") as data:
                return sum(1 for _ in MessageParser().parse_file(data))

        found["itchfeed"] = read_itchfeed
    if importlib.util.find_spec("meatpy"):
        from meatpy.itch50 import ITCH50MessageReader

        def read_meatpy() -> int:
            with ITCH50MessageReader(str(file)) as reader:
                return sum(1 for _ in reader)

        found["MeatPy"] = read_meatpy
    return found
