"""What a node looks like on a terminal, drawn from a plain snapshot of it.

`NodeView` holds integers as the engine does; decimals appear only where people read. Colours are chosen to be
told apart by everyone: bids blue, asks orange; a sign, not a colour, says profit or loss.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from openbell.ops.feed_view import FeedRow, checks_line, feeds_table, recovery_line
from openbell.ops.money_view import MONEY_DECIMALS, BreakerRow, MoneyRow, breaker_lines, money_table
from openbell.ops.strategy_view import StrategyRow, strategy_lines

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

BID, ASK, QUIET, LOUD = "bright_blue", "dark_orange", "grey62", "bold white on red"
HOP_SAYS = {
    "sequenced": "in order, decoded",
    "decided": "strategy and engine decided",
    "journalled": "decision in the journal",
    "durable": "decision on disk",
    "sent": "tick to order",
}
"""Each hop is counted from the return of the receive call; the last ends where the first order enters the send call."""
STALE_MS = 1_000.0
"""Counters older than this are shown as late: the trading thread publishes every 10 ms."""


@dataclass(frozen=True)
class OwnOrder:
    """One live order of ours."""

    cl_ord_id: int
    instrument: int
    strategy: int
    side: str
    state: str
    px: int
    leaves_qty: int
    cum_qty: int


@dataclass(frozen=True)
class Row:
    """One instrument: the touch, what we have in it. Prices and cash in 10^-px_decimals, profit in 1e-4 money."""

    symbol: str
    px_decimals: int
    bid_px: int
    bid_qty: int
    ask_px: int
    ask_qty: int
    is_valid: bool
    trading: str
    own_bids: tuple[tuple[int, int], ...]
    own_asks: tuple[tuple[int, int], ...]
    position: int
    cash: int
    realized: int
    pnl: int
    fills: int


@dataclass(frozen=True)
class LatencyRow:
    """Time from the receive call to one station, ns."""

    hop: str
    count: int
    p50: int
    p99: int
    p999: int


@dataclass(frozen=True)
class SessionRow:
    """An order session; `is_doubted`: its venue contradicted us, and nobody has looked yet."""

    name: str
    is_up: bool
    is_doubted: bool


@dataclass(frozen=True)
class NodeView:
    """A node at one moment."""

    name: str
    mode: str
    journal: str
    is_alive: bool
    epoch: int
    seq: int
    behind: int
    arm: str
    kill: str
    warden_acted: bool
    is_session_up: bool
    """Every order session that trades."""
    is_stopping: bool
    halted: tuple[str, ...]
    durability: str
    durable_lag: int
    age_ms: float
    rows: tuple[Row, ...]
    orders: tuple[OwnOrder, ...]
    counters: dict[str, int] = field(default_factory=dict)
    events_per_s: float = 0.0
    latency: tuple[LatencyRow, ...] = ()
    feeds: tuple[FeedRow, ...] = ()
    held: tuple[str, ...] = ()
    money: tuple[MoneyRow, ...] = ()
    breakers: tuple[BreakerRow, ...] = ()
    strategies: tuple[StrategyRow, ...] = ()
    sessions: tuple[SessionRow, ...] = ()

    @property
    def pnl(self) -> int:
        """Of all instruments, in 1e-4 of the base currency."""
        return sum(row.pnl for row in self.rows)

    def tick_to_order(self) -> LatencyRow | None:
        """The last hop, if any order has left."""
        return next((row for row in self.latency if row.hop == "sent"), None)

    def as_dict(self) -> dict[str, Any]:
        """For machines: integers as the engine holds them, ids as text because JSON readers round them."""
        data = asdict(self)
        data["orders"] = list(data["orders"])
        for order in data["orders"]:
            order["cl_ord_id"] = str(order["cl_ord_id"])
            order["symbol"] = self.rows[order.pop("instrument")].symbol
        data["pnl"] = self.pnl
        for row, feed in zip(data["feeds"], self.feeds, strict=True):
            row["alarms"] = list(feed.alarms())
        return data


def open_console(plain_columns: int) -> Console:
    """Where people read: the terminal, or a pipe that is `plain_columns` wide so that nothing is cut."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=plain_columns)


def render(view: NodeView, *, clock: str = "") -> RenderableType:
    """The whole view; `clock` stands at the right of the first line."""
    from rich.console import Group
    from rich.text import Text

    feeds = (feeds_table(view.feeds), Text()) if view.feeds else ()
    money = (money_table(view.money), Text()) if view.money else ()
    head = (_head(view, clock), *breaker_lines(view.breakers))
    return Group(*head, Text(), _instruments(view), Text(), *money, *_facts(view), Text(), *feeds, latency_table(view))


def _sessions(view: NodeView) -> str:
    """Of several, those that are not up by name."""
    down = [row.name for row in view.sessions if not row.is_up]
    if len(view.sessions) < 2 or not down:
        return f"session {'up' if view.is_session_up else 'DOWN'}"
    return f"session {', '.join(down)} DOWN"


