"""Power cuts: every call that changes the disk recorded, the images a cut could leave recovered, one by one.

    make images ARGS="--scenarios 200 --seed 7 --budget-seconds 300 --evidence build/images.jsonl"

A scenario is a few lives of a journal's processes; after every call that it made, the images that a power cut could
leave at that moment are made (disk_model.py), all of them where they are few, else a sample by the seed, some torn
within a sector. Each different one is recovered by the real code and held against what had been promised
(recovers.py). Some become the disk on which the journal lives on and loses power again: recovery is cut as well.

With --evidence a run goes on where the last one ended, and adds up. A violation is printed with what makes it again,
and the exit code is 1. --plant puts a defect into what was recorded, and then a violation has to be found.
"""

import argparse
import hashlib
import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.stamp import stamp

from journal.crash.disk_model import Disk, Image
from journal.crash.lives import Story, record
from journal.crash.recovers import ViolationError, check
from journal.crash.shim import Shim, be_seen
from journal.crash.trace import Call, Kind

EXHAUSTIVE_EVERY = 4
"""One scenario in so many is so small that every image is made."""
EXHAUSTIVE_MAX = 2048
SAMPLE = 16
TORN = 3
SECOND_CUTS = 2
"""Images of a scenario on which the journal lives on and loses power again."""
VIOLATIONS_MAX = 10


@dataclass
class Counts:
    """What was done: of one scenario, or of many."""

    scenarios: int = 0
    calls: int = 0
    cuts: int = 0
    exhausted: int = 0
    images: int = 0
    second: int = 0
    violations: list[str] = field(default_factory=list)

    def add(self, other: "Counts") -> None:
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)


def planted(calls: list[Call], defect: str) -> list[Call]:
    """The calls of a program with a defect."""
    match defect:
        case "":
            return calls
        case "skip-sync":
            return [c for c in calls if not (c.kind == Kind.SYNC and c.name.endswith(".seg"))]
        case "skip-sync-names":
            return [c for c in calls if c.kind != Kind.SYNC_NAMES]
        case "skip-sync-epoch":
            return [c for c in calls if not (c.kind == Kind.SYNC and c.name.endswith("EPOCH.new"))]
        case "ack-before-sync":
            later = [*calls[1:], calls[-1]]
            return [
                c._replace(durable_seq=next_.durable_seq) if c.kind == Kind.SYNC else c
                for c, next_ in zip(calls, later, strict=True)
            ]
        case "sync-before-write":
            out = list(calls)
            for i in range(1, len(out)):
                if out[i].kind == Kind.SYNC and out[i - 1].kind == Kind.WRITE and out[i].name.endswith(".seg"):
                    out[i - 1], out[i] = out[i], out[i - 1]._replace(durable_seq=out[i].durable_seq)
            return out
    raise SystemExit(f"expected one of {DEFECTS}, found {defect}")


DEFECTS = ["skip-sync", "skip-sync-names", "skip-sync-epoch", "ack-before-sync", "sync-before-write"]


class Cutter:
    """Cuts the power in one scenario after another."""

    def __init__(self, shim: Shim, seed: str, defect: str = "") -> None:
        self.shim, self.seed, self.defect = shim, seed, defect

    def scenario(self, number: int) -> Counts:
        """One scenario, and the second cuts of some of its images."""
        name = f"{self.seed}/{number}"
        is_small = number % EXHAUSTIVE_EVERY == 0
        story = record(self.shim, name, steps_max=4 if is_small else 14)
        counts = Counts(scenarios=1)
        kept = self._cut(name, story, counts, EXHAUSTIVE_MAX if is_small else SAMPLE, 0, 0)
        rng = random.Random(name)
        for i, (image, promised_seq, promised_epoch) in enumerate(rng.sample(kept, min(SECOND_CUTS, len(kept)))):
            again = record(self.shim, f"{name}/{i}", image, story.frames, steps_max=4)
            before = counts.images
            self._cut(f"{name}/{i}", again, counts, SAMPLE, promised_seq, promised_epoch)
            counts.second += counts.images - before
        return counts

    def _cut(
        self, name: str, story: Story, counts: Counts, limit: int, promised_seq: int, promised_epoch: int
    ) -> list[tuple[Image, int, int]]:
        rng, seen, kept = random.Random(name), set(), []
        disk = Disk(story.before)
        sector = rng.choice([512, 512, 4096])
        calls = planted(story.calls, self.defect)
        counts.calls += len(calls)
        for at, call in enumerate(calls):
            counts.cuts += 1
            promised = max(promised_seq, call.durable_seq), max(promised_epoch, call.epoch)
            for image in self._images(disk, limit, sector, rng):
                digest = _digest(image, *promised)
                if digest in seen or len(counts.violations) >= VIOLATIONS_MAX:
                    continue
                seen.add(digest)
                counts.images += 1
                try:
                    check(image, story.frames, *promised)
                except ViolationError as violation:
                    counts.violations.append(f"{name}, before call {at} ({call}): {violation}")
                    continue  # no journal lives on there
                if rng.random() < 0.05:
                    kept.append((image, *promised))
            disk.apply(call)
        return kept

    def _images(self, disk: Disk, limit: int, sector: int, rng: random.Random) -> Iterator[Image]:
        yield from disk.images(limit, rng, sector)
        yield from disk.torn_images(TORN, rng)


def _digest(image: Image, *promised: int) -> bytes:
    digest = hashlib.blake2b(repr(promised).encode(), digest_size=16)
    for name in sorted(image):
        digest.update(f"{name}:{len(image[name])}:".encode() + image[name])
    return digest.digest()


def main() -> int:
    """Run the scenarios that are missing; the exit code."""
    parser = argparse.ArgumentParser(prog="make images", description="Power cuts of the journal's disk, recovered.")
    parser.add_argument("--scenarios", type=int, default=40)
    parser.add_argument("--seed", default="7")
    parser.add_argument("--budget-seconds", type=float, default=600.0)
    parser.add_argument("--evidence", type=Path, help="a line of JSON per scenario; what is there is not done again")
    parser.add_argument("--plant", default="", help=f"one of {', '.join(DEFECTS)}")
    options = parser.parse_args()
    be_seen("journal.crash.images")
    total, done = Counts(), set()
    if options.evidence and options.evidence.exists():
        for line in options.evidence.read_text().splitlines():
            entry = json.loads(line)
            if entry["seed"] == options.seed:
                done.add(entry["scenario"])
                total.add(Counts(**{name: entry[name] for name in Counts.__dataclass_fields__}))
    cutter, began = Cutter(Shim(), options.seed, options.plant), time.monotonic()
    for number in (n for n in range(options.scenarios) if n not in done):
        if time.monotonic() - began > options.budget_seconds:
            break
        counts = cutter.scenario(number)
        total.add(counts)
        if options.evidence:
            options.evidence.parent.mkdir(parents=True, exist_ok=True)
            with options.evidence.open("a") as file:
                what = {"kind": "images", **stamp(), "seed": options.seed, "scenario": number}
                file.write(json.dumps(what | asdict(counts)) + "\n")
        for violation in counts.violations:
            print(f"VIOLATION {violation}")
        if counts.violations and options.plant:
            break
    print(
        f"seed {options.seed}: {total.scenarios} of {options.scenarios} scenarios, {total.calls} calls, "
        f"{total.images} different images ({total.second} after a second cut), {len(total.violations)} violations, "
        f"{time.monotonic() - began:.0f} s now"
    )
    return 1 if total.violations else 0


if __name__ == "__main__":
    sys.exit(main())
