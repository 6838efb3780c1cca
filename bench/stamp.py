"""Which code made a row of evidence: its commit, and one hash of native/ and src/openbell as they were.

The hash is of git's own blobs, so that of an old commit can be told without checking it out, and a tree that was
changed by hand has another one than its commit. A core that is older than its sources is none of them.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
CODE = ("native", "src/openbell")
UNKNOWN, STALE = "unknown", "not built"
NOT_IN_CORE = ("fuzz", "stress", "faults")
"""Folders of native/ of which the core holds nothing."""
DIGITS = 12


@cache
def stamp() -> dict[str, str]:
    """What a row says of the tree that runs. Looked up once: a process does not change its code."""
    commit = _git(REPO, "rev-parse", "--short=12", "HEAD").strip() or UNKNOWN
    core = find_spec("openbell._native")
    is_built = core is not None and core.origin is not None and is_newer(Path(core.origin), REPO / "native")
    return {"commit": commit, "code": code_of_tree() if is_built else STALE}


def is_newer(core: Path, native: Path) -> bool:
    """Whether it was built after its sources were changed last."""
    sources = (path for path in native.rglob("*") if path.suffix in (".h", ".cpp"))
    changed = [path.stat().st_mtime for path in sources if path.relative_to(native).parts[0] not in NOT_IN_CORE]
    return core.stat().st_mtime >= max(changed)


def code_of_tree(repo: Path = REPO) -> str:
    """The hash of the files as they lie there, committed or not."""
    listed = _git(repo, "ls-files", "-co", "--exclude-standard", "--", *CODE).splitlines()
    names = sorted({name for name in listed if (repo / name).is_file()})
    blobs = _git(repo, "hash-object", "--stdin-paths", given="\n".join(names)).splitlines() if names else []
    return _hash(zip(names, blobs, strict=True))


@cache
def code_of_commit(commit: str, repo: Path = REPO) -> str:
    """The hash of a commit's files; of one that this repository does not have, `unknown`."""
    listed = _git(repo, "ls-tree", "-r", commit, "--", *CODE).splitlines()
    rows = [line.partition("\t") for line in listed]
    return _hash((name, head.split()[2]) for head, _, name in rows)


def commits_since(first: str, repo: Path = REPO) -> list[str]:
    """`first` and what was committed after it, up to what is checked out.

    Raises:
        ValueError: what is checked out does not stand on it.
    """
    command = ["git", "-C", str(repo), "merge-base", "--is-ancestor", first, "HEAD"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        raise ValueError(f"expected a commit on which this tree stands, found {first!r}; see git log")
    later = _git(repo, "rev-list", f"{first}..HEAD").split()
    return [*later, _git(repo, "rev-parse", first).strip()]


def _hash(files: Iterable[tuple[str, str]]) -> str:
    lines = [f"{blob} {name}\n" for name, blob in sorted(files)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:DIGITS] if lines else UNKNOWN


def _git(repo: Path, *words: str, given: str = "") -> str:
    command = ["git", "-C", str(repo), *words]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False).stdout
