"""Cont, Stoikov, Talreja (2010) through the matching engine: their three probabilities and the long-run book.

    python -m bench.cst [--trials 400000] [--events 20000000] [--seed 7]

Every probability is a frequency over trials that begin with so many bids and asks one tick apart, beside the exact one
(tests/oracles/cont_stoikov_talreja.py). The exit code is 1 if a cell is off by more than `CELL_TOLERANCE` or a
statistic of the book outside its range by more than `BOOK_TOLERANCE`. With 200 000 trials the tolerance is 3.6 standard
deviations of the widest cell, beyond which one in fifty runs of a right engine has a cell; with 400 000 it is 5.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from tests.oracles import cont_stoikov_talreja as exact

from openbell._native import FlowBook, FlowPath, sky_perfect

QUEUES = range(1, 6)
CELL_TOLERANCE, BOOK_TOLERANCE = 0.004, 0.04
CHUNK_TRIALS, CHUNK_EVENTS, WARM_UP_EVENTS = 20_000, 1_000_000, 100_000
LEVELS, FAR_TICKS = 30, slice(11, 24)
"""Limit orders arrive out to 30 ticks; the far part of the book is 12 to 24 ticks from the opposite best."""
TRADES_A_DAY, PX_TICKS = 370, 743

EVENTS: dict[str, tuple[str, Callable[[int, int], float]]] = {
    "ups": ("the mid price goes up first", exact.up_first),
    "fills": ("the last bid, kept, is filled before the mid price moves", exact.filled_first),
    "makes": ("the last bid and the last ask, kept, are both filled before it moves", exact.both_filled_first),
}
BOOK: dict[str, tuple[float, float]] = {  # what others found for these rates: from, to
    "spread, mean": (1.350, 1.350),
    "spread 1": (0.744, 0.744),
    "spread 2": (0.188, 0.188),
    "spread 3": (0.049, 0.049),
    **{
        f"depth at {ticks}": (qty, qty)
        for ticks, qty in enumerate((1.58, 1.65, 1.59, 1.56, 1.60, 1.56, 1.46, 1.38), start=1)
    },
    "depth is largest at": (2, 2),
    "far depth over limit rate / cancel rate": (1, 1),
    "mid changes a minute": (2.5, 2.5),
    "mid, standard deviation in 1 minute": (1.03, 1.03),
    "mid, kurtosis in 1 minute": (7.1, 7.7),
    "mid changes, autocorrelation": (-0.14, -0.12),
    "trade signs, autocorrelation": (-0.02, 0.02),
    "volatility of 370 trades at 743 ticks": (0.0219, 0.0225),
    "cancels / limit orders": (0.95, 0.95),
    "limit orders / trades": (19, 19),
}


class Cell(NamedTuple):
    """One frequency: of `event` from `bids` and `asks`."""

    event: str
    bids: int
    asks: int
    measured: float
    exact: float


def cells(trials: int, seed: int, wanted: Iterable[tuple[str, int, int]]) -> Iterator[Cell]:
    """Yield each of `wanted` (event, bids, asks) when its trials are played; each has a book and a seed of its own."""
    for event, bids, asks in wanted:
        play = getattr(FlowBook(sky_perfect(len(QUEUES)), 100 * seed + 10 * bids + asks), event)
        chunks = [min(CHUNK_TRIALS, trials - done) for done in range(0, trials, CHUNK_TRIALS)]
        measured = sum(play(bids, asks, chunk) for chunk in chunks) / trials
        yield Cell(event, bids, asks, measured, EVENTS[event][1](bids, asks))


def book(paths: Iterable[FlowPath]) -> dict[str, float]:
    """Return the statistics of `BOOK`, of one book followed for a while."""
    paths = list(paths)
    minutes = sum(path.time for path in paths)
    spread = np.sum([path.spread_time for path in paths], axis=0) / minutes
    depth = np.sum([path.depth_time for path in paths], axis=0) / minutes / 2
    mids = np.concatenate([path.interval_mids for path in paths])
    changes = np.diff(np.concatenate([path.changed_mids for path in paths]))
    signs = np.concatenate([path.trade_signs for path in paths])
    limits = sum(path.limits for path in paths)
    moves = np.diff(mids)
    return {
        "spread, mean": float(spread @ np.arange(1, len(spread) + 1)),
        **{f"spread {ticks}": float(spread[ticks - 1]) for ticks in (1, 2, 3)},
        **{f"depth at {ticks}": float(depth[ticks - 1]) for ticks in range(1, 9)},
        "depth is largest at": float(depth.argmax() + 1),
        "far depth over limit rate / cancel rate": float(np.mean(depth[FAR_TICKS] / _far_depth())),
        "mid changes a minute": len(changes) / minutes,
        "mid, standard deviation in 1 minute": float(moves.std()),
        "mid, kurtosis in 1 minute": float(np.mean((moves - moves.mean()) ** 4) / moves.var() ** 2),
        "mid changes, autocorrelation": _autocorrelation(changes),
        "trade signs, autocorrelation": _autocorrelation(signs),
        "volatility of 370 trades at 743 ticks": float(np.sqrt((changes**2).sum() / len(signs) * TRADES_A_DAY))
        / PX_TICKS,
        "cancels / limit orders": sum(path.cancels for path in paths) / limits,
        "limit orders / trades": limits / len(signs),
    }


def paths(events: int, seed: int) -> Iterator[FlowPath]:
    """Yield what one book does in consecutive parts of `events`, after a warm-up."""
    follow = FlowBook(sky_perfect(LEVELS), seed)
    follow.run(WARM_UP_EVENTS)
    for done in range(0, events, CHUNK_EVENTS):
        yield follow.run(min(CHUNK_EVENTS, events - done), ticks=FAR_TICKS.stop)


def is_in_range(name: str, value: float, tolerance: float = BOOK_TOLERANCE) -> bool:
    """Say whether statistic `name` may have `value`."""
    low, high = BOOK[name]
    return low - tolerance * abs(low) <= value <= high + tolerance * abs(high)


def _far_depth() -> np.ndarray:
    """Return what a queue holds on average that nobody trades with."""
    rates = sky_perfect(LEVELS)
    return np.array(rates.limit)[FAR_TICKS] / rates.cancel[-1]


def _autocorrelation(values: np.ndarray) -> float:
    return float(np.corrcoef(values[:-1], values[1:])[0, 1])


def main() -> int:
    """Play everything, print it, and return 1 if something is off."""
    parser = argparse.ArgumentParser(description="Cont, Stoikov, Talreja (2010) through the matching engine.")
    parser.add_argument("--trials", type=int, default=400_000, help="of each of the 75 cells")
    parser.add_argument("--events", type=int, default=20_000_000, help="of the long-run book")
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    wanted = list(product(EVENTS, QUEUES, QUEUES))
    with Progress(console=console) as progress:
        played = list(progress.track(cells(asked.trials, asked.seed, wanted), len(wanted), description="cells"))
        parts = -(-asked.events // CHUNK_EVENTS)
        followed = list(progress.track(paths(asked.events, asked.seed), parts, description="book"))
    found = book(followed)
    for event in EVENTS:
        console.print(_cells_table(event, [cell for cell in played if cell.event == event], asked.trials))
    console.print(_book_table(found, followed, asked.events))
    worst = max(abs(cell.measured - cell.exact) for cell in played)
    outside = [name for name, value in found.items() if not is_in_range(name, value)]
    console.print(f"seed {asked.seed}; worst cell off by {worst:.4f}, {CELL_TOLERANCE} allowed", end="; ")
    console.print(f"outside: {', '.join(outside)}" if outside else "the book is in range")
    return int(worst > CELL_TOLERANCE or bool(outside))


def _cells_table(event: str, played: list[Cell], trials: int) -> Table:
    table = Table(title=f"P({EVENTS[event][0]})", caption=f"{trials:,} trials a cell: measured, exact")
    table.add_column("bids")
    for asks in QUEUES:
        table.add_column(f"{asks} ask{'s' * (asks > 1)}", justify="right")
    for bids in QUEUES:
        table.add_row(str(bids), *(f"{cell.measured:.4f} {cell.exact:.4f}" for cell in played if cell.bids == bids))
    return table


def _book_table(found: dict[str, float], followed: list[FlowPath], events: int) -> Table:
    minutes = sum(path.time for path in followed)
    table = Table(title=f"The book over {events:,} events, {minutes:,.0f} minutes")
    for column in ("statistic", "found", "expected", f"within {BOOK_TOLERANCE:.0%}"):
        table.add_column(column, justify="left" if column == "statistic" else "right")
    for name, value in found.items():
        low, high = BOOK[name]
        expected = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        table.add_row(name, f"{value:.4g}", expected, "yes" if is_in_range(name, value) else "[red]no[/red]")
    return table


if __name__ == "__main__":
    sys.exit(main())
