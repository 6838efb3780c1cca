"""`openbell exchange`: run the simulated exchange, or ask a running one."""

import asyncio
import inspect
import json
import os
import shlex
import signal
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter

from openbell.errors import ConfigError
from openbell.exchange.config import ExchangeConfig, load_exchange
from openbell.exchange.control import ask
from openbell.exchange.fault_desk import BY_NAME, read_fault
from openbell.exchange.server import ExchangeServer

PLAIN_COLUMNS = 120
KILLED = 128 + signal.SIGKILL
CONTROL_DEFAULT = "127.0.0.1:26403"
PX_DECIMALS = 4
"""Of every price on the venue's wires."""

app = cyclopts.App(name="exchange", help="A simulated exchange that speaks ITCH and OUCH.")
app.command(
    "openbell.cli.exchange_facts:app", name="facts", help="Which stylised facts a preset of the background flow shows."
)


@app.default
def run(config: Path, /) -> None:
    """Run the exchange described by CONFIG until Ctrl-C; the first line says where it listens, as JSON.

    Parameters
    ----------
    config: Path
        TOML file; examples/exchange.toml shows every section.
    """
    asyncio.run(_run(load_exchange(config)))


@app.command
def status(
    *,
    find: str = "",
    first: int = 0,
    rows: int = 20,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
    control: str = CONTROL_DEFAULT,
) -> None:
    """Show what a running exchange is doing: feed and its lines, sessions, faults, instruments, accounts.

    Parameters
    ----------
    find
        Only instruments and accounts whose names hold this.
    first, rows
        Which of them: there can be thousands.
    as_json
        One JSON object; prices and cash are integers in 1e-4.
    """
    found = asyncio.run(ask(control, {"verb": "status", "find": find, "first": first, "rows": rows}))
    if as_json:
        print(json.dumps(found))
        return
    from rich.console import Console

    from openbell.exchange.status_view import render

    console = Console()
    (console if console.is_terminal else Console(width=PLAIN_COLUMNS)).print(render(found, first))


@app.command
def ledger(account: str, /, control: str = CONTROL_DEFAULT) -> None:
    """Show the orders, fills, positions and cash of ACCOUNT as the exchange holds them, as JSON."""
    _ask(control, {"verb": "ledger", "account": account})


@app.command
def halt(symbol: str, /, control: str = CONTROL_DEFAULT) -> None:
    """Halt trading in SYMBOL."""
    _ask(control, {"verb": "state", "symbol": symbol, "state": "H"})


@app.command
def resume(symbol: str, /, control: str = CONTROL_DEFAULT) -> None:
    """Resume trading in SYMBOL."""
    _ask(control, {"verb": "state", "symbol": symbol, "state": "T"})


@app.command
def bust(match: int, /, reason: str = "E", control: str = CONTROL_DEFAULT) -> None:
    """Take the trade with the number MATCH back; reasons E erroneous, C consent, S supervisory, X external."""
    _ask(control, {"verb": "bust", "match": match, "reason": reason})


@app.command
def correct(match: int, /, px: Decimal, qty: int, reason: str = "E", control: str = CONTROL_DEFAULT) -> None:
    """Tell the trade with the number MATCH again, with another price PX or a smaller QTY; reasons as for bust."""
    _ask(control, {"verb": "correct", "match": match, "px": _units(px), "qty": qty, "reason": reason})


receivers = cyclopts.App(name="receivers", help="Who hears which line of the feed.")
app.command(receivers)


@receivers.default
def list_receivers(control: str = CONTROL_DEFAULT) -> None:
    """Show the receivers of every line, as JSON."""
    _ask(control, {"verb": "receivers"})


@receivers.command
def add(line: str, address: str, /, control: str = CONTROL_DEFAULT) -> None:
    """Let the receiver at ADDRESS (host:port, or a multicast group) hear LINE from now on."""
    _ask(control, {"verb": "receivers", "line": line, "add": address})


@receivers.command
def remove(line: str, address: str, /, control: str = CONTROL_DEFAULT) -> None:
    """Send nothing more of LINE to ADDRESS."""
    _ask(control, {"verb": "receivers", "line": line, "remove": address})


fault = cyclopts.App(name="fault", help="What an exchange does wrong on command.")
app.command(fault)


@fault.default
def start_fault(name: str = "", /, *words: str, control: str = CONTROL_DEFAULT) -> None:
    """Begin the fault NAME, on a line, an account or a symbol, with key=value; without NAME show those that last.

    Example: openbell exchange fault loss A p=0.1
    """
    request = {"fault": name, **read_fault(shlex.join([name, *words])).model_dump()} if name else {}
    _ask(control, {"verb": "fault", **request})


@fault.command
def clear(name: str = "", on: str = "", /, control: str = CONTROL_DEFAULT) -> None:
    """End the faults called NAME, those on ON, or all."""
    _ask(control, {"verb": "clear", "fault": name, "on": on})


@fault.command(name="list")
def list_faults() -> None:
    """Show what can go wrong."""
    for name, kind in BY_NAME.items():
        print(f"{name:18} {inspect.cleandoc(kind.__doc__ or '')}")


@app.command
def shutdown(control: str = CONTROL_DEFAULT) -> None:
    """End the day of a running exchange."""
    _ask(control, {"verb": "shutdown"})


async def _run(config: ExchangeConfig) -> None:
    async with ExchangeServer(config) as exchange:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, exchange.request_stop)
        print(json.dumps(asdict(exchange.ready)), flush=True)
        await exchange.serve()
        if exchange.is_killed:
            os._exit(KILLED)


def _units(px: Decimal) -> int:
    units = px.scaleb(PX_DECIMALS)
    if units != int(units):
        raise ConfigError(f"expected a price of at most {PX_DECIMALS} decimals, found {px}")
    return int(units)


def _ask(control: str, request: dict[str, Any]) -> None:
    print(json.dumps(asyncio.run(ask(control, request)), indent=2))
