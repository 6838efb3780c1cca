"""The command line: `openbell VERB`. Each verb lives in a file of its own and is imported when it is called.

A failure is one message on standard error and exit code 2, never a traceback (set OPENBELL_DEBUG=1 to see it);
Ctrl-C ends with 130, after the verb has put its own house in order.
"""

import difflib
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

import cyclopts

from openbell import __version__
from openbell.errors import OpenbellError

EXIT_ERROR = 2
EXIT_INTERRUPTED = 130


class UsageError(OpenbellError):
    """The command line itself is wrong."""


class Verb(NamedTuple):
    """Where a verb is found, and its line in `openbell --help`."""

    target: str
    help: str


COMMANDS: dict[str, Verb] = {
    "demo": Verb("openbell.cli.demo:app", "Exchange, node and market maker on this machine, live in the terminal."),
    "run": Verb("openbell.cli.run:app", "Run a node: paper, shadow or live."),
    "backtest": Verb("openbell.cli.backtest:app", "Run a strategy over a tape."),
    "strategy": Verb("openbell.cli.strategy:app", "Check a strategy before it trades, or begin a new one."),
    "standby": Verb("openbell.cli.standby:app", "Follow a live node on this host; take over when its process dies."),
    "replay": Verb("openbell.cli.replay:app", "Run a journal again and compare every decision."),
    "journal": Verb("openbell.cli.journal:app", "Verify a journal independently; pack and remove what is old."),
    "exchange": Verb("openbell.cli.exchange:app", "A simulated exchange that speaks ITCH and OUCH."),
    "tape": Verb("openbell.cli.tape:app", "Recorded market data: import, record, list, look into, export, compress."),
    "status": Verb("openbell.cli.status:app", "What a running node is doing."),
    "depth": Verb("openbell.cli.depth:app", "The books of a running node, from another process."),
    "orders": Verb("openbell.cli.orders:app", "What became of a node's orders, record by record."),
    "pnl": Verb("openbell.cli.pnl:app", "Profit and loss by strategy and instrument, and the ledger behind it."),
    "breaks": Verb(
        "openbell.cli.breaks:app", "Where a node's books differ from others', since when, whose task it is."
    ),
    "reconcile": Verb("openbell.cli.reconcile:app", "A node's books against the venue's, a drop copy's, a statement."),
    "arm": Verb("openbell.cli.arm:arm_app", "How far a node, a strategy or an instrument may go."),
    "adjust": Verb("openbell.cli.adjust:app", "Move a position by hand, so that books agree: by two people."),
    "approve": Verb("openbell.cli.arm:approve_app", "What another person proposed: look, approve, deny."),
    "limits": Verb("openbell.cli.arm:limits_app", "The limits in force; propose others."),
    "signal": Verb("openbell.cli.signal:app", "Send a value to the strategies of a running node."),
    "params": Verb("openbell.cli.params:app", "The parameters of running strategies; change them while they trade."),
    "watchdog": Verb("openbell.cli.watchdog:app", "Stop a node that no longer answers, from outside."),
    "kill": Verb("openbell.cli.kill:app", "Close the gate of a running node and cancel its orders."),
}


def build_app() -> cyclopts.App:
    """Return the application with every verb registered, none of them imported."""
    app = cyclopts.App(
        name="openbell",
        help="A production trading system: one engine for backtest, paper, shadow and live.",
        version=__version__,
        suppress_keyboard_interrupt=False,
    )
    for name, verb in COMMANDS.items():
        app.command(verb.target, name=name, help=verb.help)
    return app


def _expect_verb(arguments: Sequence[str]) -> None:
    """Refuse an unknown verb here: the parser would import every verb in search of a similar one."""
    if not arguments or arguments[0].startswith("-") or arguments[0] in COMMANDS:
        return
    close = difflib.get_close_matches(arguments[0], COMMANDS, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"it knows {', '.join(COMMANDS)}"
    raise UsageError(f"unknown command {arguments[0]!r}; {hint}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 or the verb's own code, 2 on an error, 130 after Ctrl-C."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        _expect_verb(arguments)
        build_app()(arguments)
    except OpenbellError as error:
        if os.environ.get("OPENBELL_DEBUG") == "1":
            raise
        print(f"openbell: {error}", file=sys.stderr)
        sys.exit(EXIT_ERROR)
    except BrokenPipeError:  # the reader of our output has left, as in `openbell tape tail | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_ERROR)
    except KeyboardInterrupt:
        print("openbell: interrupted", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
