"""What every test may ask for: a printed seed, the shared data, the folder of the repository."""

import os
import random
import signal
from pathlib import Path

import pytest
from hypothesis import settings

REPO = Path(__file__).resolve().parent.parent
os.environ.setdefault("OPENBELL_CACHE", str(REPO / "build/cache"))  # machine code of strategies stays out of the home
# A shell that runs us in the background has SIGINT ignored, and what we start would not hear its Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
settings.register_profile("any machine", deadline=None)  # what a machine does beside a test says nothing of the test
settings.load_profile("any machine")


@pytest.fixture
def repo() -> Path:
    """The root of the source tree."""
    return REPO


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real market data, `data/` under OPENBELL_SHARED or under `shared/` next to the repository."""
    shared = Path(os.environ.get("OPENBELL_SHARED", REPO.parent / "shared"))
    if not (shared / "data").is_dir():
        pytest.skip(f"no market data in {shared / 'data'}: set OPENBELL_SHARED to the folder that holds data/")
    return shared / "data"


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """A fixed seed, or the one in OPENBELL_SEED; shown when the test fails."""
    value = int(os.environ.get("OPENBELL_SEED", "7"))
    print(f"seed {value}: OPENBELL_SEED={value} pytest '{request.node.nodeid}'")
    return value


@pytest.fixture
def rng(seed: int) -> random.Random:
    """A random source from `seed`."""
    return random.Random(seed)
