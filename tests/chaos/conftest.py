"""Shared memory of a node under test, given back whatever happens."""

import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def hot():
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="openbell-test-") as directory:
        yield Path(directory)
