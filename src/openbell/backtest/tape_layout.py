"""Where tapes lie: `<root>/<venue>/<first day>/<name>`, plain folders, each with its own index file."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from openbell.backtest.tape import TapeFacts, write_index
from openbell.errors import JournalError

ROOT = Path("tapes")
"""Of the catalog, in the folder of whoever asks, unless they say another."""


def name_for(file: Path) -> str:
    """The file's name without what says its format: `nasdaq_20200130.itch.gz` -> `nasdaq_20200130`."""
    return re.sub(r"(?i)(\.(itch|txt|bin|gz|zip|zst|dbn|pcap|pcapng|json|ws))+$", "", file.name) or file.name


def place(root: Path, name: str, make: Callable[[Path], object]) -> TapeFacts:
    """Have `make` write a tape, index it, and put it where the catalog keeps it; its facts.

    Raises:
        JournalError: a tape of this name is there; nothing was changed.
    """
    unplaced = root / f".{name}.unplaced"
    shutil.rmtree(unplaced, ignore_errors=True)  # of an earlier attempt that was killed
    try:
        make(unplaced)
        facts = write_index(unplaced)
        path = path_of(root, facts, name)
        if path.exists():
            raise JournalError(f"expected no tape at {path} yet, found one; give this one another place with --out")
        path.parent.mkdir(parents=True, exist_ok=True)
        unplaced.replace(path)
    except BaseException:
        shutil.rmtree(unplaced, ignore_errors=True)
        raise
    return facts.moved_to(path)


def path_of(root: Path, facts: TapeFacts, name: str) -> Path:
    """The tape's place."""
    return root / facts.venue / facts.dates[0].isoformat() / name
