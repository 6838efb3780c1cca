"""A journal's two directories, in shared memory and on disk, gone after the test."""

import shutil
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def hot(tmp_path):
    parent = Path("/dev/shm")
    directory = Path(tempfile.mkdtemp(prefix="openbell-test-", dir=parent if parent.is_dir() else tmp_path))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def disk(tmp_path):
    return tmp_path / "journal"
