"""The node's card: a small file in its hot directory and beside its journal that says whose they are.

Other processes (`status`, `kill`, `replay`) find the rest from it without reading the configuration again.
It names files and sizes, never credentials.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from openbell.errors import ConfigError

if TYPE_CHECKING:
    from openbell.node.config import NodeConfig

CARD_NAME = "card.json"


@dataclass(frozen=True)
class NodeCard:
    """Who a node is and where its parts lie."""

    name: str
    mode: str
    durability: str
    config: str
    journal_dir: str
    hot_dir: str
    supervisor_pid: int
    instruments_max: int
    strategies_max: int
    book_orders_max: int
    strategies: dict[str, int] = field(default_factory=dict)
    symbols: tuple[str, ...] = ()
    checks: tuple[int, ...] = ()
    limits_max: int = 1_024
    sessions: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()


def card_of(config: NodeConfig, config_path: Path) -> NodeCard:
    """The card of a node that is about to start in this process's care."""
    from openbell.node.assemble import capacity_of

    node, capacity = config.node, capacity_of(config)
    return NodeCard(
        name=node.name,
        mode=node.mode,
        durability=node.durability,
        config=str(config_path.resolve()),
        journal_dir=str(node.journal_dir),
        hot_dir=str(node.hot_dir),
        supervisor_pid=os.getpid(),
        instruments_max=capacity.instruments_max,
        strategies_max=capacity.strategies_max,
        book_orders_max=capacity.book_orders_max,
        strategies=config.strategy_ids(),
        symbols=tuple(i.symbol for i in config.instruments),
        checks=tuple(capacity.checks),
        limits_max=capacity.limits_max,
        sessions=tuple(session.name for session in config.sessions) if node.mode == "live" else (),
        feeds=config.feed_names(),
    )


def write_card(card: NodeCard) -> None:
    """Put the card into the hot directory and beside the journal.

    Raises:
        ConfigError: the journal belongs to a session of another mode, whose positions must not be inherited; or its
            order sessions have other places now.
    """
    beside = Path(card.journal_dir) / CARD_NAME
    before = read_card(beside.parent) if beside.is_file() else card
    moved = [
        name for place, name in enumerate(before.sessions) if name in card.sessions[:place] + card.sessions[place + 1 :]
    ]
    if moved:
        raise ConfigError(
            f"{card.config}: [[sessions]]: expected them in the order in which the journal in {card.journal_dir} has "
            f"them, {', '.join(before.sessions)}, found {', '.join(moved)} at another place: a session goes on by its "
            "place, and would take another's day for its own; put new ones at the end, or give another journal_dir"
        )
    if before.mode != card.mode:
        raise ConfigError(
            f'{card.config}: [node] mode: expected "{before.mode}", as the journal in {card.journal_dir} was written, '
            f'found "{card.mode}"; a {card.mode} session must not inherit {before.mode} positions: give it another '
            "journal_dir"
        )
    text = json.dumps(asdict(card), indent=2) + "\n"
    for directory in (beside.parent, Path(card.hot_dir)):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = directory / f"{CARD_NAME}.draft"
        draft.write_text(text)
        draft.replace(directory / CARD_NAME)


def read_card(directory: Path) -> NodeCard:
    """The card in `directory`, a node's hot or journal directory.

    Raises:
        ConfigError: there is none, or it is not a card.
    """
    path = directory / CARD_NAME
    try:
        data = json.loads(path.read_text())
        lists = {name: tuple(data.get(name, ())) for name in ("checks", "sessions", "feeds")}
        return NodeCard(**{**data, "symbols": tuple(data["symbols"]), **lists})
    except FileNotFoundError:
        raise ConfigError(f"expected a node's {CARD_NAME}, found none in {directory}; has a node run here?") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: expected a node's card, found {error}; start the node again") from None
