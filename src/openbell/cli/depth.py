"""`openbell depth`: the books of a running node, from another process."""

import json
import time
from dataclasses import asdict
from itertools import count, zip_longest
from typing import TYPE_CHECKING, Annotated

import cyclopts
from cyclopts import Parameter, validators

if TYPE_CHECKING:
    from rich.table import Table

    from openbell.ops.depth import DepthChange

app = cyclopts.App(name="depth", help="The books of a running node, from another process.")


@app.default
def depth(
    node: str | None = None,
    /,
    *,
    symbol: str = "",
    levels: Annotated[int, Parameter(validator=validators.Number(gte=1))] = 5,
    every_s: Annotated[float, Parameter(validator=validators.Number(gt=0))] = 0.2,
    looks: Annotated[int, Parameter(validator=validators.Number(gte=0))] = 0,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Show the depth of NODE's books until Ctrl-C. The node does not notice.

    Parameters
    ----------
    node
        Its name, its .toml file or its hot directory; without it, the only node of this host.
    symbol
        Only this instrument: OBEL of every venue, or OBEL@home.
    levels
        Of each side.
    every_s
        Time between two looks; what happens between them is conflated, and counted under `updates`.
    looks
        End after so many looks; 0: never.
    as_json
        A line of JSON for each book that changed; prices are integers in 10^-px_decimals.
    """
    from openbell.journal.assets import is_called
    from openbell.node.card import read_card
    from openbell.ops.depth import DepthFollower
    from openbell.ops.find import find_hot_dir

    follower = DepthFollower(read_card(find_hot_dir(node)), levels=levels)
    show = _print_json if as_json else _Screen()
    for number in count(1):
        show([change for change in follower.changes() if not symbol or is_called(change.symbol, symbol)])
        if number == looks:
            return
        time.sleep(every_s)


def _print_json(changes: "list[DepthChange]") -> None:
    for change in changes:
        print(json.dumps(asdict(change)), flush=True)


class _Screen:
    """The newest depth of every instrument, below each other."""

    def __init__(self) -> None:
        from rich.console import Console

        from openbell.cli.screen import Screen

        self._newest: dict[int, DepthChange] = {}
        self._screen = Screen(Console())

    def __call__(self, changes: "list[DepthChange]") -> None:
        from rich.console import Group

        self._newest |= {change.instrument: change for change in changes}
        if changes:
            self._screen.show(Group(*(_table(change) for change in self._newest.values())))


def _table(change: "DepthChange") -> "Table":
    from rich.table import Table

    state = change.trading if change.is_valid else f"{change.trading}, book not valid"
    title = f"{change.symbol}  {state}  {change.updates:,} updates since the last look that saw one"
    table = Table(title=title, title_justify="left", box=None)
    for heading in ("orders", "bid qty", "bid", "ask", "ask qty", "orders"):
        table.add_column(heading, justify="right")
    for bid, ask in zip_longest(change.bids, change.asks):
        table.add_row(*_cells(bid, change.px_decimals)[::-1], *_cells(ask, change.px_decimals))
    return table


def _cells(level: tuple[int, int, int] | None, px_decimals: int) -> tuple[str, str, str]:
    if level is None:
        return "", "", ""
    px, qty, orders = level
    return f"{px / 10**px_decimals:.{px_decimals}f}", f"{qty:,}", f"{orders:,}"
