"""Plants every known defect in a copy of the tree; simulation or tests must find each: `make bugbench`.

A survivor fails the run. Before them the same looks are had at the tree without a defect: where they find something,
to have found a defect says nothing. Results are kept with the code, so the next run goes on with what is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from bench.stamp import stamp
from tests.bugs.bench import CONTROL, REPO, BugBench, BuildError, Found
from tests.bugs.patches import BY_SIMULATION, Bug, PatchError, all_bugs

SEEDS_MAX = 500


def main() -> int:
    """Run what is missing; 1 if one survived or does not apply."""
    parser = argparse.ArgumentParser(prog="make bugbench", description="Planted defects that must be found.")
    parser.add_argument("--only", default="", help="names, by comma")
    parser.add_argument("--seeds", type=int, default=SEEDS_MAX, help="of the simulation, for each defect")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="of the simulation")
    parser.add_argument("--folder", type=Path, default=REPO / "build" / "bugs", help="of the copy and the results")
    parser.add_argument("--again", action="store_true", help="also those that were found at this commit")
    parser.add_argument("--evidence", type=Path, help="of the results; else found.jsonl in the folder")
    wanted = parser.parse_args()
    results = wanted.evidence or wanted.folder / "found.jsonl"
    known = {} if wanted.again else found_before(results)
    names = wanted.only.split(",") if wanted.only else None
    bugs = [bug for bug in all_bugs() if names is None or bug.name in names]
    bench, lost = BugBench(wanted.folder, wanted.processes), []
    print(f"{len(bugs)} defects, {sum(bug.name in known for bug in bugs)} of them found before; building", flush=True)
    bench.refresh()
    if not is_clean(bench, bugs, known, wanted.seeds, results):
        return 1
    for bug in bugs:
        if bug.name in known:
            print(line(known[bug.name]))
            continue
        try:
            found = bench.search(bug, wanted.seeds)
        except (PatchError, BuildError, subprocess.TimeoutExpired) as error:
            found = Found(bug.name, "", f"{type(error).__name__}: {error}", 0, 0.0, 0.0)
        print(line(found), flush=True)
        if found.by:
            keep(results, found)
        else:
            lost.append(bug)
    for bug in lost:
        print(f"survived: {bug.name}: {bug.defect} It has to be found by {bug.found_by}.")
    print(f"{len(bugs) - len(lost)} of {len(bugs)} found")
    return int(bool(lost))


def is_clean(bench: BugBench, bugs: list[Bug], known: dict[str, Found], seeds: int, results: Path) -> bool:
    """Whether the same seeds and tests find nothing in the tree without a defect; looked at once."""
    before = known.get(CONTROL)
    if before is None or before.by or before.seeds < seeds:
        before = bench.control(seeds, sorted({bug.found_by for bug in bugs} - {BY_SIMULATION}))
        keep(results, before)
    verdict = f"{before.by} finds {before.what}" if before.by else "nothing is found"
    print(f"{CONTROL}: {verdict} in {before.seeds} seeds and the tests, {before.search_s} s", flush=True)
    if before.by:
        print("a defect that is found now says nothing: mend this first")
    return not before.by


def keep(results: Path, found: Found) -> None:
    """A line more."""
    results.parent.mkdir(parents=True, exist_ok=True)
    with results.open("a") as file:
        file.write(json.dumps({"kind": "bug", **stamp(), **found.row()}) + "\n")


def found_before(results: Path) -> dict[str, Found]:
    """What was found at this commit, and with this code."""
    if not results.is_file():
        return {}
    rows = [json.loads(text) for text in results.read_text().splitlines()]
    names, same = list(Found.__dataclass_fields__), stamp()
    return {row["name"]: Found(*(row[name] for name in names)) for row in rows if same.items() <= row.items()}


def line(found: Found) -> str:
    """For people."""
    seeds = f"{found.seeds} seeds" if found.seeds else ""
    by = found.by or "NOBODY"
    return f"{found.name:<36}{by:<12.60} {seeds:>9} {found.build_s:>6.1f} s {found.search_s:>6.1f} s  {found.what[:90]}"


if __name__ == "__main__":
    sys.exit(main())
