"""Finds a node from another process: by name, by its file, or by its hot directory. Imports nothing heavy."""

from __future__ import annotations

import os
import struct
import tomllib
from dataclasses import dataclass
from pathlib import Path

from openbell.errors import ConfigError
from openbell.node.card import CARD_NAME, read_card
from openbell.node.paths import SHARED_MEMORY

CONTROL_NAME = "journal.ctl"
WRITER_OPEN = 1
NODES_MAX = 1_000
"""Folders of the shared memory that are looked through."""


@dataclass(frozen=True)
class JournalPage:
    """The page where writer, archiver and readers meet (native/journal/control.h)."""

    writer_pid: int
    state: int
    epoch: int
    committed_seq: int
    durable_seq: int

    @property
    def is_alive(self) -> bool:
        """A process holds the journal open. A process that died in the middle does not."""
        return self.state == WRITER_OPEN and _is_process(self.writer_pid)


def read_page(hot_dir: Path) -> JournalPage:
    """The journal's page in `hot_dir`; zeros when no node has opened a journal there."""
    try:
        with (hot_dir / CONTROL_NAME).open("rb") as file:
            raw = file.read(256)
    except OSError:
        raw = b""
    if len(raw) < 256 or raw[:8] != b"openbctl":
        return JournalPage(0, 0, 0, 0, 0)
    pid, state, epoch = struct.unpack_from("<III", raw, 24)
    (committed,) = struct.unpack_from("<Q", raw, 80)
    (durable,) = struct.unpack_from("<Q", raw, 144)
    return JournalPage(pid, state, epoch, committed, durable)


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


def _is_process(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        try:
            os.kill(pid, 0)
        except OSError:
            return False
        return True
    return state not in ("Z", "X")
