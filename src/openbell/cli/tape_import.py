"""`openbell tape import`: make a tape from an ITCH 5.0 file or a LOBSTER zip."""

from datetime import date
from pathlib import Path
from typing import Annotated

import cyclopts
from cyclopts import Parameter

app = cyclopts.App(name="import", help="Make a tape from recorded market data.")


@app.default
def import_file(
    file: Path,
    /,
    *,
    out: Path,
    day: Annotated[date | None, Parameter(name="--date")] = None,
    symbols: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (),
) -> None:
    """Make a tape from a file of market data.

    Parameters
    ----------
    file
        NASDAQ ITCH 5.0 with 2-byte lengths, plain or gzip, or a LOBSTER zip.
    out
        Directory of the new tape.
    day
        Trading day at the exchange, YYYY-MM-DD. Default: the date in the file's name.
    symbols
        Only these. Default: all.
    """
    from rich.console import Console
    from rich.progress import Progress

    from openbell.backtest.tape_import import import_tape

    console = Console(stderr=True)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(file.name, total=None)
        imported = import_tape(
            file,
            out,
            day=day,
            symbols=symbols,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    print(
        f"{out}: {imported.frames:_} frames, {imported.records:_} records from {imported.messages:_} messages "
        f"in {imported.seconds:.2f} s, {imported.messages / imported.seconds:_.0f} messages/s; "
        "times of receipt are not known, the frames say so"
    )
