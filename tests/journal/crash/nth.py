"""The n-th call fails, for every n: each ends in an error that teaches or in the stated policy, and loses nothing.

    python -m journal.crash.nth [--every 1] [--seed 7]

A small life of a journal (start, append, archive, seal, pack, snapshot, close, recovery with and without its hot
segments) is run again and again, each time in a process of its own, and each time another call on its files fails:
with EIO, ENOSPC, EROFS, EMFILE, EINTR, as half a write, once or from then on. Then every allocation of native code
fails once, and every start of a thread; and every allocation at the start and in the first steps of a whole node, which
has to agree with its venue after the next one. Afterwards the disk is sound again: whatever had been appended must be
there, and whatever had been promised must be there even if the power had gone in that moment.
"""

import argparse
import errno
import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from bench.stamp import stamp

from journal.crash.disk_model import Disk
from journal.crash.lives import OPTIONS, Life, folders, frames_of, removed_frames
from journal.crash.recovers import ViolationError, check
from journal.crash.shim import SHORT, Shim, be_seen
from journal.crash.trace import Call, read_trace
from openbell import _native as native
from openbell.errors import OpenbellError
from openbell.journal import Archiver, JournalWriter

FAULTS = {name: getattr(errno, name) for name in ("EIO", "ENOSPC", "EROFS", "EMFILE", "EINTR")} | {"SHORT": SHORT}
CALLS_MAX = 20_000
MET, WRONG = 10, 11
ALLOCATION, THREAD, NODE = "allocation", "thread", "allocation of a node"
NODE_STEPS = 40
"""Of a simulated node before it dies and is started again, and then while allocations fail."""
TAUGHT = (OpenbellError, OSError, MemoryError)
"""What a failure may end in; anything else is a traceback that nobody meant."""


Fault = tuple[Callable[[int], None], Callable[[int], bool]]
"""What lets the n-th fail, and whether there was an n-th."""


def _calls(fault: int, lasting: bool) -> Callable[[Shim], Fault]:
    return lambda shim: (lambda n: shim.arm(n, fault, lasting=lasting), lambda _: bool(shim.met))


LOOPS: dict[str, Callable[[Shim], Fault]] = {
    **{name: _calls(fault, False) for name, fault in FAULTS.items()},
    # Who is interrupted for ever waits for ever.
    **{f"{name} from then on": _calls(fault, True) for name, fault in FAULTS.items() if name != "EINTR"},
    ALLOCATION: lambda shim: (shim.arm_allocation, lambda n: shim.allocations >= n),
    THREAD: lambda shim: (shim.arm_thread, lambda n: shim.threads >= n),
    NODE: lambda shim: (shim.arm_allocation, lambda n: shim.allocations >= n),
}
Case = Callable[[Shim, Path, Path, int, Callable[[], None], Callable[[], bool]], tuple[bool, str]]


@dataclass
class Counts:
    """What was done: in one loop, or in several."""

    runs: int = 0
    aborted: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, other: "Counts") -> None:
        self.runs += other.runs
        self.aborted += other.aborted
        self.wrong += other.wrong


