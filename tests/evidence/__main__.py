"""What has been shown of durability so far, what is missing, and some of it now: `make evidence MINUTES=30`.

Each campaign is a command of its own whose rows add up over runs, in one folder. A row carries its commit and a hash of
native/ and src/openbell. Counted are rows of the code as it lies there, and with `--since COMMIT` those of every commit
from that one on: who says so says that nothing since then could have made an older row untrue. Rows of other code are
counted apart and prove nothing. What a counted row found wrong stays wrong until the code it was found in is left out.
Exit code 0: complete; 1: something was found wrong; 2: some of it is still missing.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from bench.stamp import REPO
from rich.console import Console
from tests.evidence.campaigns import CAMPAIGNS, Campaign, rows_in
from tests.evidence.making import Ask
from tests.evidence.report import Codes, look, report


def main() -> int:
    """Gather for some minutes, then say what is still missing."""
    names = [campaign.name for campaign in CAMPAIGNS]
    parser = argparse.ArgumentParser(prog="make evidence", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=0.0, help="0: only say what is there")
    parser.add_argument("--only", choices=sorted(names), action="append", help="a campaign; also those that take long")
    parser.add_argument("--since", default="", help="a commit: rows of it and of what came after it count")
    parser.add_argument("--folder", type=Path, default=REPO / "run/evidence", help="of the rows")
    asked = parser.parse_args()
    chosen = [one for one in CAMPAIGNS if (one.name in asked.only if asked.only else not one.is_long)]
    try:
        codes = Codes.of(asked.since)
    except ValueError as error:
        parser.error(str(error))
    if asked.minutes:
        gather(chosen, asked.folder, codes, time.monotonic() + asked.minutes * 60)
    console = Console(width=None if sys.stdout.isatty() else 140)
    return report(console, rows_in(asked.folder), codes)


def gather(chosen: list[Campaign], folder: Path, codes: Codes, give_up: float) -> None:
    """Run what lacks something, each for a part of the time, until nothing is added any more."""
    before = -1
    while (seconds := give_up - time.monotonic()) > 0 and len(rows_in(folder)) > before:
        rows = rows_in(folder)
        before = len(rows)
        shown = [look(campaign, rows, codes) for campaign in chosen]
        short = [one for one in shown if one.missing or one.short]
        for one in short:
            missing = one.missing or one.campaign.wanted / 10
            one.campaign.run(Ask(missing, max(1.0, seconds / len(short)), folder / one.campaign.file_name))


if __name__ == "__main__":
    sys.exit(main())
