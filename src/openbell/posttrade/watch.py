"""Reconciliation all day: `python -m openbell.posttrade.watch NODE.toml [MODE]`, started by the node's supervisor.

Every break that opens, changes or closes goes into the node's journal. Its death changes nothing in trading; a new one
goes on with the breaks that stood.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from openbell.errors import OpenbellError
from openbell.node.card import card_of
from openbell.node.config import NodeConfig, load_node
from openbell.node.lifeline import end_with_parent
from openbell.node.reconciliation import ReconciliationSettings, round_ms
from openbell.node.reconciliation_page import write_page
from openbell.ops.find import read_page
from openbell.posttrade.breaks import Break, BreakDesk, news_line
from openbell.posttrade.node_books import NodeBooks, SessionBooks
from openbell.posttrade.node_desk import NodeDesk, resumed
from openbell.posttrade.reconciler import Counterpart, Reconciler, asked_venue, heard_books
from openbell.types import BreakNews

WAIT_S = 0.05


def counterparts(settings: ReconciliationSettings, books: SessionBooks, name: str = "") -> list[Counterpart]:
    """Everybody whom the file names, of one session; of several, `name` is in theirs."""
    found: list[Counterpart] = []
    if settings.drop_copy is not None and settings.password is not None:
        found.append(heard_books(settings.drop_copy, settings.user, settings.password.read(), settings.account))
    if settings.venue is not None:
        found.append(asked_venue(str(settings.venue), settings.account, books.assets_by_symbol))
    for one in found:
        one.name = f"{one.name} {name.replace('_', ' ')}".rstrip()  # as the ledger of breaks reads it back
    return found


def watch(config: NodeConfig, config_path: Path, stop: threading.Event) -> None:
    """Compare until `stop`."""
    settings, hot_dir = config.reconciliations(), config.node.hot_dir
    every_ms = round_ms(settings.values())
    while not read_page(hot_dir).epoch:  # the node has not begun
        if stop.wait(WAIT_S):
            return
    books = NodeBooks(card_of(config, config_path))
    grace_ms = max(one.grace_ms for one in settings.values())
    node = NodeDesk(hot_dir, resumed(config.node.journal_dir, hot_dir, grace_ms * 1_000_000))
    reconcilers: list[tuple[SessionBooks, Reconciler]] = []
    for number, one in settings.items():
        of_session = books.of_session(number)
        name = config.sessions[number].name if len(config.sessions) > 1 else ""
        others = counterparts(one, of_session, name)
        reconcilers.append((of_session, Reconciler(of_session.books, others, node.desk)))
    names = {other.name for _, reconciler in reconcilers for other in reconciler.others}
    _tell(node, forgotten(node.desk, names, time.time_ns()), books.instruments())
    while not stop.wait(every_ms / 1_000):
        open_points = []
        for of_session, reconciler in reconcilers:
            found = reconciler.look(time.time_ns())
            _tell(node, found.news, of_session.instruments())
            open_points += [f"{name} could not be compared" for name in found.silent]
        open_points += [known.sentence() for known in node.desk.breaks.values()]
        write_page(hot_dir, time.time_ns(), every_ms * 1_000_000, open_points)


def forgotten(desk: BreakDesk, names: Iterable[str], now_ns: int) -> list[tuple[BreakNews, Break]]:
    """Close what stands against somebody whom the file names no more: nobody else would say that it is gone."""
    nobody = sorted({key.against for key in desk.breaks} - set(names))
    return [news for against in nobody for news in desk.look(against, (), now_ns)]


def _tell(node: NodeDesk, news: list[tuple[BreakNews, Break]], instruments: dict[str, int]) -> None:
    node.tell(news, instruments)
    for what, known in news:
        print(f"reconciliation: {news_line(what, known)}", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Run it; 2 when it could not go on."""
    end_with_parent()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    path = Path(arguments[0])
    try:
        watch(load_node(path, arguments[1] if len(arguments) > 1 else ""), path, stop)
    except OpenbellError as error:
        print(f"openbell reconciliation: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
