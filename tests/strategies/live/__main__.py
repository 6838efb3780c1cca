"""All references live at once, then stopped: each must end flat, and nobody may see a break.

    python -m tests.strategies.live [--minutes 1] [--seed 1] [--speed interpreted]

An exchange process with generated flow and a node process with every reference as one of its strategies, on loopback.
After the time the node gets Ctrl-C. Exit code 1: a position or an order was left, a strategy was halted, an order was
malformed, nothing was traded, or `openbell reconcile` found a break against the venue's ledger and the drop copy.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.cli.world import openbell, wait_for
from tests.strategies.live.tally import HEAD, Row, tally
from tests.strategies.live.world import Floor
from tests.strategies.references import MALFORMED

END_S = 60.0


def main() -> int:
    """Run them; 0 when all is well."""
    parser = argparse.ArgumentParser(prog="python -m tests.strategies.live", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", choices=("interpreted", "compiled"), default="interpreted")
    asked = parser.parse_args()
    print(f"seed {asked.seed}: every reference, {asked.speed}, {asked.minutes:g} min", flush=True)
    with tempfile.TemporaryDirectory() as home, Floor(Path(home), asked.seed, asked.speed) as floor:
        node = floor.run("--live", "--json")
        wait_for(
            lambda: floor.status_or_none(lambda said: said["counters"].get("sent", 0) > 0), "the first order", END_S
        )
        try:
            node.wait(60.0 * asked.minutes)
            print("the node ended by itself")
        except subprocess.TimeoutExpired:
            node.send_signal(signal.SIGINT)
        began = time.monotonic()
        out, err = node.communicate(timeout=END_S)
        print(f"stopped in {time.monotonic() - began:.1f} s, exit code {node.returncode}")
        if node.returncode:
            print(err[-2_000:])
            return 1
        reconciled = openbell("reconcile", floor.node_file, *floor.others())
        print(reconciled.stdout.strip())
        rows = tally(floor.journal)
    return report(rows, json.loads(out.splitlines()[-1]), reconciled.returncode)


def has_sent(status: dict) -> bool:
    """Whether an order has left."""
    return status["counters"].get("sent", 0) > 0


def report(rows: list[Row], summary: dict, breaks: int) -> int:
    """The table, and what is wrong with it."""
    print(HEAD)
    for row in rows:
        print(row.line())
    open_positions = {symbol: row["position"] for symbol, row in summary["positions"].items() if row["position"]}
    faults = [f"{row.name}: {row.halted}" for row in rows if row.halted]
    faults += [f"{row.name}: {reason}" for row in rows for reason in row.refused if reason in MALFORMED]
    faults += [f"{row.name}: nothing was traded" for row in rows if not row.fills]
    faults += [f"held at the end: {open_positions}"] if open_positions else []
    faults += [f"orders open at the end: {summary['orders_open']}"] if summary["orders_open"] else []
    faults += ["breaks"] if breaks else []
    print("\n".join(faults) or "every reference is flat, and the books of all agree")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
