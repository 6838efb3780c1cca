"""`openbell demo`: an exchange, a node and a market maker on this machine, then the books compared and replayed."""

import json
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import cyclopts
from cyclopts import Parameter

from openbell.errors import OpenbellError

if TYPE_CHECKING:
    from openbell.node.supervisor import Supervisor
    from openbell.node.verify import Finding, Replayed
    from openbell.ops.demo_parts import Comparison
    from openbell.ops.view import NodeView
    from openbell.ops.watch import Watch

EXIT_DIFFERS = 1
DRAWS_PER_S = 8
"""Five to ten are enough for an eye, and cost a few percent of a core."""

app = cyclopts.App(
    name="demo",
    help="Exchange, node and market maker on this machine, live in the terminal.",
    help_epilogue="Exit codes: 0 books equal and replay identical; 1 they are not; 2 something could not start.",
)


@app.default
def demo(
    *,
    headless: bool = False,
    duration: float = 30.0,
    seed: int = 7,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """Trade two instruments on an exchange of this machine, show it live, then compare books and replay the journal.

    Parameters
    ----------
    headless
        No view; also without a terminal.
    duration
        Seconds of trading; Ctrl-C ends it earlier, in good order.
    seed
        Of the exchange's flow and of the strategies.
    as_json
        One JSON object on standard output, nothing else there.
    """
    from openbell.ops.demo_parts import hot_dir, new_home

    home = new_home()
    _say(f"demo in {home}")
    try:
        return _demo(
            home, duration, seed, is_shown=not headless and not as_json and sys.stdout.isatty(), as_json=as_json
        )
    finally:
        shutil.rmtree(hot_dir(home), ignore_errors=True)  # memory; the archiver has put everything on disk


def _demo(home: Path, duration: float, seed: int, *, is_shown: bool, as_json: bool) -> int:
    from openbell.ops.demo_parts import DemoExchange, compare, write_node_file

    with DemoExchange(home, seed) as exchange:
        _say(f"exchange: ITCH to 127.0.0.1:{exchange.feed_port}, OUCH at {exchange.ready['order_entry']}")
        node_file = write_node_file(home, exchange, seed)
        summary, view = _trade(node_file, duration, is_shown=is_shown)
        books = compare(summary, exchange.ledger())
    verdict = _replay(node_file)
    result = _result(summary, view, books, verdict, home)
    if as_json:
        print(json.dumps(result))
    else:
        _print_result(result, view, books, verdict)
    return 0 if result["ok"] else EXIT_DIFFERS


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# ---- trading ---------------------------------------------------------------------------------------


def _trade(node_file: Path, duration: float, *, is_shown: bool) -> "tuple[dict[str, Any], NodeView]":
    """The summary of the trading process, and the last look at it."""
    from openbell.node.card import read_card
    from openbell.node.supervisor import Supervisor
    from openbell.ops.watch import Watch

    log = node_file.with_name("node.log")
    supervisor = Supervisor(node_file, for_s=duration, log=log)
    supervisor.stop_on_signals()
    with supervisor:
        end = _End(supervisor)
        watch = Watch(read_card(supervisor.config.node.hot_dir))
        if is_shown:
            _show(watch, end, duration)
        summary = end.wait(log)
        view = watch.look(catch_up_s=60.0)
    return summary, view


class _End(threading.Thread):
    """Waits for the trading process beside the view."""

    def __init__(self, supervisor: "Supervisor") -> None:
        super().__init__(name="end", daemon=True)
        self._supervisor = supervisor
        self._summary: dict[str, Any] = {}
        self._error: OpenbellError | None = None
        self.start()

    def run(self) -> None:
        try:
            self._summary = self._supervisor.wait()
        except OpenbellError as error:
            self._error = error

    def wait(self, log: Path) -> dict[str, Any]:
        """The summary.

        Raises:
            OpenbellError: the trading process failed; with the end of its log.
        """
        from openbell.ops.demo_parts import log_tail

        while self.is_alive():  # a join without end would hold back Ctrl-C
            self.join(0.2)
        if self._error is not None:
            raise type(self._error)(f"{self._error}\n{log_tail(log)}")
        return self._summary


def _show(watch: "Watch", end: _End, duration: float) -> None:
    from rich.live import Live

    from openbell.ops.view import render

    began = time.monotonic()
    with Live(auto_refresh=False, transient=True) as live:
        while end.is_alive():
            view = watch.look()
            clock = f"{time.monotonic() - began:.0f} of {duration:.0f} s, Ctrl-C stops"
            live.update(render(view, clock=clock), refresh=True)
            end.join(1 / DRAWS_PER_S)


def _replay(node_file: Path) -> "Replayed":
    from openbell.node.config import load_node
    from openbell.node.record import read_record
    from openbell.node.verify import replay

    config = load_node(node_file)
    record = read_record(config.node.journal_dir)
    assert record is not None  # the trading process wrote it
    return replay(config.node.journal_dir, record, run_strategies=True)


# ---- the result ------------------------------------------------------------------------------------


def _result(
    summary: dict[str, Any], view: "NodeView", books: "Comparison", verdict: "Replayed", home: Path
) -> dict[str, Any]:
    from openbell.journal import open_journal

    facts = open_journal(home / "journal").summary()
    types = facts["types"]
    return {
        "ok": books.is_equal and verdict.is_identical and not summary["orders_open"],
        "replay": _replay_said(verdict),
        "core": _said(verdict.core),
        "strategy": _said(verdict.strategy),
        "frames": verdict.frames,
        "last_seq": verdict.last_seq,
        "state_hash": verdict.state_hash,
        "ledger": "equal" if books.is_equal else list(books.differences),
        "orders": _orders(types) | {"open": summary["orders_open"], "refused": summary["refusals"]},
        "fills": books.fills,
        "positions": summary["positions"],
        "pnl": sum(row["pnl"] for row in summary["positions"].values()),
        "px_decimals": 4,
        "latency_ns": {r.hop: {"p50": r.p50, "p99": r.p99, "p999": r.p999, "n": r.count} for r in view.latency},
        "feed": {name: n for name, n in view.counters.items() if name.startswith("feed_")},
        "records": facts["records"],
        "journal_bytes": facts["bytes"],
        "journal": str(home / "journal"),
        "epoch": summary["epoch"],
    }


def _orders(types: dict[int, int]) -> dict[str, int]:
    from openbell.types import Type

    names = {"new": Type.NEW_ORDER, "replaced": Type.REPLACE_ORDER, "canceled": Type.CANCEL_ORDER}
    return {name: types.get(int(type_), 0) for name, type_ in names.items()}


def _print_result(result: dict[str, Any], view: "NodeView", books: "Comparison", verdict: "Replayed") -> None:
    from rich.console import Console

    from openbell.ops.view import latency_table, money

    console = Console(highlight=False, soft_wrap=True)
    orders = result["orders"]
    console.print(
        f"orders    {orders['new']:,} new, {orders['replaced']:,} replaces, {orders['canceled']:,} cancels; "
        f"{orders['refused']:,} refused; {orders['open']} open"
    )
    console.print(f"fills     {books.fills:,}")
    for symbol, row in result["positions"].items():
        console.print(
            f"          {symbol:<6}{row['fills']:>6,}   position {row['position']:+,}  PnL {money(row['pnl'], 4)}"
        )
    console.print(f"PnL       {money(result['pnl'], 4)} at the mid")
    console.print(latency_table(view))
    frames = f"{result['frames']:,} frames, {result['records']:,} records, {result['journal_bytes'] / 1e6:.1f} MB"
    console.print(f"journal   {result['journal']}  ({frames})")
    if books.is_equal:
        console.print("ledger:   equal (positions, cash, fills and open orders are the exchange's own)")
    for line in books.differences:
        console.print(f"ledger:   DIFFERS: {line}")
    console.print(f"core:     {_said(verdict.core)} ({verdict.frames:,} frames in {verdict.seconds:.2f} s)")
    console.print(f"strategy: {_said(verdict.strategy)}")
    console.print(f"replay: {_replay_said(verdict)}")


def _replay_said(verdict: "Replayed") -> str:
    differs = [f for f in (verdict.core, verdict.strategy) if f is not None and not f.is_identical]
    return _said(min(differs, key=lambda finding: finding.differs_at, default=verdict.core))


def _said(finding: "Finding | None") -> str:
    if finding is None:
        return "not run"
    return "identical" if finding.is_identical else f"differs at seq {finding.differs_at}: {finding.what}"
