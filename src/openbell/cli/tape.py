"""`openbell tape`: look into journals and tapes."""

import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import cyclopts
from cyclopts import Parameter

from openbell.errors import JournalDamagedError

if TYPE_CHECKING:
    import polars as pl

    from openbell.journal import Frame, Journal

app = cyclopts.App(name="tape", help="Look into journals and tapes: info, tail, verify, export.")
# The importer of foreign formats lives in a file of its own and is imported when it is called.
app.command("openbell.cli.tape_import:app", name="import", help="Make a tape from recorded market data.")

EXIT_DAMAGED = 1
POLL_S = 0.05
"""Wait of `tail --follow` after it has shown everything."""

Hot = Annotated[Path | None, Parameter(help="The node's directory in shared memory, to see what is not archived yet.")]
Tape = Annotated[Path, Parameter(help="Directory of the journal or tape.")]


@app.command
def info(path: Tape, /, *, hot: Hot = None, as_json: Annotated[bool, Parameter(name="--json")] = False) -> None:
    """Span, epochs, frames, records by type, gaps, bytes and sealed segments."""
    facts = _facts(_journal(path, hot), path)
    if as_json:
        print(json.dumps(facts, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None)
    for name, value in facts.items():
        if name != "types":
            table.add_row(name, f"{value:,}" if isinstance(value, int) else str(value))
    for name, count in facts["types"].items():
        table.add_row(f"  {name}", f"{count:,}")
    Console().print(table)


@app.command
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


@app.command
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
        f"{counts['last_seq']}; {len(seals)} sealed segments, hash {journal_hash(path)}"
    )
    return 0


@app.command
def export(
    path: Tape,
    output: Path,
    /,
    *,
    record: str = "Market",
    format: Literal["csv", "parquet"] | None = None,
    hot: Hot = None,
) -> None:
    """Write the records of one layout, with seq and ts_recv of their frames, as CSV or Parquet.

    Parameters
    ----------
    output
        The file to write; its suffix chooses the format unless --format does.
    record
        Layout of the records: Market, Report, Order, ...; integers stay integers (px in the instrument's unit).
    """
    chosen = format or output.suffix.removeprefix(".")
    if chosen not in ("csv", "parquet"):
        raise cyclopts.ValidationError(msg=f"expected a name ending in .csv or .parquet, or --format; found {output}")
    frame = _data_frame(_journal(path, hot), record)
    if chosen == "csv":
        frame.write_csv(output)
    else:
        frame.write_parquet(output, compression="zstd")
    print(f"{len(frame):,} {record} records to {output}")


def _journal(path: Path, hot: Path | None, *, check_crc: bool = False) -> "Journal":
    from openbell.journal import open_journal

    return open_journal(path, hot, check_crc=check_crc)


def _facts(journal: "Journal", path: Path) -> dict[str, Any]:
    from openbell.types import Type

    counts = journal.summary()
    types = {Type(t).name if t in list(Type) else f"type {t}": n for t, n in counts["types"].items()}
    segments = list(path.glob("[0-9]*.seg"))
    return {
        "first": _time(counts["first_ts_recv"]),
        "last": _time(counts["last_ts_recv"]),
        "seq": f"{counts['first_seq']} to {counts['last_seq']}",
        "epochs": ", ".join(f"{epoch} from seq {seq}" for epoch, seq in counts["epochs"]),
        "frames": counts["frames"],
        "records": counts["records"],
        "gaps": types.get("GAP", 0),
        "frame_bytes": counts["bytes"],
        "file_bytes": sum(p.stat().st_size for p in segments),
        "segments": len(segments),
        "sealed_segments": len(list(path.glob("[0-9]*.seal"))),
        "durable_seq": journal.reader.durable_seq,
        "types": types,
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


def _data_frame(journal: "Journal", record: str) -> "pl.DataFrame":
    import polars as pl

    from openbell.types import RECORDS

    if record not in RECORDS:
        raise cyclopts.ValidationError(msg=f"expected --record to be one of {', '.join(RECORDS)}, found {record}")
    parts = [pl.DataFrame(dict(_columns(*batch))) for batch in journal.batches(record)]
    return pl.concat(parts) if parts else pl.DataFrame()


def _columns(records: Any, seqs: Any, times: Any) -> Iterator[tuple[str, Any]]:
    """Columns of a batch; padding is left out, text is decoded, arrays become lists."""
    yield "seq", seqs
    yield "ts_recv", times
    for name in records.dtype.names:
        if name.startswith("pad"):
            continue
        column = records[name]
        yield (
            name,
            [text.decode("ascii", "replace") for text in column.tolist()]
            if column.dtype.kind == "S"
            else column.copy(),
        )
