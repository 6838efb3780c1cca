"""What the control socket's verbs do to an exchange.

    {"verb": "status"}                          what the exchange is doing; "find", "first" and "rows" choose a page
    {"verb": "ledger", "account": "NODE1"}      orders, fills, positions and cash as the venue holds them
    {"verb": "open", "account": "NODE1"}        its open orders alone
    {"verb": "audit"}                           the hash of the venue's state, after it has looked for contradictions
    {"verb": "state", "symbol": "OBEL", "state": "H"}   halt (H) or resume (T) an instrument
    {"verb": "bust", "match": 7, "reason": "E"}   take a trade back
    {"verb": "correct", "match": 7, "px": 500000, "qty": 100, "reason": "E"}   tell it again with other values
    {"verb": "receivers"}                       who hears which line; "line" and "add" or "remove": an address
    {"verb": "fault", "fault": "loss", "on": "A", "p": 0.1}   begin a fault, see faults.py; without one: those that last
    {"verb": "clear"}                           end all faults, or those called "fault", or those on "on"
    {"verb": "shutdown"}                        end the day and the session

Prices and cash are integers in 1e-4, quantities in shares.
"""

from typing import TYPE_CHECKING

from openbell._native import Amended
from openbell.config_types import Address, read_address
from openbell.exchange.config import FLOW_ACCOUNT
from openbell.exchange.control import Answer, RequestError, some_of
from openbell.exchange.fault_desk import make_fault
from openbell.exchange.ledger import ledger, open_orders
from openbell.exchange.status import read_page, status

if TYPE_CHECKING:
    from openbell.exchange.server import ExchangeServer

BUST_REASONS = "ECSX"
"""Erroneous, consent, supervisory, external."""
_AMENDABLE = {
    Amended.UNKNOWN: "a trade of today, found none of that number",
    Amended.BUSTED: "a trade that stands, found one that was busted",
    Amended.VALUE: "a price and a quantity that can be, found others",
    Amended.PROTOCOL: "accounts that can be told of it, found one whose protocol has no word for it",
}
VERBS = ("status", "ledger", "open", "audit", "state", "bust", "correct", "receivers", "fault", "clear", "shutdown")


def answer(exchange: "ExchangeServer", request: Answer) -> Answer:
    """Answer one request.

    Raises:
        RequestError: it cannot be answered; the message says what was expected.
    """
    match request:
        case {"verb": "status"}:
            return status(exchange, read_page(request))
        case {"verb": "ledger", "account": str(name)}:
            return {"account": name, **ledger(exchange.venue, account_number(exchange, name), exchange.symbols)}
        case {"verb": "open", "account": str(name)}:
            number = account_number(exchange, name)
            return {"account": name, "orders": open_orders(exchange.venue, number, exchange.symbols)}
        case {"verb": "audit"}:
            exchange.venue.audit()
            return {"state_hash": f"{exchange.venue.state_hash:016x}"}
        case {"verb": "state", "symbol": str(symbol), "state": "T" | "H" | "P" | "Q" as state}:
            return _set_state(exchange, symbol, state)
        case {"verb": "bust", "match": int(match_number)}:
            reason = _reason_of(request)
            return _amended(exchange, match_number, exchange.venue.bust(match_number, reason, exchange.clock()))
        case {"verb": "correct", "match": int(match_number), "px": int(px), "qty": int(qty)}:
            reason = _reason_of(request)
            done = exchange.venue.correct(match_number, px, qty, reason, exchange.clock())
            return _amended(exchange, match_number, done)
        case {"verb": "receivers"}:
            return _change_receivers(exchange, request)
        case {"verb": "fault"}:
            return _start_fault(exchange, request)
        case {"verb": "clear"}:
            cleared = exchange.faults.clear(request.get("fault", ""), request.get("on", ""))
            return {"cleared": cleared, "faults": exchange.faults.active()}
        case {"verb": "shutdown"}:
            exchange.request_stop()
            return {}
    raise RequestError(f'expected {{"verb": "{" | ".join(VERBS)}", ...}} with what the verb needs, found {request}')


def account_number(exchange: "ExchangeServer", name: str) -> int:
    """Return the venue's number of an account, the flow's included.

    Raises:
        RequestError: there is none of that name.
    """
    if name == FLOW_ACCOUNT:
        return exchange.flow_account
    account = exchange.door.accounts.get(name.strip().upper())
    if account is None:
        raise RequestError(f"expected one of {some_of(exchange.door.accounts)}, found account {name!r}")
    return account.number


def _set_state(exchange: "ExchangeServer", symbol: str, state: str) -> Answer:
    if symbol not in exchange.locate:
        raise RequestError(f"expected one of {some_of(exchange.symbols)}, found symbol {symbol!r}")
    exchange.venue.set_state(exchange.locate[symbol], state, exchange.clock())
    exchange.changed()
    return {}


def _reason_of(request: Answer) -> str:
    reason = str(request.get("reason", "E"))
    if reason not in BUST_REASONS:
        raise RequestError(f"expected a reason, one of {', '.join(BUST_REASONS)}, found {reason!r}")
    return reason


def _amended(exchange: "ExchangeServer", match_number: int, result: Amended) -> Answer:
    if result != Amended.DONE:
        raise RequestError(f"match {match_number}: expected {_AMENDABLE[result]}")
    exchange.changed()
    return {}


def _change_receivers(exchange: "ExchangeServer", request: Answer) -> Answer:
    lines = exchange.feed.lines
    match request:
        case {"line": str(line), "add": str(address)} if line in lines:
            exchange.feed.add_receiver(line, _address(address))
        case {"line": str(line), "remove": str(address)} if line in lines:
            lines[line].remove(_address(address))
        case {"line": line}:
            raise RequestError(f"expected line {' or '.join(lines)}, and an address to add or remove, found {line!r}")
    return {"receivers": {name: line.status()["receivers"] for name, line in lines.items()}}


def _start_fault(exchange: "ExchangeServer", request: Answer) -> Answer:
    values = {key: value for key, value in request.items() if key not in ("verb", "fault")}
    if "fault" in request:
        exchange.faults.start(make_fault(str(request["fault"]), values))
    return {"faults": exchange.faults.active()}


def _address(text: str) -> Address:
    try:
        return read_address(text)
    except ValueError as error:
        raise RequestError(f"expected {error}, found {text!r}") from None
