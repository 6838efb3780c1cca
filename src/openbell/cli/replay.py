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
    from_seq: Annotated[int, Parameter(name="--from")] = 0,
    to_seq: Annotated[int, Parameter(name="--to")] = 0,
    what_if: Annotated[list[str] | None, Parameter(consume_multiple=False, negative="")] = None,
    show: int = 20,
    bisect: Annotated[bool, Parameter(negative="")] = False,
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
    from_seq
        Compare from this frame on; from the newest snapshot before it, or with --verify before its epoch.
    to_seq
        Compare up to this frame. Default: the end.
    what_if
        limits=FILE, strategy=FILE[:CLASS] or NAME=VALUE (a parameter; STRATEGY.NAME=VALUE, strategy.NAME=FILE where
        there are several): what that would have decided otherwise, prices and quantities beside each other.
    show
        Of a what-if, so many differences at most. With --json all that were kept.
    bisect
        Find the first frame at which this core and the one that made journal and snapshots part.
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

    record, between = _record(journal, config), (from_seq, to_seq)
    if what_if or bisect:
        return _look(journal, record, what_if or [], hot, tape, between, show=show, as_json=as_json)
    replayed = replay(journal, record, run_strategies=verify, tape_dir=tape, hot_dir=hot, speed=speed, between=between)
    if as_json:
        print(json.dumps(asdict(replayed) | {"is_identical": replayed.is_identical}, indent=2))
    else:
        _show(replayed)
    return 0 if replayed.is_identical else EXIT_DIFFERS


def _look(
    journal: Path,
    record: "RunRecord",
    changes: list[str],
    hot: Path | None,
    tape: Path | None,
    between: tuple[int, int],
    *,
    show: int,
    as_json: bool,
) -> int:
    """A what-if, or without changes a bisection; 1 where something differs."""
    from openbell.cli.what_if import lines_of
    from openbell.node import what_if as desk

    if changes:
        found = desk.what_if(journal, record, changes, hot_dir=hot, tape_dir=tape, between=between)
        said, is_identical = (asdict(found), lines_of(found, show)), found.is_identical
    else:
        parted = desk.bisect(journal, record, hot_dir=hot)
        said, is_identical = (asdict(parted), parted.lines()), parted.is_identical
    print(json.dumps(said[0], indent=2) if as_json else "\n".join(said[1]))
    return 0 if is_identical else EXIT_DIFFERS


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
    # core: the recorded words of strategies through this core; strategy: their code run again beside it.
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
    if not finding.is_identical:
        print(f"  {finding.frames:,} frames differ; the first:\n  then  {finding.then}\n  now   {finding.now}")
