"""`openbell reconcile`: a node's books against the venue's, a drop copy's, a clearing statement."""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import cyclopts
from cyclopts import Parameter, validators

from openbell.errors import ConfigError

if TYPE_CHECKING:
    from openbell.node.card import NodeCard
    from openbell.posttrade.breaks import Break
    from openbell.posttrade.node_books import NodeBooks, SessionBooks
    from openbell.posttrade.node_desk import NodeDesk
    from openbell.posttrade.reconciler import Counterpart, Round

EXIT_BREAKS = 1
EVERY_S = 0.1
LOOK_FOR_S = 1.0
"""A look that is not repeated for ever lasts so long: what was only on its way has arrived by then."""

app = cyclopts.App(
    name="reconcile",
    help="Compare a node's orders, executions, positions and cash with what others hold.",
    help_epilogue="Exit codes: 0 all agree; 1 there are breaks; 2 nothing could be compared.",
)


@app.default
def reconcile(
    node: str | None = None,
    /,
    *,
    venue: str = "",
    account: str = "",
    session: str = "",
    drop_copy: str = "",
    user: str = "",
    password: str = "env:OPENBELL_DROP_COPY_PASSWORD",
    statement: Path | None = None,
    follow: bool = False,
    for_s: Annotated[float, Parameter(validator=validators.Number(gt=0))] = LOOK_FOR_S,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """Compare NODE, running or not, with everybody who is named.

    Breaks against a statement are kept in the journal of a running node, by number, age and owner: `openbell breaks`.

    Parameters
    ----------
    node
        Its name, its .toml file, its hot or journal directory; without it, the only node of this host.
    venue
        Control address of the exchange ("host:port" or a Unix socket), which is asked for its ledger.
    account
        Name of the account there and in the drop copy.
    session
        Name of the order session at that venue, where the node has several.
    drop_copy
        Order-entry address where a drop copy logs in, with --user and --password.
    user
        Of the drop copy.
    password
        "env:NAME" or "file:PATH"; "plain:..." on loopback.
    statement
        A clearing statement (docs/post-trade.md).
    follow
        Go on until Ctrl-C and say what changes.
    for_s
        How long to look without --follow.
    as_json
        A line of JSON for each thing that changes, and one at the end.
    """
    from openbell.node.card import read_card
    from openbell.ops.find import find_hot_dir
    from openbell.posttrade.breaks import BreakDesk
    from openbell.posttrade.node_books import NodeBooks
    from openbell.posttrade.reconciler import Reconciler

    card = read_card(find_hot_dir(node))
    if (venue or drop_copy) and card.mode != "live":
        raise ConfigError(
            f"{card.name}: expected a node that trades live, found mode {card.mode}: no venue has seen its orders; "
            "compare it with --statement"
        )
    whole = NodeBooks(card)
    _catch_up(whole)
    books = _of_session(whole, card, session) if venue or drop_copy or session else whole
    stated = _statement(statement, books)
    others = [*stated, *_venue(venue, account, books), *_drop_copy(drop_copy, account, user, password)]
    if not others:
        raise ConfigError("expected somebody to compare with, found none; give --venue, --drop-copy or --statement")
    keeper = _keeper(card) if stated else None
    desk = keeper.desk if keeper else BreakDesk()
    reconciler = Reconciler(books.books, others, desk)
    give_up = time.monotonic() + for_s
    compared: set[str] = set()
    try:
        while follow or time.monotonic() < give_up:
            found = reconciler.look(time.time_ns())
            compared |= set(found.compared)
            if keeper:
                _keep(keeper, found, stated[0].name, books)
            if follow:
                _say(found, as_json)
            time.sleep(EVERY_S)
    except KeyboardInterrupt:
        pass
    return _conclude(sorted(compared), others, list(desk.breaks.values()), as_json)


def _of_session(books: "NodeBooks", card: "NodeCard", session: str) -> "NodeBooks | SessionBooks":
    """The books that a venue can have: those of the session there."""
    if session not in card.sessions and (session or len(card.sessions) > 1):
        raise ConfigError(
            f"{card.name}: --session: expected one of {', '.join(card.sessions)}, found {session or 'none'}: a venue "
            "has seen only what left by its session"
        )
    return books.of_session(card.sessions.index(session) if session else 0) if card.sessions else books


def _keeper(card: "NodeCard") -> "NodeDesk | None":
    """The desk whose breaks the node's journal keeps; None where nobody runs who could journal them."""
    from openbell.ops.find import read_page
    from openbell.posttrade.node_desk import NodeDesk, resumed

    hot_dir = Path(card.hot_dir)
    if not read_page(hot_dir).is_alive:
        print(
            f"{card.name}: expected a running node, which keeps breaks in its journal, found none: these are forgotten "
            "with this command; start it and compare again",
            file=sys.stderr,
        )
        return None
    return NodeDesk(hot_dir, resumed(Path(card.journal_dir), hot_dir, of_statements=True))


def _keep(keeper: "NodeDesk", found: "Round", statement: str, books: "NodeBooks | SessionBooks") -> None:
    """Those against the statement; the others are kept by who compares all day."""
    news = [(what, known) for what, known in found.news if known.key.against == statement]
    if waiting := keeper.tell(news, books.instruments()):
        print(f"{waiting} breaks wait for the node's operator ring: is its trading thread stuck?", file=sys.stderr)


def _catch_up(books: "NodeBooks") -> None:
    if not sys.stderr.isatty():
        books.catch_up()
        return
    from rich.console import Console
    from rich.status import Status

    with Status("reading the journal", console=Console(stderr=True)) as status:
        books.catch_up(lambda seq: status.update(f"reading the journal: frame {seq:_}"))


def _statement(path: Path | None, books: "NodeBooks | SessionBooks") -> "list[Counterpart]":
    if path is None:
        return []
    from openbell.posttrade.reconciler import AskedBooks
    from openbell.posttrade.statement import read_statement

    said = read_statement(path, books.assets_by_symbol()).books
    return [AskedBooks(said.name, lambda: said)]


def _venue(control: str, account: str, books: "NodeBooks | SessionBooks") -> "list[Counterpart]":
    if not control:
        return []
    _expect(account, "--account", "the name of the account at the venue")
    from openbell.posttrade.reconciler import asked_venue

    return [asked_venue(control, account, books.assets_by_symbol)]


def _drop_copy(address: str, account: str, user: str, password: str) -> "list[Counterpart]":
    if not address:
        return []
    _expect(account, "--account", "the name of the account that the drop copy is of")
    _expect(user, "--user", "the name that the drop copy logs in with")
    from openbell.config_types import read_address, read_secret
    from openbell.posttrade.reconciler import heard_books

    try:
        where, secret = read_address(address), read_secret(password)
    except ValueError as error:
        raise ConfigError(f"--drop-copy, --password: {error}") from None
    return [heard_books(where, user, secret.read(), account)]


def _expect(value: str, option: str, what: str) -> None:
    if not value:
        raise ConfigError(f"{option}: expected {what}, found nothing; give it")


def _say(found: "Round", as_json: bool) -> None:
    from openbell.posttrade.breaks import news_line

    for news, known in found.news:
        if as_json:
            print(json.dumps({"news": news.name.lower(), **known.as_dict()}), flush=True)
        else:
            print(news_line(news, known), flush=True)


def _conclude(compared: list[str], others: "list[Counterpart]", breaks: "list[Break]", as_json: bool) -> int:
    silent = [other.name for other in others if other.name not in compared]
    if as_json:
        print(json.dumps({"compared": compared, "silent": silent, "breaks": [known.as_dict() for known in breaks]}))
    else:
        for known in breaks:
            print(f"{known.number}: {known.sentence()}")
        for other in others:
            if other.name in silent:
                print(f"{other.name}: could not be had: {other.why_not}", file=sys.stderr)
        print(f"compared with {', '.join(compared) or 'nobody'}: {len(breaks)} breaks")
    if silent:
        return 2
    return EXIT_BREAKS if breaks else 0
