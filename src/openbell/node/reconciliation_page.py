"""What reconciliation found last, for whoever must not go on while books differ: one small file in the hot directory.

Breaks themselves are in the journal. This says only what stands now, and that somebody still compares.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

FILE = "reconciliation"
STALE_ROUNDS = 10
STALE_LEAST_NS = 5 * 10**9


def write_page(hot_dir: Path, now_ns: int, every_ns: int, breaks: Sequence[str]) -> None:
    """A round has ended at `now_ns`, of many every `every_ns`, with these open."""
    whole = hot_dir / f"{FILE}.new"
    whole.write_text(json.dumps({"now_ns": now_ns, "every_ns": every_ns, "breaks": list(breaks)}))
    whole.replace(hot_dir / FILE)


def begin_page(hot_dir: Path, now_ns: int, every_ns: int) -> None:
    """A node begins: somebody will compare `every_ns`, or nobody (0)."""
    if every_ns:
        write_page(hot_dir, now_ns, every_ns, ["no comparison since the start"])
    else:
        (hot_dir / FILE).unlink(missing_ok=True)


def open_breaks(hot_dir: Path, now_ns: int) -> list[str]:
    """What stands; that nobody compares any more, where somebody did; nothing where nobody ever has."""
    file = hot_dir / FILE
    if not file.is_file():
        return []
    page = json.loads(file.read_text())
    silent_ns = now_ns - page["now_ns"]
    if silent_ns > max(STALE_ROUNDS * page["every_ns"], STALE_LEAST_NS):
        return [f"no comparison for {silent_ns / 1e9:.0f} s", *page["breaks"]]
    return list(page["breaks"])


def compared_ns(hot_dir: Path) -> int:
    """When the last round ended; 0 where nobody ever compares."""
    file = hot_dir / FILE
    return int(json.loads(file.read_text())["now_ns"]) if file.is_file() else 0
