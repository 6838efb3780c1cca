"""`openbell status`: what a node is doing, seen from outside."""

import json
import time
from typing import Annotated

import cyclopts
from cyclopts import Parameter

app = cyclopts.App(
    name="status",
    help="What a running node is doing.",
    help_epilogue="Exit codes: 0 it runs; 1 it does not run (what its journal says is shown); 2 there is no such node.",
)


@app.default
def status(
    node: str | None = None,
    /,
    *,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """Show touch, own orders, positions, PnL, state, feed, latency and journal of NODE.

    Parameters
    ----------
    node
        Its name, its .toml file or its hot directory; without it, the only node of this host.
    as_json
        One JSON object; prices are integers in 10^-px_decimals, money in 1e-4 of the base currency.
    """
    from openbell.node.card import read_card
    from openbell.ops.find import find_hot_dir
    from openbell.ops.watch import Watch

    watch = Watch(read_card(find_hot_dir(node)))
    view = watch.look(catch_up_s=CATCH_UP_S)
    if view.is_alive:  # a rate needs two looks
        time.sleep(RATE_OVER_S)
        view = watch.look()
    if as_json:
        print(json.dumps(view.as_dict()))
    else:
        from openbell.ops.view import open_console, render

        open_console(PLAIN_COLUMNS).print(render(view))
    return 0 if view.is_alive else 1


PLAIN_COLUMNS = 120
RATE_OVER_S = 0.1
CATCH_UP_S = 30.0
"""A long journal is followed for at most so long; then what is known is shown, and how far it is behind."""
