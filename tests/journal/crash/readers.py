"""Any bytes as a snapshot, an engine's state, a record of a run or a configuration: read, or refused by a typed error.

    make fuzz-readers ARGS="--runs 100000 --seed 7"

The inputs are real ones, changed in a few places by a seed; of a configuration mostly keys and values, so that most
are still TOML. Runs go in processes of their own: one that dies, does not end or raises anything but openbell's own
errors is a finding, printed with what makes it again. `make fuzz-readers` runs them on the core with sanitizers.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from tests.simulation.day import Day
from tests.simulation.faults import acts
from tests.simulation.process import capacity
from tests.simulation.session import plan_of

from openbell import _native as native
from openbell.config import load_toml
from openbell.errors import OpenbellError
from openbell.node.config import load_node
from openbell.node.limits import LimitSet
from openbell.node.record import read_record
from openbell.node.snapshots import read_snapshot, write_snapshot

REPO = Path(__file__).resolve().parents[3]
RUNS_A_PROCESS = 2_000
STEPS = 400
CHUNK_S_MAX = 900
"""For so many runs, with sanitizers on a busy machine."""
EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x22, 0x2E, 0x3D, 0x5B, 0x2D)
NUMBERS = "0 -1 1 7.5 9223372036854775807 -9223372036854775808 18446744073709551616 1e400 nan -inf"
OTHERS = "true [] [[]] {} [1,'x'] 1979-05-27T07:32:00Z 1979-05-27 07:32:00"
TEXTS = rf"x é \u0000 \n {'A' * 300} 0 -1 1e999999 1e-999999 NaN Infinity 0.00000000001 OBEL USD"
PLACES = "127.0.0.1:65536 [::1]:1 : env: file: plain: / ../.. ~nobody/x"
VALUES = ['""', *NUMBERS.split(), *OTHERS.split(), *(f'"{text}"' for text in f"{TEXTS} {PLACES}".split())]
"""That a key of a configuration may not expect."""
FOUND = 11

Read = Callable[[bytes], None]
Change = Callable[[bytes, random.Random], bytes]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """`data`, changed in one to four places."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at, n = rng.randrange(len(out) + 1), rng.choice([1, 2, 4, 8, rng.randint(1, 200)])
        match rng.randrange(6):
            case 0 if at < len(out):
                out[at] ^= 1 << rng.randrange(8)
            case 1 if at < len(out):
                out[at] = rng.choice(EDGES)
            case 2:
                del out[at : at + n]
            case 3:
                out[at:at] = rng.randbytes(n)
            case 4 if len(out) >= 8:  # a number at an edge of its range
                at = rng.randrange(len(out) - 7) & ~7
                out[at : at + 8] = (rng.choice([0, 1 << 64, 1 << rng.randrange(64)]) - rng.randint(0, 1)).to_bytes(
                    9, "little", signed=True
                )[:8]
            case _:
                source = rng.randrange(len(data))
                out[at : at + n] = data[source : source + n]
    return bytes(out) or b"\0"


def edited(text: bytes, rng: random.Random) -> bytes:
    """Lines of a TOML file, changed in one to four places; now and then its bytes."""
    lines = text.decode().splitlines()
    for _ in range(rng.choice([1, 1, 2, 4])):
        at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        key, equals, _ = lines[at].partition(" = ")
        match rng.randrange(6):
            case 0 | 1 if equals:
                lines[at] = f"{key} = {rng.choice(VALUES)}"
            case 2 if " = " in lines[other]:  # the value of another key
                lines[at] = f"{key} = {lines[other].partition(' = ')[2]}"
            case 3:
                lines.insert(other, lines[at])
            case 4 if len(lines) > 1:
                del lines[at]
            case _:
                lines[at], lines[other] = lines[other], lines[at]
    whole = "\n".join(lines).encode()
    return mutated(whole, rng) if rng.random() < 0.2 else whole


def without_comments(path: Path) -> bytes:
    """A configuration of keys and values only."""
    lines = (line.partition(" #")[0] for line in path.read_text().splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("#")).encode()


