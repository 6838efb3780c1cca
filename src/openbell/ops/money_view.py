"""Results, exposure and circuit breakers of a node as a person sees them: of the account and of each strategy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openbell import _native as native
from openbell.types import NO_INSTRUMENT, NO_STRATEGY

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

MONEY_DECIMALS = 4
ACCOUNT = "account"
QUIET, LOUD = "grey62", "bold white on red"


@dataclass(frozen=True)
class MoneyRow:
    """Money of one strategy, or of the account, in 1e-4 of the base currency; docs/money.md says what each is."""

    name: str
    realized: int
    unrealized: int
    fees: int
    day: int
    peak: int
    drawdown: int
    gross: int
    net: int
    margin: int
    doubtful: int
    unpriced: int


@dataclass(frozen=True)
class BreakerRow:
    """One circuit breaker; units by kind, docs/breakers.md."""

    kind: str
    scope: str
    symbol: str
    to: str
    threshold: int
    observed: int
    again_below: int
    is_tripped: bool


def take_money(engine: native.Engine, strategies: Mapping[str, int]) -> tuple[MoneyRow, ...]:
    """The account first, then strategies by name."""
    names = {ACCOUNT: NO_STRATEGY, **dict(sorted(strategies.items()))}
    return tuple(MoneyRow(name=name, **engine.totals(number)) for name, number in names.items())


def take_breakers(
    engine: native.Engine, strategies: Mapping[str, int], symbols: Mapping[int, str]
) -> tuple[BreakerRow, ...]:
    """In the order they were given; `symbols` by instrument id."""
    names = {number: name for name, number in strategies.items()} | {NO_STRATEGY: "node"}
    return tuple(
        BreakerRow(
            kind=row["kind"].name.lower(),
            scope=names.get(row["strategy"], str(row["strategy"])),
            symbol=symbols[row["instrument"]] if row["instrument"] != NO_INSTRUMENT else "",
            to=row["to"].name,
            threshold=row["threshold"],
            observed=row["observed"],
            again_below=row["again_below"],
            is_tripped=row["is_tripped"],
        )
        for row in engine.breakers()
    )


def money_table(rows: tuple[MoneyRow, ...]) -> Table:
    """One line for each row; `?` marks what no book or rate of now stands behind."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=QUIET)
    table.add_column("", no_wrap=True)
    for name in ("day", "realized", "unrealized", "fees", "drawdown", "gross", "net", "margin"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        doubt = " ?" if row.doubtful or row.unpriced else ""
        amounts = (row.realized, row.unrealized, row.fees, row.drawdown, row.gross, row.net, row.margin)
        figures = (f"{amount / 10**MONEY_DECIMALS:,.2f}" for amount in amounts)
        table.add_row(Text(row.name, "bold"), f"{row.day / 10**MONEY_DECIMALS:+,.2f}{doubt}", *figures)
    return table


def breaker_lines(rows: tuple[BreakerRow, ...]) -> list[Text]:
    """Those that have tripped and have not been below since."""
    from rich.text import Text

    return [
        Text(
            f"breaker {row.kind} of {row.scope}{' ' + row.symbol if row.symbol else ''} tripped: now {row.observed:,}, "
            f"above {row.threshold:,} goes to {row.to}; trips again after {row.again_below:,}",
            LOUD,
        )
        for row in rows
        if row.is_tripped
    ]
