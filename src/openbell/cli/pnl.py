"""`openbell pnl`: profit and loss of a node by strategy and instrument, from its journal."""

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import cyclopts
from cyclopts import Parameter

if TYPE_CHECKING:
    from rich.table import Table

    from openbell.posttrade.ledger import Ledger
    from openbell.posttrade.profit import ProfitRow

PLAIN_COLUMNS = 140

app = cyclopts.App(name="pnl", help="Profit and loss of a node by strategy and instrument, from its journal.")


@app.default
def pnl(
    node: str | None = None,
    /,
    *,
    method: Literal["fifo", "average"] = "fifo",
    ledger: bool = False,
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
    if as_json:
        print(json.dumps({"pnl": [_plain(row, names) for row in rows], "ledger": _balances(keeper.ledger, names)}))
        return
    from openbell.ops.view import open_console

    console = open_console(PLAIN_COLUMNS)
    console.print(_table(rows, names))
    if ledger:
        console.print()
        console.print(_ledger_table(keeper.ledger, names))


def _plain(row: "ProfitRow", names: dict[int, str]) -> dict[str, Any]:
    from openbell.posttrade.ledger import money_text

    money = {key: money_text(getattr(row, key)) for key in ("realized", "unrealized", "fees", "total")}
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