def _head(view: NodeView, clock: str) -> Text:
    from rich.text import Text

    head = Text.assemble((f" {view.name} ", "reverse bold"), f"  {view.mode}  epoch {view.epoch}  ")
    if not view.is_alive:
        head.append("not running", LOUD if view.orders else "bold")
    elif view.kill != "NONE":
        head.append(f" KILLED ({view.kill.lower()}) ", LOUD)
    elif view.is_stopping:
        head.append("stopping", "bold")
    else:
        head.append(f"armed {view.arm}", "bold" if view.arm == "FULL" else "bold yellow")
    head.append(f"  {_sessions(view)}", "" if view.is_session_up else "bold yellow")
    if doubted := [row.name for row in view.sessions if row.is_doubted]:
        head.append(f"  in doubt: {', '.join(doubted)}", LOUD)
    if view.halted:
        head.append(f"  halted: {', '.join(view.halted)}", LOUD)
    if view.is_alive and view.age_ms > STALE_MS:
        head.append(f"  no sign for {view.age_ms / 1000:.1f} s", LOUD)
    if clock:
        head.append(f"  {clock}", QUIET)
    return head


def _instruments(view: NodeView) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style=QUIET)
    table.add_column("", no_wrap=True)
    for name in ("our bid", "bid", "ask", "our ask", "position", "fills", "PnL"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in view.rows:
        state = "" if row.is_valid and row.trading == "TRADING" else ("GAP" if not row.is_valid else row.trading)
        table.add_row(
            Text.assemble((row.symbol, "bold"), f" {state}" if state else ""),
            Text(_level(row.own_bids, row), style=BID),
            Text(_touch(row.bid_qty, row.bid_px, row), style=f"bold {BID}"),
            Text(_touch(row.ask_qty, row.ask_px, row), style=f"bold {ASK}"),
            Text(_level(row.own_asks, row), style=ASK),
            f"{row.position:+,}" if row.position else "0",
            f"{row.fills:,}",
            money(row.pnl, MONEY_DECIMALS),
        )
    if len(view.rows) > 1:
        total = money(view.pnl, MONEY_DECIMALS)
        table.add_row(Text("all", QUIET), "", "", "", "", "", f"{sum(r.fills for r in view.rows):,}", total)
    return table


def _facts(view: NodeView) -> list[Text]:
    from rich.text import Text

    c = view.counters
    gaps = f"gaps {c.get('feed_gaps', 0):,}, lost {c.get('feed_lost', 0):,}"
    refused = c.get("refusals", 0) + c.get("gate_refused", 0)
    lines = [
        f"events/s {view.events_per_s:,.0f}   feed packets {c.get('feed_packets', 0):,} ({gaps})",
        f"orders sent {c.get('sent', 0):,}, open {len(view.orders)}, refused {refused:,}",
        f"journal seq {view.seq:,}, {view.durable_lag:,} frames not yet on disk (durability {view.durability})",
    ]
    if view.behind > 1:
        lines[-1] += f"; view {view.behind:,} behind"
    if view.warden_acted:
        lines.append("the warden shut the order sockets: the trading thread did not answer a kill")
    lines += [f"held: {held}" for held in view.held]
    lines += strategy_lines(view.strategies)
    lines += [recovery_line(feed) for feed in view.feeds]
    lines += [said for feed in view.feeds if (said := checks_line(feed))]
    alarms = [Text(f"{feed.name}: {alarm}", LOUD) for feed in view.feeds for alarm in feed.alarms()]
    return [*(Text(line) for line in lines), *alarms]


def latency_table(view: NodeView) -> RenderableType:
    """From the datagram to every station, p50, p99 and p99.9."""
    from rich.table import Table
    from rich.text import Text

    if not view.latency:
        return Text("tick to order: nothing measured yet", QUIET)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=QUIET)
    table.add_column("from datagram to", no_wrap=True)
    for name in ("p50", "p99", "p99.9", "n"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in view.latency:
        figures = (micros(row.p50), micros(row.p99), micros(row.p999), f"{row.count:,}")
        table.add_row(HOP_SAYS.get(row.hop, row.hop), *figures, style="bold" if row.hop == "sent" else "")
    return table


def money(amount: int, decimals: int) -> str:
    """`-1234567` with 4 decimals as `-123.46`, always signed; rounded to cents, for people."""
    return f"{amount / 10**decimals:+,.2f}"


def px_text(px: int, decimals: int) -> str:
    """A price without the zeros that say nothing: 501200 with 4 decimals is `50.12`."""
    whole, rest = divmod(px, 10**decimals)
    digits = f"{rest:0{decimals}}".rstrip("0").ljust(min(2, decimals), "0") if decimals else ""
    return f"{whole:,}.{digits}" if digits else f"{whole:,}"


def micros(ns: int) -> str:
    """Nanoseconds as microseconds, to three digits."""
    us = ns / 1000
    return f"{us:,.1f} µs" if us < 100 else f"{us:,.0f} µs"


def _touch(qty: int, px: int, row: Row) -> str:
    return f"{qty:,}@{px_text(px, row.px_decimals)}" if qty else "-"


def _level(levels: tuple[tuple[int, int], ...], row: Row) -> str:
    if not levels:
        return "-"
    px, qty = levels[0]
    more = f" +{len(levels) - 1}" if len(levels) > 1 else ""
    return f"{qty:,}@{px_text(px, row.px_decimals)}{more}"
