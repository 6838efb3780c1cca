"""Who follows a node by its card has the node's own tables."""

from dataclasses import replace

import pytest
from tests.node.lives import write_node

from openbell.errors import ConfigError
from openbell.node import assemble
from openbell.node.card import card_of, read_card, write_card
from openbell.node.config import load_node
from openbell.node.record import CapacityRecord
from openbell.ops.follow import capacity_of_card


def test_every_table_of_the_node_is_on_its_card(tmp_path, monkeypatch):
    for name in ("INSTRUMENTS_MAX_LEAST", "STRATEGIES_MAX_LEAST", "LIMITS_MAX_LEAST"):
        monkeypatch.setattr(assemble, name, 4_096)
    config = load_node(write_node(tmp_path))

    write_card(card_of(config, tmp_path / "node.toml"))

    found = capacity_of_card(read_card(config.node.journal_dir))
    assert CapacityRecord.of(found) == CapacityRecord.of(assemble.capacity_of(config))


@pytest.mark.parametrize(
    ("before", "now", "moved"),
    [
        (("a", "b"), ("b", "a"), "a, b"),
        (("a",), ("b", "a"), "a"),
        (("a", "b"), ("b",), "b"),
        (("a", "b"), ("a", "c", "b"), "b"),
        (("a", "b"), ("a", "b", "c"), ""),
        (("a", "b"), ("a",), ""),
        (("a",), ("renamed",), ""),
        ((), ("a",), ""),
    ],
)
def test_a_session_keeps_its_place_as_long_as_the_journal_goes_on(tmp_path, before, now, moved):
    config = load_node(write_node(tmp_path))
    card = replace(card_of(config, tmp_path / "node.toml"), sessions=before)
    write_card(card)
    if not moved:
        return write_card(replace(card, sessions=now))
    with pytest.raises(ConfigError, match=f"found {moved} at another place: a session goes on by its place"):
        write_card(replace(card, sessions=now))
    return None
