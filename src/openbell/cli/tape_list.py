"""`openbell tape list`: the tapes of the catalog."""

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import cyclopts
from cyclopts import Parameter

if TYPE_CHECKING:
    from openbell.backtest.tape import TapeFacts

app = cyclopts.App(name="list", help="Show the tapes of the catalog.")
SYMBOLS_SHOWN = 4
WIDTH = 1_000


@app.default
def list_tapes(
    *,
    root: Path = Path("tapes"),
    venue: str | None = None,
    instrument: str | None = None,
    day: Annotated[date | None, Parameter(name="--date")] = None,
    rebuild: Annotated[bool, Parameter(negative="")] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Show the tapes of the catalog: all, or those of a venue, with an instrument, of a day.

    Parameters
    ----------
    root
        Folder of the catalog.
    venue
        xnas, binance, ...
    instrument
        A symbol that the tape holds.
    day
        A day that the tape holds, YYYY-MM-DD, as the venue counts days.
    rebuild
        Read every tape and write its index file anew before.
    as_json
        One JSON object a tape, one a line.
    """
    from openbell.research import catalog

    if rebuild:
        catalog.rebuild(root)
    found = catalog.find(root, venue=venue, instrument=instrument, date=day)
    if as_json:
        for tape in found:
            print(json.dumps({"path": str(tape.path)} | tape.as_dict()))
        return
    _print_table(found, root)


def _print_table(found: "list[TapeFacts]", root: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, width=WIDTH)  # paths are there to be copied: a narrow terminal wraps the lines
    if not found:
        console.print(f"no tape in {root} is of that kind", markup=False, soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False, header_style="grey62")
    table.add_column("tape", no_wrap=True)
    table.add_column("instruments", no_wrap=True)
    for name in ("records", "gaps", "MB"):
        table.add_column(name, justify="right")
    table.add_column("times")
    for tape in found:
        symbols = " ".join(tape.symbols[:SYMBOLS_SHOWN]) + (
            f" +{len(tape.symbols) - SYMBOLS_SHOWN}" if len(tape.symbols) > SYMBOLS_SHOWN else ""
        )
        table.add_row(
            str(root / tape.path.relative_to(root.resolve())),
            symbols,
            f"{tape.records:,}",
            f"{tape.gaps:,}",
            f"{sum(tape.files.values()) / 1e6:,.1f}" + (" packed" if tape.is_packed else ""),
            "of events" if tape.is_synthetic else "of receipt",
        )
    console.print(table)
