"""Reconciliation all day: `python -m openbell.posttrade.watch NODE.toml [MODE]`, started by the node's supervisor.

Every break that opens, changes or closes goes into the node's journal. Its death changes nothing in trading; a new one
goes on with the breaks that stood.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path

from openbell.errors import OpenbellError
from openbell.node.card import card_of
from openbell.node.config import NodeConfig, load_node
from openbell.node.lifeline import end_with_parent
from openbell.node.reconciliation import ReconciliationSettings
from openbell.node.reconciliation_page import write_page
from openbell.ops.find import read_page
from openbell.posttrade.breaks import news_line
from openbell.posttrade.node_books import NodeBooks
from openbell.posttrade.node_desk import NodeDesk, resumed
from openbell.posttrade.reconciler import Counterpart, Reconciler, asked_venue, heard_books

WAIT_S = 0.05


def counterparts(settings: ReconciliationSettings, books: NodeBooks) -> list[Counterpart]:
    """Everybody whom the file names."""
    found: list[Counterpart] = []
    if settings.drop_copy is not None and settings.password is not None:
        found.append(heard_books(settings.drop_copy, settings.user, settings.password.read(), settings.account))
    if settings.venue is not None:
        found.append(asked_venue(str(settings.venue), settings.account, books.assets_by_symbol))
    return found


def watch(config: NodeConfig, config_path: Path, stop: threading.Event) -> None:
    """Compare until `stop`."""
    settings, hot_dir = config.reconciliation, config.node.hot_dir
    assert settings is not None
    while not read_page(hot_dir).epoch:  # the node has not begun
        if stop.wait(WAIT_S):
            return
    books = NodeBooks(card_of(config, config_path))
    desk = resumed(config.node.journal_dir, hot_dir, settings.grace_ms * 1_000_000)
    node = NodeDesk(hot_dir, desk)
    reconciler = Reconciler(books.books, counterparts(settings, books), node.desk)
    while not stop.wait(settings.every_ms / 1_000):
        found = reconciler.look(time.time_ns())
        node.tell(found.news, books.instruments())
        write_page(
            hot_dir,
            time.time_ns(),
            settings.every_ms * 1_000_000,
            [known.sentence() for known in node.desk.breaks.values()],
        )
        for news, known in found.news:
            print(f"reconciliation: {news_line(news, known)}", file=sys.stderr, flush=True)


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
