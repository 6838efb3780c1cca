"""`openbell pnl`: profit and loss of a node by strategy and instrument, from its journal."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import cyclopts
from cyclopts import Parameter, validators

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from openbell.node.card import NodeCard
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
    follow: Annotated[bool, Parameter(name=["-f", "--follow"])] = False,
    every_s: Annotated[float, Parameter(validator=validators.Number(gt=0))] = 1.0,
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
    follow
        Again and again until Ctrl-C, in place on a terminal.
    every_s
        Time between two looks of --follow.
    as_json
        One JSON object, of --follow a line each time; money as decimal text.
    """
    from openbell.node.card import read_card
    from openbell.ops.find import find_hot_dir
    from openbell.ops.view import open_console

    asked = _Asked(method, risk, confidence)
    account = _Account(read_card(find_hot_dir(node)), asked)
    console = open_console(PLAIN_COLUMNS)
    if not follow:
        said = account.look()
        return print(json.dumps(_said(said, asked))) if as_json else console.print(_shown(said, asked, ledger))
    from openbell.cli.screen import Screen

    screen = None if as_json else Screen(console)
    while True:
        said = account.look()
        if screen:
            screen.show(_shown(said, asked, ledger))
        else:
            print(json.dumps(_said(said, asked)), flush=True)
        time.sleep(every_s)


class _Asked(NamedTuple):
    method: Literal["fifo", "average"]
    risk: Path | None
    confidence: float


class _Look(NamedTuple):
    """What there is to say at one moment."""

    rows: "list[ProfitRow]"
    total: dict[str, str]
    tail: "PortfolioRisk | None"
    ledger: "Ledger"
    names: dict[int, str]


class _Account:
    """Books that follow a node, and a ledger in step with them."""

    def __init__(self, card: "NodeCard", asked: _Asked) -> None:
        from openbell.posttrade.ledger import Bookkeeper
        from openbell.posttrade.node_books import NodeBooks

        self._card, self._asked = card, asked
        self._books, self._keeper = NodeBooks(card), Bookkeeper()

    def look(self) -> _Look:
        """As of the newest frame."""
        from openbell.posttrade.profit import profit_rows

        card, asked, keeper = self._card, self._asked, self._keeper
        self._books.catch_up()
        blotter = self._books.blotter
        rows = profit_rows(blotter, self._books.engine.touch, asked.method, card.feeds)
        keeper.keep(blotter.trades.values(), blotter.assets, blotter.seq)
        keeper.ledger.check()
        tail = _risk(asked.risk, rows, blotter.worth, asked.confidence) if asked.risk else None
        names = {number: name for name, number in card.strategies.items()}
        return _Look(rows, _total(card.journal_dir, rows, blotter.worth), tail, keeper.ledger, names)


def _said(look: _Look, asked: _Asked) -> dict[str, Any]:
    rows = [_plain(row, look.names) for row in look.rows]
    said = {"pnl": rows, "total": look.total, "ledger": _balances(look.ledger, look.names)}
    return said | ({"risk": _plain_risk(look.tail, asked.confidence)} if look.tail else {})


def _shown(look: _Look, asked: _Asked, with_ledger: bool) -> "Group":
    from rich.console import Group

    parts: list[Any] = [_table(look.rows, look.names), f"total {look.total['amount']} {look.total['currency']}"]
    if look.tail:
        parts.append(_risk_table(look.tail, asked.confidence))
    if with_ledger:
        parts += ["", _ledger_table(look.ledger, look.names)]
    return Group(*parts)


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