class Run:
    """One life of a journal in which something fails: what was appended and what was promised."""

    def __init__(self, journal: Path, hot: Path, seed: int) -> None:
        self.journal, self.hot, self.rng = journal, hot, random.Random(seed)
        self.appended = self.promised = self.errors = 0
        self.first_error = ""

    def attempt(self, what: Callable[[], object]) -> bool:
        """Do one thing that may fail, as its process would: an error ends it and nothing else."""
        try:
            what()
        except TAUGHT as error:
            self.errors += 1
            self.first_error = self.first_error or f"{type(error).__name__}: {error}"
            return False
        finally:
            if life := getattr(self, "life", None):
                self.appended = max(self.appended, life.writer.last_seq)
                self.promised = max(self.promised, life.writer.durable_seq)
        return True

    def begin(self) -> None:
        self.life = Life(self.journal, self.hot, self.rng)

    def end(self) -> None:
        self.life.writer.close()
        del self.life

    def reopen(self) -> None:
        """Recovery, with the hot segments of the life before."""
        JournalWriter(str(self.journal), str(self.hot), **OPTIONS).close()

    def go(self) -> None:
        if self.attempt(self.begin):
            for _ in range(3):
                for step in (self.life.append, self.life.append, self.life.append, self.life.archive):
                    self.attempt(step)
                for step in (self.life.seal, self.life.snapshot, self.life.record):
                    self.attempt(step)
            self.attempt(self.life.retain)
            self.attempt(self.end)
        self.attempt(self.reopen)
        self.attempt(self.engine)

    def engine(self) -> None:
        """What else a node makes at its start, and recovery of its state."""
        capacity = native.EngineCapacity()
        capacity.instruments_max = capacity.strategies_max = 2
        capacity.book_orders_max, capacity.orders_max = 1024, 64
        engine = native.Engine(capacity)
        engine.load(engine.save())
        native.KillCell.open(str(self.hot / "kill"))
        native.Counters.open(str(self.hot / "counters"))


def _case(
    shim: Shim, journal: Path, hot: Path, seed: int, arm: Callable[[], None], is_met: Callable[[], bool]
) -> tuple[bool, str]:
    """One run in this process: whether it met the fault, and what was wrong with how it went."""
    run, trace = Run(journal, hot, seed), journal.parent.parent / "trace"
    journal.parent.mkdir()
    with shim.watching(journal.parent, hot, control=hot / "journal.ctl"), shim.recording(trace):
        arm()
        run.go()
        met = is_met()
        shim.disarm()
    run.__dict__.pop("life", None)  # its process has ended, and with it its locks
    calls = [c for c in read_trace(trace, journal.parent) if not c.name.startswith(str(hot))]
    return met, _what_is_left(run, journal, hot) or _what_a_cut_leaves(run, calls, journal, hot)


def _node_case(
    shim: Shim, journal: Path, _: Path, seed: int, arm: Callable[[], None], is_met: Callable[[], bool]
) -> tuple[bool, str]:
    """The same for a node that has died and starts again: whether the one after it agrees with journal and venue."""
    from tests.simulation.day import Day
    from tests.simulation.faults import acts
    from tests.simulation.session import judge_books, judge_journal, judge_ledger, model_of, plan_of

    day = Day(plan_of(f"nth {seed}").with_events(()), acts(), journal.parent)
    for _step in range(NODE_STEPS):
        day.step()
    day.node.die()
    arm()
    try:
        day.node.start()
        for _step in range(NODE_STEPS):
            day.market.step()
            day.node.step()
    except TAUGHT:
        day.node.die()
    met = is_met()
    shim.disarm()
    try:
        day.heal()
        judge_books(day)
        day.wind_down()
        model = model_of(day)
        judge_ledger(day, model)
        judge_journal(day, model)
    except AssertionError as broken:
        return met, str(broken)
    return met, ""


def _what_is_left(run: Run, journal: Path, hot: Path) -> str:
    """The process died with its error; on a sound disk the next one finds everything appended."""
    writer = JournalWriter(str(journal), str(hot), **OPTIONS)
    if writer.last_seq != run.appended:
        return f"expected all {run.appended} frames after a restart, found {writer.last_seq}; {run.first_error}"
    writer.append(1, 16, 48, np.ones(48, np.uint8))
    archiver = Archiver(str(hot), str(journal))
    while archiver.run_once():
        pass
    if writer.durable_seq != run.appended + 1:
        return f"expected frame {run.appended + 1} durable on a sound disk, found {writer.durable_seq}"
    writer.close()
    return ""


def _what_a_cut_leaves(run: Run, calls: list[Call], journal: Path, hot: Path) -> str:
    """The power had gone after the last call, and what was not synced with it."""
    disk = Disk()
    for call in calls:
        disk.apply(call)
    frames = removed_frames(journal) | frames_of(journal, hot)
    for image in disk.images(2, random.Random(0)):
        try:
            check(image, frames, run.promised, 0)
        except ViolationError as violation:
            return f"{violation}; {run.first_error}"
    return ""


