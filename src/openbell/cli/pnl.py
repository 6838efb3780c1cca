"""`openbell pnl`: profit and loss of a node by strategy and instrument, from its journal."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import cyclopts
from cyclopts import Parameter, validators

if TYPE_CHECKING:
    from rich.table import Table

    from openbell.posttrade.ledger import Ledger
    from openbell.posttrade.portfolio_risk import PortfolioRisk
    from openbell.posttrade.profit import ProfitRow

PLAIN_COLUMNS = 140
METHODS = ("historical", "ewma", "cornish_fisher")

app = cyclopts.App(name="pnl", help="Profit and loss of a node by strategy and instrument, from its journal.")


@app.default
def pnl(
    node: str | None = None,
    /,
    *,
    method: Literal["fifo", "average"] = "fifo",
    ledger: bool = False,
    risk: Path | None = None,
    confidence: Annotated[float, Parameter(validator=validators.Number(gt=0.5, lt=1))] = 0.99,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Show what NODE has earned, running or not; open positions are marked at the touch that would close them.

    Parameters
    ----------
    node
        Its name, its .toml file, its hot or journal directory; without it, the only node of this host.
    method
        What a sale closes: the oldest lots (fifo) or a share of all (average).
    ledger
        The balances of the double-entry ledger as well.
    risk
        A history of returns (CSV, a column for each symbol, docs/post-trade.md): what the positions may lose.
    confidence
        Of value at risk and expected shortfall.
    as_json
        One JSON object; money as decimal text.
    """
    from openbell.node.card import read_card
    from openbell.ops.find import find_hot_dir
    from openbell.posttrade.ledger import Bookkeeper
    from openbell.posttrade.node_books import NodeBooks
    from openbell.posttrade.profit import profit_rows

    card = read_card(find_hot_dir(node))
    books = NodeBooks(card)
    books.catch_up()
    names = {number: name for name, number in card.strategies.items()}
    rows = profit_rows(books.blotter, books.engine.touch, method)
    keeper = Bookkeeper()
    keeper.keep(books.blotter.trades.values(), books.blotter.assets, books.blotter.seq)
    keeper.ledger.check()
    worth = books.blotter.worth
    total = _total(card.journal_dir, rows, worth)
    tail = _risk(risk, rows, worth, confidence) if risk else None
    if as_json:
        said = {"pnl": [_plain(row, names) for row in rows], "total": total, "ledger": _balances(keeper.ledger, names)}
        print(json.dumps(said | ({"risk": _plain_risk(tail, confidence)} if tail else {})))
        return
    from openbell.ops.view import open_console

    console = open_console(PLAIN_COLUMNS)
    console.print(_table(rows, names))
    console.print(f"total {total['amount']} {total['currency']}")
    if tail:
        console.print(_risk_table(tail, confidence))
    if ledger:
        console.print()
        console.print(_ledger_table(keeper.ledger, names))


def _total(journal_dir: str, rows: "list[ProfitRow]", worth: dict[str, int]) -> dict[str, str]:
    """Of all rows, in the base currency of the limits."""
    from openbell.node.record import read_record
    from openbell.posttrade.ledger import money_text
    from openbell.posttrade.portfolio_risk import base_total

    record = read_record(Path(journal_dir))
    currency = record.limits.base_currency if record and record.limits else ""
    return {"amount": money_text(base_total(rows, worth)), "currency": currency}


def _risk(file: Path, rows: "list[ProfitRow]", worth: dict[str, int], confidence: float) -> "PortfolioRisk":
    from openbell.posttrade.portfolio_risk import read_returns, risk_of, values_of

    return risk_of(values_of(rows, worth), read_returns(file), confidence)


def _plain_risk(tail: "PortfolioRisk", confidence: float) -> dict[str, Any]:
    methods = {name: getattr(tail, name)._asdict() for name in METHODS}
    return {"confidence": confidence, "periods": tail.periods, **methods, "parts": tail.parts}


def _risk_table(tail: "PortfolioRisk", confidence: float) -> "Table":
    from rich.table import Table

    title = f"what one period may lose, by {tail.periods:,} periods, {confidence:.1%}"
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), title=title)
    table.add_column("", no_wrap=True)
    for name in ("value at risk", "expected shortfall"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in METHODS:
        table.add_row(name.replace("_", "-"), *(f"{loss:,.2f}" for loss in getattr(tail, name)))
    for symbol, part in tail.parts.items():
        table.add_row(f"of ewma, {symbol}", f"{part:,.2f}", "")
    return table


def _plain(row: "ProfitRow", names: dict[int, str]) -> dict[str, Any]:
    from openbell.posttrade.ledger import money_text

    money = {key: money_text(getattr(row, key)) for key in ("realized", "unrealized", "fees", "value", "total")}
    return {**row._asdict(), **money, "strategy": names.get(row.strategy, str(row.strategy))}


def _balances(ledger: "Ledger", names: dict[int, str]) -> list[dict[str, str]]:
    from openbell.posttrade.ledger import money_text

    symbols = {p.commodity for entry in ledger.entries for p in entry.postings if p.account == "holdings"}
    return [
        {
            "account": str(account),
            "strategy": names.get(strategy, str(strategy)),
            "commodity": commodity,
            "balance": str(amount) if commodity in symbols else money_text(amount),
        }
        for (account, strategy, commodity), amount in ledger.balances().items()
    ]


def _table(rows: "list[ProfitRow]", names: dict[int, str]) -> "Table":
    from rich.table import Table

    from openbell.posttrade.ledger import money_text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("strategy", "symbol"):
        table.add_column(name, no_wrap=True)
    for name in ("trades", "bought", "sold", "position", "realized", "unrealized", "fees", "total", ""):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        counts = (f"{n:,}" for n in (row.trades, row.bought, row.sold, row.position))
        money = (money_text(m) for m in (row.realized, row.unrealized, row.fees, row.total))
        table.add_row(names.get(row.strategy, str(row.strategy)), row.symbol, *counts, *money, row.currency)
    return table


def _ledger_table(ledger: "Ledger", names: dict[int, str]) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), title="ledger: every commodity sums to zero")
    for name in ("account", "strategy", "commodity"):
        table.add_column(name, no_wrap=True)
    table.add_column("balance", justify="right", no_wrap=True)
    for row in _balances(ledger, names):
        table.add_row(*row.values())
    return table
