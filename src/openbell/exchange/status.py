"""What an exchange tells about itself: the answer to the verb status, in pages where there can be thousands of rows."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from openbell.exchange.config import FLOW_ACCOUNT
from openbell.exchange.control import Answer, RequestError
from openbell.exchange.soup_port import SoupPort
from openbell.types import Side

if TYPE_CHECKING:
    from openbell.exchange.server import ExchangeServer

PAGE_ROWS = 50
PAGE_ROWS_MAX = 1_000
Row = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """Which of many rows: those whose names hold `find`, from `first` on, so many of them."""

    find: str = ""
    first: int = 0
    rows: int = PAGE_ROWS

    def of(self, names: Iterable[str]) -> list[str]:
        found = (name for name in names if self.find.upper() in name.upper())
        return list(islice(found, self.first, self.first + self.rows))


def read_page(request: Answer) -> Page:
    """Return the page that a control request asks for.

    Raises:
        RequestError: that is no page.
    """
    match {"find": "", "first": 0, "rows": PAGE_ROWS, **request}:
        case {"find": str(find), "first": int(first), "rows": int(rows)} if first >= 0 and 0 <= rows <= PAGE_ROWS_MAX:
            return Page(find, first, rows)
    raise RequestError(f"expected find: text, first: 0 or more, rows: 0 to {PAGE_ROWS_MAX}, found {request}")


def status(exchange: "ExchangeServer", page: Page) -> Answer:
    """Return counters, and a page of the instruments and of the accounts."""
    accounts = page.of(exchange.door.accounts)
    symbols = page.of(exchange.symbols)
    numbers = {name: exchange.door.accounts[name].number for name in accounts}
    return {
        **asdict(exchange.ready),
        "itch_messages": exchange.venue.itch_next - 1,
        "open_orders": exchange.venue.open_orders,
        "flow": {
            "kind": exchange.config.flow.kind,
            "messages": exchange.flow_messages,
            "done": exchange.flow_done.is_set(),
            **exchange.flow_counts,
        },
        "feed": exchange.feed.status(),
        "sessions": {**_port(exchange.door.port), "connected": exchange.door.connected},
        "snapshots": _port(exchange.glimpse.port) if exchange.glimpse else None,
        "faults": exchange.faults.active(),
        "venue": exchange.venue.counters(),
        "accounts": {name: _account(exchange, name) for name in accounts},
        "accounts_total": len(exchange.door.accounts),
        "instruments": {symbol: _instrument(exchange, symbol) for symbol in symbols},
        "instruments_total": len(exchange.symbols),
        "holdings": {
            name: {symbol: _holding(exchange, number, symbol) for symbol in symbols}
            for name, number in {**numbers, FLOW_ACCOUNT: exchange.flow_account}.items()
        },
    }


def _flow(exchange: "ExchangeServer") -> Row:
    done = exchange.flow_done.is_set()
    return {"kind": exchange.config.flow.kind, "messages": exchange.flow_messages, "done": done}


def _port(port: SoupPort) -> Row:
    return {**asdict(port.counters), "connections": len(port.connections)}


def _account(exchange: "ExchangeServer", name: str) -> Row:
    account = exchange.door.accounts[name]
    return {
        "connected": account.connection is not None,
        "protocol": account.settings.protocol,
        "last_seq": account.log.next_seq - 1,
    }


def _instrument(exchange: "ExchangeServer", symbol: str) -> Row:
    number = exchange.locate[symbol]
    bid_px, bid_qty = exchange.venue.touch(number, Side.BUY)
    ask_px, ask_qty = exchange.venue.touch(number, Side.SELL)
    return {
        "phase": exchange.venue.phase(number).name,
        "last_px": exchange.venue.last_px(number),
        "bid_px": bid_px,
        "bid_qty": bid_qty,
        "ask_px": ask_px,
        "ask_qty": ask_qty,
    }


def _holding(exchange: "ExchangeServer", account: int, symbol: str) -> Row:
    position, cash = exchange.venue.holding(account, exchange.locate[symbol])
    return {"position": position, "cash": cash}
