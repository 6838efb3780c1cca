"""`openbell replay`: run a journal again and compare every decision."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import cyclopts
from cyclopts import Parameter

if TYPE_CHECKING:
    from openbell.node.record import RunRecord
    from openbell.node.verify import Finding, Replayed

app = cyclopts.App(name="replay", help="Run a journal again and compare every decision.")

EXIT_DIFFERS = 1


@app.default
def run(
    journal: Path,
    /,
    *,
    verify: Annotated[bool, Parameter(negative="")] = False,
    speed: Literal["interpreted", "compiled"] | None = None,
    config: Path | None = None,
    tape: Path | None = None,
    hot: Path | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Play JOURNAL again; exit code 1 at the first decision that differs.

    Parameters
    ----------
    journal
        Directory of a backtest's or a node's journal.
    verify
        Run the strategies again too, and compare what they say.
    speed
        Of the strategies that are run again. Default: as they ran.
    config
        The node's TOML file, for a journal without its own node.json.
    tape
        Where the tape of a backtest is now.
    hot
        The node's directory in shared memory. Default: as recorded, if it is still there.
    as_json
        Print the verdicts as JSON.
    """
    from openbell.node.verify import replay

    replayed = replay(journal, _record(journal, config), run_strategies=verify, tape_dir=tape, hot_dir=hot, speed=speed)
    if as_json:
        print(json.dumps(asdict(replayed) | {"is_identical": replayed.is_identical}, indent=2))
    else:
        _show(replayed)
    return 0 if replayed.is_identical else EXIT_DIFFERS


def _record(journal: Path, config: Path | None) -> "RunRecord":
    from openbell.errors import JournalError
    from openbell.node.record import read_record

    if config is not None:
        from openbell.node.assemble import run_record
        from openbell.node.config import load_node

        return run_record(load_node(config))
    if not journal.is_dir():
        raise JournalError(f"expected the directory of a journal, found none at {journal}; check the path")
    record = read_record(journal)
    if record is None:
        raise JournalError(
            f"expected backtest.json or node.json in {journal}, found neither; give the node's file with --config"
        )
    return record


def _show(replayed: "Replayed") -> None:
    print(f"{replayed.frames:,} frames to seq {replayed.last_seq:,} in {replayed.seconds:.2f} s")
    _show_finding("core", replayed.core)
    if replayed.strategy is None:
        print("strategy: not run again; add --verify")
    else:
        _show_finding("strategy", replayed.strategy)
    for note in replayed.notes:
        print(f"note: {note}")
    if replayed.strategy is not None and replayed.is_identical:
        print("replay: identical")


def _show_finding(name: str, finding: "Finding") -> None:
    verdict = "identical" if finding.is_identical else f"differs at seq {finding.differs_at:,}: {finding.what}"
    print(f"{name}: {verdict}")
