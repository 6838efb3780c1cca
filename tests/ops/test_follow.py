"""Who follows a node by its card has the node's own tables."""

from tests.node.lives import write_node

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
