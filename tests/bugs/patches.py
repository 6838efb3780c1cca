"""The planted defects: one patch each, with a header that says what is wrong and who has to find it.

defect: what the program does then
listed: its names in the list of realistic defects, where it has one of its kind; else none
found-by: sim, or the tests that find it (arguments of pytest)

diff --git ...
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
BY_SIMULATION = "sim"
HEADER = ("defect", "listed", "found-by")
LISTED = [
    "double-apply a re-sent execution",
    "skip risk on replace",
    "forget in-flight quantity in exposure",
    "reset id counter on restart",
    "fsync after send",
    "ignore fsync error",
    "accept torn last frame",
    "snapshot before its records are durable",
    "hash omits a field",
    "dict/set order leaks into output",
    "wall clock used in timeout",
    "float in P&L",
    "sign error on sell cancel",
    "partial fill then cancel leaves leaves",
    "fill after cancel dropped",
    "bust applied twice",
    "unknown treated as dead",
    "resend under new id after timeout",
    "kill blocks on strategy lock",
    "kill lost over restart",
    "kill does not cover one venue",
    "limit check then update race",
    "limit unit x1000",
    "stale limit set after reload",
    "book served during gap",
    "A/B line arbitration drops a packet",
    "snapshot merged at wrong sequence",
    "crossed book ignored",
    "auction treated as continuous",
    "calendar off by a day",
    "lease checked once per second",
    "epoch not in client id",
    "standby sends before reconcile",
    "two standbys claim",
    "reconciliation silently adopts",
    "queue overflow drops order event",
    "alert emitted but not routed",
    "approver equals proposer accepted",
    "audit write failure ignored",
    "secret in repr",
    "decoder trusts length",
    "leap second moves time backwards",
    "mixed-version field misread",
]
"""Realistic defects of trading systems, as a catalogue names them."""
NOT_LISTED = "none"


class PatchError(Exception):
    """A patch cannot be read, or does not apply any more; the message says what to do."""


@dataclass(frozen=True)
class Bug:
    """One planted defect."""

    name: str
    path: Path
    defect: str
    listed: str
    found_by: str

    def files(self) -> list[str]:
        """What it changes, from the root of the tree."""
        lines = self.path.read_text().splitlines()
        return [line.removeprefix("+++ b/") for line in lines if line.startswith("+++ b/")]

    def apply(self, tree: Path, *options: str) -> None:
        """Plant it in `tree`; `--check` only asks, `-R` takes it out.

        Raises:
            PatchError: it does not apply.
        """
        # A copy below a repository is no part of it: git would leave out every file of the patch, and say nothing.
        alone = os.environ | {"GIT_CEILING_DIRECTORIES": str(tree.resolve().parent)}
        command = ["git", "apply", *options, str(self.path)]
        done = subprocess.run(command, cwd=tree, env=alone, capture_output=True, text=True)
        if done.returncode:
            raise PatchError(
                f"{self.path.name}: expected the source that it changes, found another one: {done.stderr.strip()}; "
                f"plant the same defect ({self.defect}) by hand in {', '.join(self.files())}, and put `git diff` below "
                "the header of the patch"
            )


def read_bug(path: Path) -> Bug:
    """The defect in a file.

    Raises:
        PatchError: its header is not whole.
    """
    text = path.read_text()
    head = dict(line.split(": ", 1) for line in text.partition("\n\n")[0].splitlines() if ": " in line)
    if missing := [name for name in HEADER if not head.get(name)]:
        raise PatchError(f"{path.name}: expected a header with {', '.join(HEADER)}, found no {missing[0]}")
    return Bug(path.stem, path, head["defect"], head["listed"], head["found-by"])


def all_bugs() -> list[Bug]:
    """By name.

    Raises:
        PatchError: one of them cannot be read.
    """
    return [read_bug(path) for path in sorted(FOLDER.glob("*.patch"))]
