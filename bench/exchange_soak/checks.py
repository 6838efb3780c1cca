"""What must be true at the end of the day: the venue's ledger, and what its clients have heard, are one account."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bench.exchange_soak.day import Day
from bench.exchange_soak.sessions import Session
from bench.exchange_soak.tally import Tally, tally
from bench.exchange_soak.venue import SYMBOLS, Venue

PAGE_ROWS = 1_000


def conserves(venue: Venue, sessions: Iterable[Session]) -> Iterator[str]:
    """Yield where the venue's positions and cash do not sum to zero, or are not what the session's reports say."""
    status = _status(venue)
    positions, cash = dict.fromkeys(SYMBOLS, 0), 0
    for held in status["holdings"].values():
        cash += sum(row["cash"] for row in held.values())
        for symbol, row in held.items():
            positions[symbol] += row["position"]
    if cash or any(positions.values()):
        yield f"expected positions and cash of all accounts to sum to 0, found {positions} and {cash} x 1e-4"
    for session in sessions:
        told, symbol = tally(session.script, session.heard), session.script.symbol
        found = (status["accounts"][session.name]["last_seq"], status["holdings"][session.name][symbol])
        expected = (told.reports, {"position": told.position, "cash": told.cash})
        if found != expected:
            yield f"{session.name}: expected {expected} by its reports, found {found} in the ledger"


def orders_agree(venue: Venue, sessions: Iterable[Session]) -> Iterator[str]:
    """Yield the orders of which the ledger says something else than the reports."""
    for session in sessions:
        told = tally(session.script, session.heard)
        ledger = venue.ask(verb="ledger", account=session.name)
        found = {int(row["token"]): (row["leaves_qty"], row["cum_qty"]) for row in ledger["orders"]}
        if len(ledger["fills"]) != told.fills:
            yield f"{session.name}: expected {told.fills} fills by its reports, found {len(ledger['fills'])}"
        yield from _differences(session.name, told, found)


def _differences(name: str, told: Tally, found: dict[int, tuple[int, int]]) -> Iterator[str]:
    for number in sorted(told.orders.keys() | found.keys()):
        expected = told.orders.get(number)
        if expected != found.get(number):
            yield f"{name}, order {number}: expected (open, traded) {expected}, found {found.get(number)}"


def replays_agree(day: Day, sessions: Iterable[Session], folder: Path) -> Iterator[str]:
    """Yield the sessions that hear something else when they ask for everything again than they heard during the day."""
    folder.mkdir()
    for session in sessions:
        again = Session(session.name, session.script, folder / session.name)
        day.hear_all(again)
        again.close()
        if again.heard.read_bytes() != session.heard.read_bytes():
            heard, said = session.next_seq - 1, again.next_seq - 1
            yield f"{session.name}: expected its {heard} reports again, found {said} that are others"
        again.heard.unlink()


def state_hash(venue: Venue) -> str:
    """Return the hash of the venue's state, after it has audited itself."""
    return str(venue.ask(verb="audit")["state_hash"])


def _status(venue: Venue) -> dict[str, Any]:
    status: dict[str, Any] = {"accounts": {}, "holdings": {}}
    first = 0
    while True:
        page = venue.ask(verb="status", first=first, rows=PAGE_ROWS)
        status["accounts"] |= page["accounts"]
        status["holdings"] |= page["holdings"]
        first += PAGE_ROWS
        if first >= page["accounts_total"]:
            return status
