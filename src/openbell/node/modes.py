"""Modes of a node, and the same node in a safer one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.errors import ConfigError

if TYPE_CHECKING:
    from openbell.node.config import NodeConfig

SAFEST_FIRST = ("shadow", "paper", "live")
"""Modes from the one that sends nothing to the one that trades."""
NAME_LETTERS_MAX = 32


def in_mode(config: NodeConfig, mode: str) -> NodeConfig:
    """The same node in a safer mode, under a name, a journal and a shared memory of its own.

    Raises:
        ConfigError: `mode` is less safe than the file's.
    """
    node = config.node
    if mode not in SAFEST_FIRST or SAFEST_FIRST.index(mode) > SAFEST_FIRST.index(node.mode):
        safer = " or ".join(SAFEST_FIRST[: SAFEST_FIRST.index(node.mode) + 1])
        raise ConfigError(
            f'--mode: expected {safer}, because an override only makes a node safer and the file says "{node.mode}"; '
            f"found {mode}; change [node] mode in the file"
        )
    aside = {
        "name": f"{node.name[: NAME_LETTERS_MAX - len(mode) - 1]}-{mode}",
        "mode": mode,
        "journal_dir": node.journal_dir.with_name(f"{node.journal_dir.name}-{mode}"),
        "run_dir": node.run_dir.with_name(f"{node.run_dir.name}-{mode}") if node.run_dir else None,
    }
    return config.model_copy(update={"node": node.model_copy(update=aside)})
