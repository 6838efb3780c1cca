"""`openbell exchange`: run the simulated exchange, or ask a running one."""

import asyncio
import json
import signal
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cyclopts

from openbell.exchange.config import ExchangeConfig, load_exchange
from openbell.exchange.control import ask
from openbell.exchange.server import ExchangeServer

CONTROL_DEFAULT = "127.0.0.1:26403"

app = cyclopts.App(name="exchange", help="A simulated exchange that speaks ITCH and OUCH.")


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
def status(control: str = CONTROL_DEFAULT) -> None:
    """Show what a running exchange is doing, as JSON."""
    _ask(control, {"verb": "status"})


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


def _ask(control: str, request: dict[str, Any]) -> None:
    print(json.dumps(asyncio.run(ask(control, request)), indent=2))
