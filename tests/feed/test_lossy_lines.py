"""Whatever two lines, the request server and the snapshot server lose: the node's books are the exchange's books, and
no book that it calls valid ever differs from the exchange's at that message.

`make feed-sim ARGS="--seeds 10000"` runs more seeds and prints one that fails; `--first N --seeds 1` runs it alone.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.feed.lossy_world import play

SEEDS, PER_TEST = 200, 10


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory: what is tested is not the disk."""
    base = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="openbell-feed-", dir=base if base.is_dir() else None))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("found", ["7-4821"])
def test_days_on_which_a_book_was_wrong_once(found: str, memory: Path):
    """7-4821: after a restart a heartbeat came first, and the snapshot was older than it."""
    play(found, memory)


@pytest.mark.parametrize("first", range(0, SEEDS, PER_TEST))
def test_books_are_the_exchanges_and_never_wrong_while_valid(first: int, seed: int, memory: Path):
    for number in range(first, first + PER_TEST):
        print(f"seed {seed}-{number}")
        play(f"{seed}-{number}", memory / str(number))
