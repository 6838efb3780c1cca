"""The planted defects: one patch each, with a header that says what is wrong and who has to find it.

defect: what the program does then
listed: its names in the list of realistic defects
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
