"""`openbell run`: a node under its supervisor, until Ctrl-C."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import cyclopts
from cyclopts import Parameter

from openbell.errors import ConfigError

if TYPE_CHECKING:
    from openbell.node.config import NodeConfig

app = cyclopts.App(
    name="run",
    help="Run a node: paper, shadow or live.",
    help_epilogue="Exit codes: 0 ended with nothing open; 2 it could not start or go on; 3 orders were left open; "
    "4 nothing is open, but the node is in doubt: reconcile and release it.",
)


@app.default
def run(
    config: Path,
    /,
    *,
    mode: Literal["shadow", "paper", "live"] | None = None,
    live: bool = False,
    for_s: Annotated[float, Parameter(name="--for")] = 0.0,
    accept_limits: int | None = None,
    acknowledge: str = "",
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """Run the node of CONFIG until Ctrl-C, which cancels its orders, waits for the venue's word, and sums up.

    A second Ctrl-C ends it at once and says what was left open.

    Parameters
    ----------
    config
        The node's file; examples/node.toml shows every section.
    mode
        A safer mode than the file's, never a less safe one; it has a journal of its own.
    live
        Needed when the mode is live: real orders at the venues of the file.
    for_s
        Stop by itself after so many seconds; 0: never.
    accept_limits
        The version of the file of limits, when it loosens those of the last run by more than a typo would explain.
    acknowledge
        What runs, as the start before has printed it, where core, strategies, limits or configuration are not those of
        the last run; without it the node comes up and opens nothing.
    as_json
        The summary as one JSON object on standard output.
    """
    from openbell.node.card import card_of
    from openbell.node.config import load_node
    from openbell.node.supervisor import Supervisor
    from openbell.node.trading import exit_code, expect_limits_meant
    from openbell.ops.herald import Herald

    chosen = load_node(config, mode or "")
    _expect_meant(chosen, config, live)
    _expect_one_is_enough(chosen, acknowledge)
    _announce(chosen)
    expect_limits_meant(chosen, accept_limits)
    supervisor = Supervisor(
        config, for_s=for_s, mode=mode or "", accepted_limits=accept_limits, acknowledged=acknowledge
    )
    supervisor.stop_on_signals()
    with supervisor, Herald(card_of(chosen, config), lambda line: print(line, file=sys.stderr, flush=True)):
        summary = supervisor.wait()
    summary |= {"name": chosen.node.name, "mode": chosen.node.mode, "journal": str(chosen.node.journal_dir)}
    if as_json:
        print(json.dumps(summary))
    else:
        _print_summary(summary)
    return exit_code(summary["orders_open"], is_doubted=summary["is_doubted"])


def _expect_meant(config: "NodeConfig", path: Path, live: bool) -> None:
    mode = config.node.mode
    if mode == "live" and not live:
        venues = ", ".join(f"{s.user} at {s.connect}" for s in config.sessions)
        raise ConfigError(
            f'{path}: [node] mode = "live" sends real orders ({venues}): expected --live to say that it is meant, '
            "found none; nothing was started; add --live, or try it with --mode paper"
        )
    if live and mode != "live":
        raise ConfigError(
            f'{path}: expected mode = "live" for --live, found "{mode}"; nothing was started; leave --live out, or '
            "change [node] mode in the file"
        )


def _expect_one_is_enough(config: "NodeConfig", acknowledged: str) -> None:
    from openbell.ops.control.__main__ import identities_of

    if acknowledged and identities_of(config) > 1:
        raise ConfigError(
            f"--acknowledge: expected two people to say that what runs is meant, found one; nothing was started; start "
            f"without it, then: openbell arm {config.node.name} full --all --release --acknowledge {acknowledged} "
            '--why "...", and another person approves'
        )


def _announce(config: "NodeConfig") -> None:
    """Who runs, under whose limits, on standard error."""
    from rich.console import Console

    from openbell.node.limit_lines import spoken_lines

    node = config.node
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if node.mode == "live":
        venues = ", ".join(f"{s.user} at {s.connect}" for s in config.sessions)
        console.print(f" LIVE: {node.name} sends real orders: {venues} ", style="bold white on red")
        console.print(_watchdog(config), markup=False)
        if alone := [session.name for session in config.sessions if session.unreconciled]:
            console.print(f"reconciliation: none at {', '.join(alone)}, as the file says", markup=False)
    else:
        console.print(f"{node.mode}: {node.name} sends nothing to any venue", style="bold")
    console.print(f"limits {config.node.limits}:", markup=False)
    for line in spoken_lines(config.limits):
        console.print(line, markup=False)
    armed = "shadow" if node.mode == "shadow" else node.arm_at_start
    console.print(f"armed {armed} at start; durability {node.durability}; journal {node.journal_dir}", markup=False)
    if armed not in ("full", "limited", "reduce_only"):
        console.print('no order will be opened: [node] arm_at_start = "full" lets strategies trade', markup=False)


def _watchdog(config: "NodeConfig") -> str:
    dog = config.watchdog
    if dog.with_node:
        return f"watchdog: starts with it; {dog.act} after {dog.silence_ms} ms of silence"
    return "watchdog: apart, as the file says: openbell watchdog NODE.toml"


def _print_summary(summary: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    from openbell.ops.view import money

    console = Console(highlight=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="grey62")
    table.add_column("")
    for name in ("position", "fills", "PnL", "realized"):
        table.add_column(name, justify="right")
    for symbol, row in summary["positions"].items():
        table.add_row(
            symbol, f"{row['position']:+,}", f"{row['fills']:,}", money(row["pnl"], 4), money(row["realized"], 4)
        )
    console.print(table)
    if summary.get("was_ended"):
        print("the trading process was ended before it could cancel; this is what its journal says", file=sys.stderr)
    if summary["is_doubted"]:
        console.print("IN DOUBT: positions and orders may not be the venue's: reconcile, then release it", style="red")
    left = summary["orders_open"]
    console.print(f"orders open: {left}" + ("  NOT CONFIRMED CANCELED: ask the venue" if left else ""))
    console.print(f"journal {summary['journal']}, epoch {summary['epoch']}, to seq {summary['last_seq']}")
    console.print(f"state hash {summary['state_hash']}")
