"""`openbell orders`: what became of a node's orders, from its journal."""

import datetime
import json
from typing import TYPE_CHECKING, Annotated, Any

import cyclopts
from cyclopts import Parameter, validators

from openbell.errors import ConfigError

if TYPE_CHECKING:
    from openbell.posttrade.history import Histories, OrderHistory, Step

PLAIN_COLUMNS = 160

app = cyclopts.App(name="orders", help="What became of a node's orders, from its journal.")


@app.default
def orders(
    node: str | None = None,
    /,
    *,
    order: str = "",
    symbol: str = "",
    strategy: str = "",
    state: str = "",
    last: Annotated[int, Parameter(validator=validators.Number(gte=1))] = 50,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """List the orders of NODE, running or not; with --order everything that happened to one.

    Parameters
    ----------
    node
        Its name, its .toml file, its hot or journal directory; without it, the only node of this host.
    order
        An order id, decimal or 0x...: every record of it, with times.
    symbol
        Only this instrument: OBEL of every venue, or OBEL@home.
    strategy
        Only this strategy, by name.
    state
        Only orders in this state: OPEN, NEW, PARTIALLY_FILLED, FILLED, CANCELED, REJECTED, REFUSED, NOT_SENT.
    last
        The newest so many.
    as_json
        A line of JSON for each order (each record with --order); prices are integers in 10^-px_decimals.
    """
    from pathlib import Path

    from openbell.journal import open_journal
    from openbell.journal.assets import is_called
    from openbell.node.card import read_card
    from openbell.ops.find import find_hot_dir
    from openbell.posttrade.history import Histories

    card = read_card(find_hot_dir(node))
    hot = card.hot_dir if Path(card.hot_dir).is_dir() else None
    histories = Histories(card.feeds).take_all(open_journal(card.journal_dir, hot))
    if order:
        return _show_one(histories, _found(histories, order), as_json)
    if strategy and strategy not in card.strategies:
        raise ConfigError(f"--strategy: expected one of {', '.join(card.strategies)}, found {strategy!r}")
    names = {number: name for name, number in card.strategies.items()}
    chosen = [
        one
        for one in histories.orders.values()
        if (not symbol or is_called(histories.name_of(one), symbol))
        and strategy in ("", names.get(one.strategy, ""))
        and (state.upper() in ("", one.state) or (state.upper() == "OPEN" and one.is_open))
    ]
    return _show_all(histories, chosen[-last:], len(chosen), names, as_json)


def _found(histories: "Histories", text: str) -> "OrderHistory":
    try:
        return histories.orders[int(text, 0)]
    except (ValueError, KeyError):
        raise ConfigError(
            f"--order: expected the id of an order in this journal, found {text!r}; list them with: openbell orders"
        ) from None


def _show_one(histories: "Histories", order: "OrderHistory", as_json: bool) -> None:
    asset = histories.asset_of(order)
    if as_json:
        for step in order.steps:
            print(json.dumps({**step._asdict(), "kind": step.kind.name}))
        return
    from openbell.ops.view import px_text

    print(f"order {order.cl_ord_id:#x} {order.side.name} {histories.name_of(order)} {order.tif.name}: {order.state}")
    first = order.steps[0].ts_seq
    for step in order.steps:
        px = px_text(step.px, asset.px_decimals) if step.px else ""
        what = f"{step.kind.name:<14} v{step.version} {step.qty or '':>8} {px:>12}  {step.text}"
        print(f"{_clock(step)}  +{(step.ts_seq - first) / 1e6:10.3f} ms  seq {step.seq:<8} {what}".rstrip())


def _clock(step: "Step") -> str:
    moment = datetime.datetime.fromtimestamp(step.ts_seq // 1_000_000_000, datetime.UTC)
    return f"{moment:%H:%M:%S}.{step.ts_seq % 1_000_000_000:09d}"


def _show_all(
    histories: "Histories", chosen: "list[OrderHistory]", count: int, names: dict[int, str], as_json: bool
) -> None:
    if as_json:
        for one in chosen:
            print(json.dumps(_plain(histories, one, names)))
        return
    from rich.table import Table

    from openbell.ops.view import open_console, px_text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("order", "strategy", "symbol", "side", "state"):
        table.add_column(name, no_wrap=True)
    for name in ("qty", "filled", "price", "average"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("last", no_wrap=True)
    for one in chosen:
        decimals = histories.asset_of(one).px_decimals
        average = "" if one.avg_px is None else f"{one.avg_px / 10**decimals:.{decimals}f}"
        row = _plain(histories, one, names)
        told = one.steps[-1]
        table.add_row(
            f"{one.cl_ord_id:#x}", row["strategy"], row["symbol"], row["side"], one.state, f"{one.qty:,}",
            f"{one.cum_qty:,}", px_text(one.px, decimals), average, f"{told.kind.name} {told.text}".rstrip(),
        )  # fmt: skip
    console = open_console(PLAIN_COLUMNS)
    console.print(table)
    console.print(f"{len(chosen)} of {count} orders")


def _plain(histories: "Histories", one: "OrderHistory", names: dict[int, str]) -> dict[str, Any]:
    asset = histories.asset_of(one)
    return {
        "order": str(one.cl_ord_id),
        "strategy": names.get(one.strategy, str(one.strategy)),
        "symbol": histories.name_of(one),
        "side": one.side.name,
        "tif": one.tif.name,
        "state": one.state,
        "px": one.px,
        "px_decimals": asset.px_decimals,
        "qty": one.qty,
        "cum_qty": one.cum_qty,
        "avg_px": one.avg_px,
        "venue_order": str(one.order_id),
        "tag": str(one.tag),
        "steps": len(one.steps),
    }
