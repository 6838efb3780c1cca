"""A copy of the tree in which defects are planted, built and looked for, one after the other."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bugs.patches import BY_SIMULATION, Bug

REPO = Path(__file__).resolve().parents[2]
COPIED = ("native", "src", "tests", "strategies", "examples", "docs", "bench")
FILES = ("CMakeLists.txt", "pyproject.toml", "README.md", "Makefile", "CONTRIBUTING.md", "ARCHITECTURE.md")
TESTS_S = 240
"""Of the tests that have to find a defect."""
SEED = "bugs"
CONTROL = "nothing is planted"


@dataclass
class Found:
    """What became of one defect; `by` is empty where it survived."""

    name: str
    by: str
    what: str
    seeds: int
    build_s: float
    search_s: float

    def row(self) -> dict[str, object]:
        """As it stands in the file of results."""
        return asdict(self)


class BuildError(Exception):
    """The tree does not build with a defect, or without one."""


class BugBench:
    """`folder` holds the copy and its build; both are used again by the next run."""

    def __init__(self, folder: Path, processes: int) -> None:
        self.tree, self.build_dir = folder / "tree", folder / "tree" / "build" / "dev"
        self.processes = processes

    def refresh(self) -> None:
        """Make the copy what the tree is now; files that did not change keep their times, so little is built.

        Raises:
            BuildError: it does not build.
        """
        self.tree.mkdir(parents=True, exist_ok=True)
        listed = subprocess.run(
            ["git", "ls-files", *COPIED, *FILES], cwd=REPO, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for name in listed:
            copy_changed(REPO / name, self.tree / name)
        for path in [path for name in COPIED for path in (self.tree / name).rglob("*")]:
            if path.suffix in (".cpp", ".h", ".py") and str(path.relative_to(self.tree)) not in listed:
                path.unlink()
        cache = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
        configure = ["cmake", "-G", "Ninja", "-S", str(self.tree), "-B", str(self.build_dir), *cache]
        self._run([*configure, "-DOPENBELL_INPLACE=ON", "-DOPENBELL_LTO=OFF", f"-DPython_EXECUTABLE={sys.executable}"])
        self.build()

    def build(self) -> None:
        """What changed.

        Raises:
            BuildError: it does not.
        """
        self._run(["cmake", "--build", str(self.build_dir)])

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise BuildError((done.stdout + done.stderr)[-3_000:])

    def search(self, bug: Bug, seeds_max: int) -> Found:
        """Plant `bug`, build, look for it, and take it out again.

        Raises:
            PatchError: it does not apply.
            BuildError: what it makes does not build.
        """
        began = time.monotonic()
        bug.apply(self.tree)
        try:
            self.build()
            built = time.monotonic()
            by, what, seeds = self._simulate(seeds_max) if bug.found_by == BY_SIMULATION else self._test(bug.found_by)
        finally:
            bug.apply(self.tree, "-R")
        return Found(bug.name, by, what, seeds, round(built - began, 1), round(time.monotonic() - built, 1))

    def control(self, seeds_max: int, tests: Iterable[str]) -> Found:
        """The same looks where nothing is planted: what is found now would be found whatever is planted.

        Raises:
            BuildError: one of them does not run.
        """
        began = time.monotonic()
        by, what, seeds = self._simulate(seeds_max)
        for arguments in tests:
            if by:
                break
            by, what, _ = self._test(arguments)
        return Found(CONTROL, by, what if by else "", seeds, 0.0, round(time.monotonic() - began, 1))

    def _simulate(self, seeds_max: int) -> tuple[str, str, int]:
        """(who found it, what was said, seeds needed)."""
        command = [sys.executable, "-m", "tests.simulation", "--seed", SEED, "--first", "0", "--no-table"]
        limits = ["--seeds", str(seeds_max), "--no-minimise", "--batch", "10", "--processes", str(self.processes)]
        done = self._python([*command, *limits])
        said = re.search(rf"^seed {SEED}-(\d+): (.*)$", done.stdout, re.M)
        if said is None and done.returncode:
            raise BuildError(f"the simulation did not run: {(done.stdout + done.stderr)[-1_000:]}")
        if said is None:
            return "", done.stdout[-300:], seeds_max
        return BY_SIMULATION, said[2][:120], int(said[1]) + 1

    def _test(self, arguments: str) -> tuple[str, str, int]:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-x", *arguments.split()]
        done = self._python([*command, "--override-ini", "addopts="])
        failed = re.search(r"^FAILED (\S+)", done.stdout, re.M)
        if done.returncode not in (0, 1) or (done.returncode == 1 and failed is None):
            raise BuildError(f"the tests of {arguments} did not run: {(done.stdout + done.stderr)[-1_000:]}")
        return (failed[1], "", 0) if failed else ("", "every test passed", 0)

    def _python(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        paths = [self.tree / "src", self.tree / "tests", self.tree]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            command, cwd=self.tree, env=environment, capture_output=True, text=True, timeout=TESTS_S * 4
        )


def copy_changed(source: Path, target: Path) -> None:
    """Copy a file unless the copy has the same bytes."""
    if not source.is_file():
        return
    data = source.read_bytes()
    if target.is_file() and target.read_bytes() == data:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