def targets(folder: Path) -> dict[str, tuple[bytes, Change, Read]]:
    """What is read: an example of each, what changes it, and its reader."""
    day = Day(plan_of("readers").with_events(()), acts(), folder / "day")
    for _ in range(STEPS):
        day.step()
    state = day.node.engine.save()
    snapshot = write_snapshot(folder / "snapshots", day.node.engine)
    examples = folder / "examples"
    shutil.copytree(REPO / "examples", examples)
    shutil.copytree(REPO / "strategies", folder / "strategies")
    record = folder / "record"
    record.mkdir()

    def read_state(data: bytes) -> None:
        engine = native.Engine(capacity())
        engine.load(data)
        again = native.Engine(capacity())
        again.load(engine.save())
        if again.save() != engine.save():
            raise AssertionError("a state that was read is not written as it was")

    def read_file(path: Path, read: Callable[[Path], object]) -> Read:
        def run(data: bytes) -> None:
            path.write_bytes(data)
            read(path)

        return run

    config = load_node(examples / "node.toml")

    def read_limits(path: Path) -> None:
        load_toml(path, LimitSet, config.check_limits)

    return {
        "state": (state, mutated, read_state),
        "snapshot": (snapshot.read_bytes(), mutated, read_file(folder / "one.snap", read_snapshot)),
        "record": (RECORD.encode(), mutated, read_file(record / "node.json", lambda _: read_record(record))),
        "node.toml": (
            without_comments(examples / "node.toml"),
            edited,
            read_file(examples / "changed.toml", load_node),
        ),
        "limits.toml": (without_comments(config.node.limits), edited, read_file(folder / "changed.toml", read_limits)),
    }


RECORD = """{"format": 1, "kind": "node", "capacity": {"instruments_max": 2, "book_orders_max": 1024,
"orders_max": 64, "strategies_max": 2, "timers_max": 16}, "strategies": [{"id": 1, "name": "maker", "file": "maker.py",
"class_name": null, "params": {"size": 5}, "symbols": ["OBEL"], "source_hash": "00"}], "hot_dir": "/dev/shm/openbell/n",
"settings": {}}"""


def run_apart(name: str, example: bytes, change: Change, read: Read, seed: str, runs: int) -> str:
    """`runs` of one target in a process of their own; the finding, or empty."""
    sys.stdout.flush()
    progress = Path(tempfile.mkstemp(prefix="openbell-readers-")[1])
    child = os.fork()
    if child == 0:
        signal.alarm(CHUNK_S_MAX)
        try:
            _reads(example, change, read, seed, runs, progress)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(FOUND)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    at = progress.read_text()
    progress.unlink()
    return "" if code == 0 else f"FINDING: {name}, seed {seed!r}, run {at}: ended with {code}"


def _reads(example: bytes, change: Change, read: Read, seed: str, runs: int, progress: Path) -> None:
    rng = random.Random(seed)
    with progress.open("w") as file:
        for run in range(runs):
            file.seek(0)
            file.write(str(run))
            file.flush()
            data = change(example, rng)
            try:
                read(data)
            except OpenbellError:
                continue


def main() -> int:
    """Run the targets; the exit code."""
    parser = argparse.ArgumentParser(prog="make fuzz-readers", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000, help="of each target")
    parser.add_argument("--seed", default="7")
    parser.add_argument("--targets", default="", help="some of state,snapshot,record,node.toml,limits.toml")
    options = parser.parse_args()
    findings = 0
    with tempfile.TemporaryDirectory(prefix="openbell-readers-", dir="/dev/shm") as folder:
        for name, (example, change, read) in targets(Path(folder)).items():
            if options.targets and name not in options.targets.split(","):
                continue
            found = 0
            for chunk in range(0, options.runs, RUNS_A_PROCESS):
                runs = min(RUNS_A_PROCESS, options.runs - chunk)
                if finding := run_apart(name, example, change, read, f"{options.seed}/{name}/{chunk}", runs):
                    print(finding)
                    found += 1
            print(f"{name}: {options.runs} runs over {len(example)} bytes, {found} findings", flush=True)
            findings += found
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
