"""Finds a node from another process: by name, by its file, or by its hot directory. Imports nothing heavy."""

from __future__ import annotations

import tomllib
from pathlib import Path

from openbell.errors import ConfigError
from openbell.node.card import CARD_NAME, read_card
from openbell.node.page import CONTROL_NAME, JournalPage, read_page
from openbell.node.paths import SHARED_MEMORY

__all__ = ["CONTROL_NAME", "JournalPage", "find_hot_dir", "read_page"]
NODES_MAX = 1_000
"""Folders of the shared memory that are looked through."""


def find_hot_dir(target: str | None = None, shared: Path = SHARED_MEMORY) -> Path:
    """The hot directory of the node that `target` names; without one, of the only node that runs.

    Raises:
        ConfigError: there is no such node, or it is not clear which one is meant.
    """
    if not target:
        return _only_node(shared)
    path = Path(target)
    if path.suffix == ".toml":
        return _hot_dir_of_file(path)
    for directory in (path, shared / target):
        if (directory / CONTROL_NAME).is_file():
            return directory
        if (directory / CARD_NAME).is_file():
            return Path(read_card(directory).hot_dir)
    known = ", ".join(p.name for p in _nodes(shared)) or "none"
    raise ConfigError(
        f"expected a node's name, its .toml file or its hot directory, found {target!r}; known on this host: {known}"
    )


def _only_node(shared: Path) -> Path:
    nodes = _nodes(shared)
    alive = [path for path in nodes if read_page(path).is_alive]
    chosen = alive if len(alive) != 0 else nodes
    if len(chosen) == 1:
        return chosen[0]
    if not chosen:
        raise ConfigError(
            f"expected a node on this host, found none in {shared}; start one with: openbell run examples/node.toml"
        )
    raise ConfigError(f"expected the name of a node, found {len(chosen)}: {', '.join(p.name for p in chosen)}")


def _nodes(shared: Path) -> list[Path]:
    if not shared.is_dir():
        return []
    return sorted(p for p in list(shared.iterdir())[:NODES_MAX] if (p / CONTROL_NAME).is_file())


def _hot_dir_of_file(path: Path) -> Path:
    """From the file's own words alone: a file broken since the start must not stop a kill."""
    try:
        node = tomllib.loads(path.read_text(encoding="utf-8"))["node"]
        run_dir, name = node.get("run_dir"), node["name"]
    except FileNotFoundError:
        raise ConfigError(f"{path}: expected a node file, found none") from None
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise ConfigError(
            f"{path}: expected a [node] table with a name, found {error!r}; give the name itself"
        ) from None
    return (path.parent / Path(run_dir).expanduser()).resolve() if run_dir else SHARED_MEMORY / str(name)
