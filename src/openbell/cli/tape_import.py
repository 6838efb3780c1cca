"""`openbell tape import`: make tapes from files of market data."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import cyclopts
from cyclopts import Parameter

from openbell.errors import ConfigError

if TYPE_CHECKING:
    from openbell._native import EdgeConfig
    from openbell.backtest.tape import TapeFacts
    from openbell.backtest.tape_directory import Imported, Progress

app = cyclopts.App(name="import", help="Make a tape from recorded market data.")
MEGABYTE = 1_000_000


@app.default
def import_files(
    *files: Annotated[Path, Parameter(name="FILE")],
    out: Path | None = None,
    root: Path = Path("tapes"),
    kind: str | None = None,
    day: Annotated[date | None, Parameter(name="--date")] = None,
    symbols: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (),
    config: Path | None = None,
    feed: str | None = None,
) -> None:
    """Make a tape from each file of market data, and put it into the catalog.

    The kind of a file is found in its content: NASDAQ ITCH 5.0 with 2-byte lengths (plain or gzip), LOBSTER zips,
    packet captures, Databento DBN, recorded lines of Binance and OKX WebSockets.

    Parameters
    ----------
    files
        One tape is made of each.
    out
        Directory of the new tape, instead of a place in the catalog; for one file.
    root
        Folder of the catalog: the tape becomes ROOT/VENUE/DAY/NAME.
    kind
        What the file is, where its content does not say: itch, lobster, pcap, dbn, binance, okx.
    day
        Trading day at the exchange, YYYY-MM-DD, for formats without one. Default: the date in the file's name.
    symbols
        Only these. Default: the instruments of CONFIG, or all.
    config
        A node's file: check and leave out at the edge what its feed would. For itch, lobster and pcap.
    feed
        Name of the feed in CONFIG, where it has several.
    """
    if not files:
        raise ConfigError("expected one or more files of market data, found none; see `openbell tape import --help`")
    if out is not None and len(files) > 1:
        raise ConfigError(f"--out: expected one file, found {len(files)}; --root makes a tape of each")
    of_config, checks = _of_node(config, feed)
    for file in files:
        _import_one(file, out, root, kind, day, symbols or of_config, checks)


def _of_node(config: Path | None, feed: str | None) -> "tuple[tuple[str, ...], EdgeConfig | None]":
    """The symbols that a node subscribes to, and what it checks at the edge of its feed."""
    if config is None:
        if feed is not None:
            raise ConfigError(f"--feed: expected the node's file too, with --config, found {feed!r} alone")
        return (), None
    from openbell.node.config import load_node
    from openbell.node.edge import edge_config, feed_of

    node = load_node(config)
    checks = edge_config(feed_of(node, feed, config), node.checks, node.instruments)
    return tuple(one.symbol for one in node.instruments), checks


def _import_one(
    file: Path,
    out: Path | None,
    root: Path,
    kind: str | None,
    day: date | None,
    symbols: tuple[str, ...],
    checks: "EdgeConfig | None",
) -> None:
    from openbell.backtest.tape import write_index
    from openbell.backtest.tape_import import import_tape
    from openbell.backtest.tape_layout import name_for, place

    done: list[Imported] = []

    def make(directory: Path) -> None:
        with _bar(file) as progress:
            done.append(
                import_tape(file, directory, kind=kind, day=day, symbols=symbols, progress=progress, checks=checks)
            )

    if out is None:
        facts = place(root, name_for(file), make)
        where = path_in(root, facts)
    else:
        make(out)
        facts, where = write_index(out), out
    print(_sentence(where, file, facts, done[0]))


def path_in(root: Path, facts: "TapeFacts") -> Path:
    """The tape's folder as the person spelled the root."""
    return root / facts.path.relative_to(root.resolve())


def _sentence(where: Path, file: Path, facts: "TapeFacts", imported: "Imported") -> str:
    seconds = max(imported.seconds, 1e-9)
    megabytes = file.stat().st_size / MEGABYTE
    times = "times of receipt are not known, the frames say so" if facts.is_synthetic else "with times of receipt"
    left_out, failed = (
        ", ".join(f"{count:_} {why}" for why, count in counts.items())
        for counts in (imported.left_out, imported.failed)
    )
    return (
        f"{where}: {imported.frames:_} frames, {imported.records:_} records from {imported.messages:_} messages "
        f"in {seconds:.2f} s, {imported.messages / seconds:_.0f} messages/s, {megabytes / seconds:,.1f} MB/s; {times}"
        + (f"; failed checks: {failed}" if failed else "")
        + (f"; left out: {left_out}" if left_out else "")
    )


@contextmanager
def _bar(file: Path) -> "Iterator[Progress]":
    """Progress on standard error: share, MB/s, messages/s, time to go."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(file.name, total=None, rate="")

        def progress(done: int, total: int, messages: int) -> None:
            seconds = max(bar.tasks[0].elapsed or 0.0, 1e-9)
            read = file.stat().st_size * done / max(total, 1) / MEGABYTE
            rate = f"{messages / seconds:,.0f} messages/s, {read / seconds:,.1f} MB/s"
            bar.update(task, completed=done, total=total, rate=rate)

        yield progress
