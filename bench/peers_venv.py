"""The environment in which peers run, and how a benchmark talks to one: a request a line, an answer in JSON."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.harness import REPO, SkippedError

VENV = Path(os.environ.get("OPENBELL_PEERS_VENV", REPO / ".venv-peers"))


@contextmanager
def peer(script: str, package: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """`bench/peers/<script>` in the peers' own environment; skipped when there is none with the package."""
    python = VENV / "bin/python"
    found = (
        python.is_file() and subprocess.run([python, "-c", f"import {package}"], capture_output=True).returncode == 0
    )
    if not found:
        raise SkippedError(
            f"no {package} in {VENV}: python3 -m venv {VENV} && {VENV}/bin/pip install {package} numpy, "
            "or set OPENBELL_PEERS_VENV"
        )
    command = [str(python), str(REPO / "bench/peers" / script), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


def ask(process: "subprocess.Popen[str]", request: str = "") -> dict[str, Any]:
    """The next answer, after `request` when there is one."""
    assert process.stdin and process.stdout
    if request:
        process.stdin.write(request + "\n")
        process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("the peer ended; its message is above")
    return dict(json.loads(line))
