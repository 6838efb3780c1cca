"""`openbell tape`: make tapes, find them, look into them. Verbs with many options live in files of their own."""

import json
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import cyclopts
from cyclopts import Parameter

from openbell.errors import JournalDamagedError

if TYPE_CHECKING:
    from openbell.journal import Frame, Journal

MAKE = cyclopts.Group("Make a tape", sort_key=1)
FIND = cyclopts.Group("Find and read tapes", sort_key=2)
KEEP = cyclopts.Group("Keep tapes", sort_key=3)

app = cyclopts.App(
    name="tape",
    help="Recorded market data: import, record, list, look into, export, compress.",
    help_epilogue=(
        "A tape is a folder of numbered frames, the format of a node's journal: info, tail, verify and export read "
        "both. Backtests play tapes, openbell.research reads them as tables; docs/tapes.md says more."
    ),
)
app.command("openbell.cli.tape_import:app", name="import", help="Make a tape from a file of market data.", group=MAKE)
app.command("openbell.cli.tape_record:app", name="record", help="Record a live feed.", group=MAKE)
app.command("openbell.cli.tape_generate:app", name="generate", help="Make a tape of simulated flow.", group=MAKE)
app.command("openbell.cli.tape_list:app", name="list", help="Show the tapes of the catalog.", group=FIND)
app.command("openbell.cli.tape_export:app", name="export", help="Write a tape as Parquet or CSV.", group=FIND)
app.command("openbell.cli.tape_compress:app", name="compress", help="Pack a tape with zstd.", group=KEEP)

EXIT_DAMAGED = 1
INSTRUMENTS_SHOWN = 10
POLL_S = 0.05
"""Wait of `tail --follow` after it has shown everything."""

Hot = Annotated[Path | None, Parameter(help="The node's directory in shared memory, to see what is not archived yet.")]
Tape = Annotated[Path, Parameter(help="Directory of the tape or journal.")]


@app.command(group=FIND)
def info(path: Tape, /, *, hot: Hot = None, as_json: Annotated[bool, Parameter(name="--json")] = False) -> None:
    """Show the span, instruments, records by type, gaps, hash and times of a tape."""
    facts = _facts(_journal(path, hot), path)
    if as_json:
        print(json.dumps(facts, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None)
    for name, value in facts.items():
        if name not in ("types", "instruments"):
            table.add_row(name, f"{value:,}" if isinstance(value, int) else str(value))
    table.add_row("instruments", f"{len(facts['instruments']):,}")
    for one in facts["instruments"][:INSTRUMENTS_SHOWN]:
        units = f"prices in 1e-{one['px_decimals']} {one['currency']}, quantities in 1e-{one['qty_decimals']}"
        table.add_row(f"  {one['symbol']}", f"{one['venue']}, {units}")
    if (more := len(facts["instruments"]) - INSTRUMENTS_SHOWN) > 0:
        table.add_row("  ...", f"{more:,} more; --json shows all")
    table.add_row("records by type", "")
    for name, count in facts["types"].items():
        table.add_row(f"  {name}", f"{count:,}")
    Console(highlight=False).print(table)


@app.command(group=FIND)
def tail(
    path: Tape,
    /,
    *,
    n: Annotated[int, Parameter(name=["-n", "--frames"])] = 10,
    follow: Annotated[bool, Parameter(name=["-f", "--follow"])] = False,
    hot: Hot = None,
) -> None:
    """Show the last frames, one line each, and with --follow those that come."""
    journal = _journal(path, hot)
    journal.seek(max(1, _last_seq(journal) - n + 1))
    while True:
        for frame in journal:
            print(_line(frame))
        if not follow:
            return
        sys.stdout.flush()
        time.sleep(POLL_S)


@app.command(group=KEEP)
def verify(path: Tape, /, *, hot: Hot = None) -> int:
    """Check every CRC, the sequence and the hash chain; exit code 1 and the position at the first damage."""
    from openbell.journal import journal_hash, verify_seals

    try:
        seals = list(verify_seals(path))
        journal = _journal(path, hot, check_crc=True)
        counts = journal.reader.summary()
        _expect_clean_end(journal)
    except JournalDamagedError as error:
        print(error)
        return EXIT_DAMAGED
    print(
        f"whole: {counts['frames']:,} frames, {counts['records']:,} records, seq {counts['first_seq']} to "
        f"{counts['last_seq']}; {len(seals)} sealed segments" + (f", hash {journal_hash(path)}" if seals else "")
    )
    return 0


def _journal(path: Path, hot: Path | None, *, check_crc: bool = False) -> "Journal":
    from openbell.journal import open_journal

    return open_journal(path, hot, check_crc=check_crc)


def _facts(journal: "Journal", path: Path) -> dict[str, Any]:
    from openbell.backtest.tape import large_facts, name_of, tape_hash
    from openbell.journal.segments import segment_files

    counts = journal.summary()
    large = large_facts(path, journal.hot)
    files = segment_files(path)
    return {
        "first": _time(counts["first_ts_recv"]),
        "last": _time(counts["last_ts_recv"]),
        "times": "of events: no times of receipt are known" if large.is_synthetic else "of receipt",
        "frames": counts["frames"],
        "records": counts["records"],
        "gaps": large.gaps,
        "missing": large.missing,
        "hash": tape_hash(path),
        "seq": f"{counts['first_seq']} to {counts['last_seq']}",
        "epochs": ", ".join(f"{epoch} from seq {seq}" for epoch, seq in counts["epochs"]),
        "frame_bytes": counts["bytes"],
        "file_bytes": sum(file.stat().st_size for file in files),
        "segments": len(files),
        "sealed_segments": len(list(path.glob("[0-9]*.seal"))),
        "durable_seq": journal.reader.durable_seq,
        "instruments": [asdict(one) for one in large.instruments],
        "types": {name_of(number): count for number, count in counts["types"].items()},
    }


def _last_seq(journal: "Journal") -> int:
    journal.reader.seek(1 << 62)
    journal.reader.next()
    return journal.reader.next_seq - 1


def _line(frame: "Frame") -> str:
    from openbell.types import Type

    known = {int(t): t.name for t in Type}
    names: dict[str, int] = {}
    for number in frame.raw[:, 0].tolist():
        name = known.get(number, f"type {number}")
        names[name] = names.get(name, 0) + 1
    what = " ".join(name if count == 1 else f"{name}x{count}" for name, count in names.items())
    way = f"OUT <- {frame.cause_seq}" if frame.is_decision else f"IN {frame.source}:{frame.source_seq}"
    return f"{frame.seq:>10} e{frame.epoch} {_time(frame.ts_recv)} {way:<16} {what}"


def _time(ns: int) -> str:
    """UTC with nanoseconds."""
    seconds, rest = divmod(ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"


def _expect_clean_end(journal: "Journal") -> None:
    reader = journal.reader
    if reader.bytes_after:
        raise JournalDamagedError(
            f"expected frame seq {reader.next_seq} or the end, found {reader.bytes_after} bytes that are no whole "
            f"frame, in {reader.path} at offset {reader.offset}; a node that opens this journal cuts them off"
        )
