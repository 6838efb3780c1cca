"""Where a node's parts lie by default. Imported by whoever must be fast: nothing else is here."""

from pathlib import Path

SHARED_MEMORY = Path("/dev/shm/openbell")
"""Where the hot directory of a node lies unless its file says otherwise."""
