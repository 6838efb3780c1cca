"""Processes that a benchmark starts from this checkout, and what it waits for."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.harness import REPO
from openbell import _native as native

START_S = 60.0


def start(module: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
    """`python -m module arguments...`, which reads and writes text."""
    environment = {**os.environ, "PYTHONPATH": f"{REPO / 'src'}:{REPO}"}
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.Popen(command, text=True, env=environment, cwd=REPO, **options)


def wait_until_it_runs(counters: Path, node: subprocess.Popen[str]) -> None:
    """Until the node that publishes `counters` goes round its loop.

    Raises:
        RuntimeError: it has ended, or has not begun in time.
    """
    give_up = time.monotonic() + START_S
    while not (counters.is_file() and dict(native.Counters.attach(str(counters)).read()).get("loops", 0)):
        if node.poll() is not None or time.monotonic() > give_up:
            said = node.communicate()[1] if node.poll() is not None and node.stderr else ""
            raise RuntimeError(f"expected the node to start, found it ended or silent: {said or 'see its words above'}")
        time.sleep(0.05)


def free_port() -> int:
    """A UDP port of the loopback that nobody has now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    """A folder in shared memory, where there is any; gone at the end."""
    path = Path(tempfile.mkdtemp(prefix="openbell-bench-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
