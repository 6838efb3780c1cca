"""Any bytes as a snapshot, an engine's state, a record of a run or a configuration: read, or refused by a typed error.

    make fuzz-readers ARGS="--runs 100000 --seed 7"

The inputs are real ones, changed in a few places by a seed. Runs go in processes of their own: one that dies or raises
anything but openbell's own errors is a finding, printed with what makes it again. Native memory errors show when the
core is built with sanitizers (CONTRIBUTING.md, `make sanitize`).
"""

import argparse
import os
import random
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from tests.simulation.world import World, capacity

from configurations import limits_toml
from openbell import _native as native
from openbell.errors import OpenbellError, SnapshotError
from openbell.node.config import load_node
from openbell.node.record import read_record
from openbell.node.snapshots import read_snapshot, write_snapshot

REPO = Path(__file__).resolve().parents[3]
RUNS_A_PROCESS = 2_000
STEPS = 400
EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x22, 0x2E, 0x3D, 0x5B, 0x2D)
FOUND = 11

Read = Callable[[bytes], None]


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


def targets(folder: Path) -> dict[str, tuple[bytes, Read]]:
    """What is read: an example of each, and its reader."""
    world = World("readers", folder / "world")
    for _ in range(STEPS):
        world.step()
    state = world.engine.save()
    snapshot = write_snapshot(folder / "snapshots", world.engine)
    (folder / "limits.toml").write_text(limits_toml())
    example = (REPO / "examples/node.toml").read_bytes()
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

    limits = read_file(folder / "limits.toml", lambda _: load_node(folder / "node.toml"))

    def read_limits(data: bytes) -> None:
        (folder / "node.toml").write_bytes(example)
        limits(data)

    run_record = RECORD.encode()
    return {
        "state": (state, read_state),
        "snapshot": (snapshot.read_bytes(), read_file(folder / "one.snap", read_snapshot)),
        "record": (run_record, read_file(record / "node.json", lambda _: read_record(record))),
        "node.toml": (example, read_file(folder / "node.toml", load_node)),
        "limits.toml": ((REPO / "examples/limits.toml").read_bytes(), read_limits),
    }


RECORD = """{"format": 1, "kind": "node", "capacity": {"instruments_max": 2, "book_orders_max": 1024,
"orders_max": 64, "strategies_max": 2, "timers_max": 16}, "strategies": [{"id": 1, "name": "maker", "file": "maker.py",
"class_name": null, "params": {"size": 5}, "symbols": ["OBEL"], "source_hash": "00"}], "hot_dir": "/dev/shm/openbell/n",
"settings": {}}"""


def _run(name: str, example: bytes, read: Read, seed: str, runs: int) -> str:
    """`runs` of one target in a process of their own; the finding, or empty."""
    sys.stdout.flush()
    progress = Path(tempfile.mkstemp(prefix="openbell-readers-")[1])
    child = os.fork()
    if child == 0:
        try:
            _reads(example, read, seed, runs, progress)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(FOUND)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    at = progress.read_text()
    progress.unlink()
    return "" if code == 0 else f"FINDING: {name}, seed {seed!r}, run {at}: ended with {code}"


def _reads(example: bytes, read: Read, seed: str, runs: int, progress: Path) -> None:
    rng = random.Random(seed)
    with progress.open("w") as file:
        for run in range(runs):
            file.seek(0)
            file.write(str(run))
            file.flush()
            data = mutated(example, rng)
            try:
                read(data)
            except (OpenbellError, SnapshotError):
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
        for name, (example, read) in targets(Path(folder)).items():
            if options.targets and name not in options.targets.split(","):
                continue
            found = 0
            for chunk in range(0, options.runs, RUNS_A_PROCESS):
                runs = min(RUNS_A_PROCESS, options.runs - chunk)
                if finding := _run(name, example, read, f"{options.seed}/{name}/{chunk}", runs):
                    print(finding)
                    found += 1
            print(f"{name}: {options.runs} runs over {len(example)} bytes, {found} findings", flush=True)
            findings += found
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
