"""`openbell backtest`: run a strategy over a tape and print what came of it."""

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import cyclopts
from cyclopts import Parameter

if TYPE_CHECKING:
    from rich.table import Table

    from openbell.backtest.result import BacktestResult, InstrumentResult, RunCard

app = cyclopts.App(name="backtest", help="Run a strategy over a tape.")

EXIT_HALTED = 1
EXIT_INTERRUPTED = 130
LOOK_EVERY_S = 0.25
PROGRESS_AFTER_S = 2.0
INSTRUMENTS_PER_TABLE = 4
FIGURES = (
    *("orders", "replaces", "cancels", "refusals", "fills", "volume"),
    *("position", "max position", "realized", "PnL at mid", "orders per trade"),
)

Listed = Parameter(consume_multiple=True, negative="")


@app.default
def run(
    strategy: Path,
    /,
    *,
    tape: Path,
    strategy_class: str | None = None,
    param: Annotated[tuple[str, ...], Listed] = (),
    instruments: Annotated[tuple[str, ...], Listed] = (),
    compiled: Annotated[bool, Parameter(negative="")] = False,
    feed_latency_us: float = 50.0,
    order_latency_us: float = 50.0,
    report_latency_us: float = 50.0,
    seed: int = 1,
    max_position_lots: int = 1_000,
    max_order_lots: int = 1_000,
    collar_bps: int = 1_000,
    book_orders_max: int = 262_144,
    callback_budget_ms: int = 10_000,
    out: Path | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Run STRATEGY over a tape; exit code 1 when it raised and was halted.

    Parameters
    ----------
    strategy
        Python file with a Strategy class.
    tape
        Directory of the tape; `openbell tape import` makes one.
    strategy_class
        Which class of the file. Default: the only one.
    param
        Parameters as NAME=VALUE, for instance --param size=50 skew_ticks=1.
    instruments
        Symbols the strategy sees. Default: all of the tape.
    compiled
        Run it as machine code; `openbell strategy check` says what cannot be compiled.
    feed_latency_us, order_latency_us, report_latency_us
        Market data from the venue to us, commands to the venue, its reports back, in microseconds.
    seed
        Of the strategy's random source.
    max_position_lots, max_order_lots, collar_bps
        Risk limits of every instrument: largest position and order, distance of a price from the touch.
    book_orders_max
        Resting orders of all books; a full table makes the book not valid.
    callback_budget_ms
        An interpreted callback that takes longer is ended and its strategy halted.
    out
        Directory of the journal. Default: run/backtest-<hash of the inputs>.
    as_json
        Print the result as JSON.
    """
    from openbell.backtest.run import run_backtest
    from openbell.strategy.loader import load_strategy, parse_params

    settings = _settings(
        tape=tape,
        strategy_file=strategy,
        strategy_class=strategy_class,
        params=parse_params(load_strategy(strategy, strategy_class), param),
        instruments=instruments,
        speed="compiled" if compiled else "interpreted",
        feed_latency_ns=round(feed_latency_us * 1e3),
        order_latency_ns=round(order_latency_us * 1e3),
        report_latency_ns=round(report_latency_us * 1e3),
        seed=seed,
        max_position_lots=max_position_lots,
        max_order_lots=max_order_lots,
        collar_bps=collar_bps,
        book_orders_max=book_orders_max,
        callback_budget_ms=callback_budget_ms,
        out=out,
    )
    with _ctrl_c() as should_stop, _progress() as progress:
        result = run_backtest(settings, progress, should_stop)
    if as_json:
        print(json.dumps(result.as_dict(), indent=2))
    else:
        _show(result)
    return EXIT_INTERRUPTED if should_stop() else EXIT_HALTED if result.halts else 0


def _settings(**values: object):  # type: ignore[no-untyped-def]
    from pydantic import ValidationError

    from openbell.backtest.run import BacktestSettings
    from openbell.errors import ConfigError

    try:
        return BacktestSettings(**values)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = "--" + str(first["loc"][0]).replace("_latency_ns", "_latency_us").replace("_", "-")
        raise ConfigError(f"{name}: {first['msg'].lower()}, found {first['input']!r}") from None


@contextmanager
def _ctrl_c() -> Iterator[Callable[[], bool]]:
    """The first Ctrl-C asks for an orderly end and ends a callback that goes on, the second raises wherever it is."""
    from openbell.backtest.run import callback_of
    from openbell.strategy.budget import ending

    asked = False

    def on_signal(*_: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        signal.setitimer(signal.ITIMER_REAL, LOOK_EVERY_S, LOOK_EVERY_S)

    try:
        before = signal.signal(signal.SIGINT, on_signal)
    except ValueError:  # not the main thread: the caller has its own way to stop us
        yield lambda: asked
        return
    before_look = signal.signal(signal.SIGALRM, ending(callback_of))
    try:
        yield lambda: asked
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before_look)
        signal.signal(signal.SIGINT, before)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error that appears when the run takes longer than PROGRESS_AFTER_S."""
    from rich.console import Console
    from rich.progress import Progress

    bar = Progress(console=Console(stderr=True), transient=True)
    began = time.monotonic()
    tasks: list[int] = []

    def show(done: int, total: int) -> None:
        if time.monotonic() - began < PROGRESS_AFTER_S:
            return
        if not tasks:
            bar.start()
            tasks.append(bar.add_task("frames", total=total))
        bar.update(tasks[0], completed=done)  # type: ignore[arg-type]

    try:
        yield show
    finally:
        bar.stop()


def _show(result: "BacktestResult") -> None:
    from rich.console import Console

    console = Console()
    console.print(_card_table(result.card))
    for table in _instrument_tables(result.instruments):
        console.print(table)
    for row in result.instruments:
        if row.refused_for:
            reasons = ", ".join(f"{name} {count:,}" for name, count in sorted(row.refused_for.items()))
            console.print(f"{row.symbol}: refused by risk: {reasons}")
    if result.book_faults:
        console.print(f"[red]{result.book_faults:,} book faults[/red]: the tape and the book disagree; check the tape")
    for halt in result.halts:
        console.print(f"[red]{halt.strategy} was halted at seq {halt.seq:,}[/red]: ", end="")
        console.print(halt.why, markup=False)
    if not result.card.is_whole:
        console.print("[yellow]interrupted[/yellow]: the result and the journal end where you stopped them")
    if not result.card.is_at_rest:
        console.print(
            "[yellow]never at rest[/yellow]: after the tape expected what is in flight to arrive and no more, found "
            "orders answered with orders for 65 536 events; where an order that ended is replaced by the next, stop "
            "when the market is closed"
        )
    sys.stdout.flush()


def _card_table(card: "RunCard") -> "Table":
    from rich.table import Table

    table = Table(show_header=False, box=None)
    params = ", ".join(f"{name}={value}" for name, value in card.params.items()) or "defaults"
    synthetic = "; receipt times are synthetic" if card.is_synthetic else ""
    latency = ", ".join(f"{name} {ns / 1e3:g} us" for name, ns in card.latency_ns.items())
    table.add_row("strategy", f"{card.strategy} ({params}), {card.speed}")
    table.add_row("tape", f"{card.tape}, hash {card.tape_hash}")
    table.add_row("span", f"{_time(card.first_ns)} to {_time(card.last_ns)} UTC{synthetic}")
    table.add_row("events", f"{card.events:,} in {card.frames:,} frames, {card.callbacks:,} callbacks")
    table.add_row("fill model", card.fill_model)
    table.add_row("latency", f"constant: {latency}")
    table.add_row("fees", "none")
    table.add_row("seed", str(card.seed))
    table.add_row("wall time", f"{card.wall_s:.3f} s, {card.events_per_s:,.0f} events/s")
    table.add_row("decisions", card.decisions)
    table.add_row("state hash", card.state_hash)
    table.add_row("journal", card.journal)
    return table


def _instrument_tables(rows: "Sequence[InstrumentResult]") -> "Iterator[Table]":
    """Figures down, instruments across: readable in 80 columns."""
    from rich.table import Table

    for first in range(0, len(rows), INSTRUMENTS_PER_TABLE):
        part = rows[first : first + INSTRUMENTS_PER_TABLE]
        table = Table("instrument")
        for row in part:
            table.add_column(row.symbol, justify="right")
        for line in zip(FIGURES, *(_numbers(row) for row in part), strict=True):
            table.add_row(*line)
        yield table


def _numbers(row: "InstrumentResult") -> Iterator[str]:
    counts = (row.orders, row.replaces, row.cancels, row.refusals, row.fills, row.volume, row.position)
    for count in (*counts, row.position_max):
        yield f"{count:,}"
    yield f"{row.realized:,.2f} {row.currency}"
    yield "no mid" if row.pnl is None else f"{row.pnl:,.2f} {row.currency}"
    yield "-" if row.order_to_trade is None else f"{row.order_to_trade:.1f}"


def _time(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns / 1e9, UTC):%Y-%m-%d %H:%M:%S}"
