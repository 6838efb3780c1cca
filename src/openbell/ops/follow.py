"""An engine in this process that follows a node's journal, from its newest snapshot on."""

from __future__ import annotations

from pathlib import Path

from openbell import _native as native
from openbell.node.card import NodeCard
from openbell.node.snapshots import open_follower


def follow(card: NodeCard) -> native.Follower:
    """Return a follower of the node's journal; `poll` plays what has been committed since."""
    hot = card.hot_dir if Path(card.hot_dir).is_dir() else ""
    return open_follower(capacity_of_card(card), Path(card.journal_dir), Path(hot or card.journal_dir))


def capacity_of_card(card: NodeCard) -> native.EngineCapacity:
    """The tables of the node's engine, from its card."""
    capacity = native.EngineCapacity()
    capacity.instruments_max = card.instruments_max
    capacity.strategies_max = card.strategies_max
    capacity.book_orders_max = card.book_orders_max
    capacity.limits_max = card.limits_max
    capacity.checks = list(card.checks)
    return capacity
