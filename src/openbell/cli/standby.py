"""`openbell standby`: follow a live node on this host, and take over when its process dies."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import cyclopts

if TYPE_CHECKING:
    from openbell.node.config import NodeConfig

app = cyclopts.App(
    name="standby",
    help="Follow a live node on this host; take over when its process dies.",
    help_epilogue="Exit codes: 0 the node ended in order; 2 it decides otherwise, or cannot take over; 3 it took over "
    "and orders were left open.",
)


@app.default
def run(config: Path, /, *, mode: Literal["shadow", "paper", "live"] | None = None) -> int:
    """Stand by for the node of CONFIG, which runs and is not supervised: `openbell run` starts its own standby.

    Parameters
    ----------
    config
        The node's file, the one that it was started with; `[node] standby = true` there lets `openbell run` do this.
    mode
        As the node was started.
    """
    from openbell.node.config import load_node
    from openbell.node.standby import main

    expect_nobody_else(load_node(config, mode or ""))
    code = main([str(config), "--mode", mode or ""])
    sys.stderr.flush()
    return code


def expect_nobody_else(config: "NodeConfig") -> None:
    """Look whether a supervisor would start the node again, or another standby, at the same moment.

    Raises:
        ConfigError: one would.
    """
    from openbell.errors import ConfigError
    from openbell.node.page import read_page

    writer = read_page(config.node.hot_dir).writer_pid
    if config.node.standby or (writer and is_supervised(writer)):
        raise ConfigError(
            f"standby of {config.node.name}: expected a node that nobody else starts again, found openbell run; "
            "nothing was started; set [node] standby = true in its file, and openbell run keeps one"
        )


def is_supervised(pid: int) -> bool:
    """Whether the parent of a process is `openbell run`."""
    try:
        parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
        words = Path(f"/proc/{parent}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"run" in words and any(b"openbell" in word for word in words)
