"""`openbell tape export`: the records of a tape as Parquet or CSV."""

from pathlib import Path
from typing import Annotated, Literal

import cyclopts
from cyclopts import Parameter

from openbell.errors import ConfigError

app = cyclopts.App(name="export", help="Write a tape as Parquet or CSV.")


@app.default
def export_tape(
    path: Annotated[Path, Parameter(name="TAPE")],
    output: Path,
    /,
    *,
    record: str = "Market",
    format: Literal["parquet", "csv"] | None = None,
    parquet: Annotated[bool, Parameter(negative="")] = False,
    hot: Path | None = None,
) -> None:
    """Write the records of one layout, with seq and ts_recv of their frames, as Parquet or CSV.

    Integers stay integers, in the instrument's units. The metadata of a Parquet file holds the instruments and their
    decimals, as JSON under "openbell.instruments": 1234500 with px_decimals 4 is 123.45.

    Parameters
    ----------
    path
        Directory of the tape or journal.
    output
        The file to write; its suffix chooses the format unless --format does.
    record
        Layout of the records: Market, Instrument, Control, Order, Report, ... (docs/formats.md).
    parquet
        The same as --format parquet.
    hot
        The node's directory in shared memory, to see what is not archived yet.
    """
    from openbell.cli.progress import bar
    from openbell.journal import open_journal
    from openbell.research.export import export

    chosen = "parquet" if parquet else format or output.suffix.removeprefix(".")
    if chosen not in ("csv", "parquet"):
        raise ConfigError(f"expected a name ending in .parquet or .csv, or --format; found {output}")
    with bar(output.name) as progress:
        rows = export(open_journal(path, hot), output, record, "csv" if chosen == "csv" else "parquet", progress)
    print(f"{rows:,} {record} records to {output}")
