"""A day of the exchange at full size: sessions over sockets, cuts, kill -9, recovery; then its accounts are compared.

    python -m bench.exchange_soak [--sessions 1000] [--orders 10000000] [--seed 1] [--folder DIR]

A process of `openbell exchange` with a journal takes the orders of all sessions, half in OUCH 4.2 and half in 5.0;
sessions are cut and resume all the time. The venue is killed in the middle and at the end. The exit code is 1 if the
ledger and the clients' reports are not one account, if the venue is another one after recovery, or if its memory grows.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn
from rich.table import Table

from bench.exchange_soak.play import Outcome, bytes_per_order, soak

SHOWN_PROBLEMS_MAX = 20


def main() -> int:
    """Play the day and print what was found; 1 if something is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.exchange_soak", description="A day of the exchange at full size."
    )
    parser.add_argument("--sessions", type=int, default=1_000)
    parser.add_argument("--orders", type=int, default=10_000_000, help="orders and replaces, shared out evenly")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--folder", type=Path, help="where a folder for journal and reports is made; kept if something is wrong"
    )
    asked = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(
        f"seed {asked.seed}: python -m bench.exchange_soak --sessions {asked.sessions} --orders {asked.orders}"
    )
    folder = Path(tempfile.mkdtemp(prefix="openbell-soak-", dir=asked.folder))
    console.print(f"journal and reports in {folder}")
    with Progress(*Progress.get_default_columns(), TimeElapsedColumn(), console=console) as progress:
        outcome = soak(asked.sessions, asked.orders, asked.seed, folder, progress)
    console.print(_table(outcome))
    for problem in outcome.problems[:SHOWN_PROBLEMS_MAX]:
        console.print(f"[red]{problem}[/red]")
    console.print(f"seed {asked.seed}: {len(outcome.problems) or 'no'} problems")
    if not outcome.problems:
        shutil.rmtree(folder)
    return int(bool(outcome.problems))


def _table(outcome: Outcome) -> Table:
    table = Table(title=f"{outcome.orders:_} orders of {outcome.sessions:_} sessions", show_header=False)
    table.add_column("what")
    table.add_column("found", justify="right")
    table.add_row("orders/s through the wire", f"{outcome.orders_per_s:_.0f}")
    table.add_row("reports", f"{outcome.reports:_}")
    table.add_row("cuts and resumes", f"{outcome.cuts:_}")
    for number, life in enumerate(outcome.lives, start=1):
        table.add_row(f"life {number}: start, with recovery", f"{life.start_s:.1f} s")
        if slope := bytes_per_order(life) if life.memory else None:
            first, last = life.memory[0][1], life.memory[-1][1]
            table.add_row("  RssAnon", f"{first / 1e6:.0f} MB to {last / 1e6:.0f} MB, {slope:+.2f} bytes an order")
    return table


if __name__ == "__main__":
    sys.exit(main())
