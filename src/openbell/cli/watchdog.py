"""`openbell watchdog`: a process that stops a node which no longer answers."""

import sys
from pathlib import Path

import cyclopts

from openbell.errors import ConfigError

app = cyclopts.App(
    name="watchdog",
    help="Stop a node that no longer answers, or lies, from outside.",
    help_epilogue="Exit codes: 0 it was asked to end; 2 there is no such node, or it cannot watch over it.",
)


@app.default
def watchdog(config: Path, /) -> int:
    """Watch over the node of CONFIG until Ctrl-C: within 2 s of its silence every order is cancelled.

    Start it apart from the node, as a service of its own under the node's user or root, or let the node's own start do
    it: `with_node = true` in `[watchdog]`. docs/control.md says what it sees and does.

    Parameters
    ----------
    config
        The node's file; `[watchdog]` says how.
    """
    from openbell.node.card import read_card
    from openbell.node.config import load_node
    from openbell.ops.find import read_page
    from openbell.ops.watchdog.__main__ import expect_its_user, watch

    node = load_node(config)
    hot_dir = node.node.hot_dir
    expect_its_user(hot_dir)
    if not read_page(hot_dir).epoch:
        raise ConfigError(f"expected a node in {hot_dir}, found none; start it first: openbell run {config} --live")
    watch(node, read_card(hot_dir), sys.stdout)
    return 0
