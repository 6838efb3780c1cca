"""What an exchange looks like on a terminal, drawn from the answer to the verb status."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

PX_DECIMALS = 4
QUIET, LOUD, BID, ASK = "grey62", "bold red", "bright_blue", "dark_orange"
Status = Mapping[str, Any]


def render(status: Status, first: int = 0) -> RenderableType:
    """Return the page; `first` is the number of its first row."""
    return Group(
        _heading(status),
        _lines(status["feed"]),
        _ports(status),
        _faults(status["faults"]),
        _instruments(status, first),
        _accounts(status, first),
    )


def _heading(status: Status) -> RenderableType:
    flow = status["flow"]
    played = f" {flow['messages']:,} messages" + (", done" if flow["done"] else "") if flow["messages"] else ""
    where = {"orders": "order_entry", "snapshots": "glimpse", "retransmission": "retransmit", "control": "control"}
    return Text.assemble(
        (f"session {status['session']}", "bold"),
        f"   pid {status['pid']}   {status['open_orders']:,} open orders   "
        f"{status['itch_messages']:,} feed messages   flow {flow['kind']}{played}\n",
        ("   ".join(f"{name} {status[key]}" for name, key in where.items() if status[key]), QUIET),
    )


def _lines(feed: Status) -> RenderableType:
    counters = ("packets", "unsent", "dropped", "duplicated", "reordered", "overflowed")
    table = _table("line", "receivers", *counters, "does to packets")
    for name, line in feed["lines"].items():
        does = ", ".join(f"{what} {value:g}" for what, value in line["disturbance"].items())
        says = Text("paused", LOUD) if feed["paused"] else Text(does or "nothing", LOUD if does else QUIET)
        table.add_row(name, _several(line["receivers"]), *(f"{line[c]:,}" for c in counters), says)
    asked = Text(f"{feed['requests']:,} requests of retransmission, {feed['answers']:,} answered", QUIET)
    return Group(table, asked)


def _ports(status: Status) -> RenderableType:
    table = _table("port", "connections", "logins", "refused", "dropped")
    for name, port in {"order entry": status["sessions"], "snapshots": status["snapshots"]}.items():
        if port:
            dropped = ", ".join(f"{count:,} {why}" for why, count in port["dropped"].items()) or "none"
            table.add_row(name, *(f"{port[k]:,}" for k in ("connections", "logins", "refused_logins")), dropped)
    return table


def _faults(faults: Iterable[Status]) -> RenderableType:
    said = [" ".join([f["fault"], f["on"], *_told(f)]) for f in faults]
    return Text("faults: " + ("; ".join(said) or "none"), LOUD if said else QUIET)


def _told(fault: Status) -> list[str]:
    return [f"{key}={value}" for key, value in fault.items() if key not in ("fault", "on", "seed") and value != ""]


def _instruments(status: Status, first: int) -> RenderableType:
    table = _table("instrument", "phase", "last", "bid", "", "ask", "", "flow's position")
    flow = status["holdings"]["*FLOW*"]
    for symbol, row in status["instruments"].items():
        table.add_row(
            symbol,
            Text(row["phase"].lower().replace("_", " "), "" if row["phase"] == "CONTINUOUS" else LOUD),
            _px(row["last_px"]),
            Text(_px(row["bid_px"]), BID),
            Text(_qty(row["bid_qty"]), BID),
            Text(_px(row["ask_px"]), ASK),
            Text(_qty(row["ask_qty"]), ASK),
            f"{flow[symbol]['position']:,}",
        )
    return Group(table, _which(len(status["instruments"]), first, status["instruments_total"], "instruments"))


def _accounts(status: Status, first: int) -> RenderableType:
    table = _table("account", "protocol", "session", "reports", "positions of the page")
    for name, row in status["accounts"].items():
        held = {s: h["position"] for s, h in status["holdings"][name].items() if h["position"]}
        said = [f"{symbol} {position:+,}" for symbol, position in held.items()]
        session = Text("connected", "green") if row["connected"] else Text("away", QUIET)
        table.add_row(name, row["protocol"], session, f"{row['last_seq']:,}", _several(said))
    return Group(table, _which(len(status["accounts"]), first, status["accounts_total"], "accounts"))


def _which(shown: int, first: int, total: int, what: str) -> Text:
    if shown == total:
        return Text("")
    at = f"{first + 1} to {first + shown}" if shown else "none"
    return Text(f"{at} of {total:,} {what}; --first, --rows and --find show others", QUIET)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style=QUIET)
    numbers = {"last", "bid", "ask", "", "packets", "unsent", "reports", "logins", "refused", "connections"}
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", no_wrap=True)
    return table


def _several(names: list[str]) -> str:
    shown = 3
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def _px(px: int) -> str:
    if not px:
        return "-"
    whole, part = divmod(px, 10**PX_DECIMALS)
    return f"{whole:,}.{part:0{PX_DECIMALS}}".removesuffix("00")


def _qty(qty: int) -> str:
    return f"{qty:,}" if qty else ""