def _in_a_process(
    case: Case, shim: Shim, seed: int, arm: Callable[[], None], is_met: Callable[[], bool]
) -> tuple[int, str]:
    """How one run in a process of its own ended, and what was wrong."""
    sys.stdout.flush()
    with folders() as (journal, hot):
        if (child := os.fork()) == 0:
            try:
                met, wrong = case(shim, journal, hot, seed, arm, is_met)
                if wrong:
                    print(f"  {wrong}", flush=True)
                os._exit(WRONG if wrong else MET if met else 0)
            except BaseException:
                traceback.print_exc()
                os._exit(WRONG)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code == -signal.SIGABRT:
            JournalWriter(str(journal), str(hot), **OPTIONS).close()
    return code, "" if code in (0, MET) else f"it ended with {code}"


def loop(shim: Shim, name: str, every: int, seed: int) -> Counts:
    """Fail one n after another until a run meets none; how many runs, and which went wrong.

    Raises:
        AssertionError: there is no such run.
    """
    counts, case, (arm, is_met) = Counts(), _node_case if name == NODE else _case, LOOPS[name](shim)
    for n in range(1 + seed % every, CALLS_MAX, every):
        code, wrong = _in_a_process(case, shim, seed, lambda n=n: arm(n), lambda n=n: is_met(n))
        if code == -signal.SIGABRT and name in (
            ALLOCATION,
            NODE,
        ):  # of an argument on its way from Python: as by kill -9
            counts.aborted += 1
        elif wrong:
            counts.wrong.append(f"{name} at {n}, seed {seed}: {wrong}")
            print(f"WRONG: {counts.wrong[-1]}")
        if code == 0:
            return counts
        counts.runs += 1
    raise AssertionError(f"{name}: expected a run without a fault within {CALLS_MAX}, found none")


def _gone_through(evidence: Path | None, every: int, seed: int) -> set[str]:
    """Loops of which this code has a row already."""
    if evidence is None or not evidence.is_file():
        return set()
    rows = [json.loads(line) for line in evidence.read_text().splitlines()]
    same = stamp()["code"], every, seed
    return {row["loop"] for row in rows if (row["code"], row["every"], row["seed"]) == same}


def main() -> int:
    """Every loop; the exit code."""
    parser = argparse.ArgumentParser(
        prog="make nth", description="The n-th call of a journal's life fails, for every n."
    )
    parser.add_argument("--every", type=int, default=1, help="only one n in so many")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", choices=list(LOOPS), action="append", help="a loop")
    parser.add_argument("--budget-seconds", type=float, default=float("inf"), help="begin no loop after so long")
    parser.add_argument(
        "--evidence", type=Path, help="a line of JSON per loop; what this code has there is not done again"
    )
    options = parser.parse_args()
    be_seen("journal.crash.nth")
    shim, total, began = Shim(), Counts(), time.monotonic()
    before = _gone_through(options.evidence, options.every, options.seed)
    for name in (one for one in options.only or LOOPS if one not in before):
        if time.monotonic() - began > options.budget_seconds:
            break
        loop_began = time.monotonic()
        counts = loop(shim, name, options.every, options.seed)
        seconds = round(time.monotonic() - loop_began, 1)
        print(f"{name}: {counts.runs} failed in turn, {len(counts.wrong)} wrong, {seconds} s", flush=True)
        total.add(counts)
        if options.evidence:
            options.evidence.parent.mkdir(parents=True, exist_ok=True)
            row = {"kind": "nth", **stamp(), "loop": name, "every": options.every, "seed": options.seed}
            with options.evidence.open("a") as file:
                print(json.dumps(row | asdict(counts) | {"seconds": seconds}), file=file)
    print(
        f"seed {options.seed}: {total.runs} calls and allocations failed, {total.aborted} ended the "
        f"process as a kill does, {len(total.wrong)} wrong"
    )
    return 1 if total.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
