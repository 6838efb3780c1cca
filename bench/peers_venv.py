"""The environment in which peers run, and how a benchmark talks to one: a request a line, an answer in JSON."""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

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


class Beside(NamedTuple):
    """A peer and ours in one run: its first words, its answers, and what each of ours returned."""

    hello: dict[str, Any]
    theirs: list[dict[str, Any]]
    ours: tuple[list[Any], ...]


def run_beside(
    script: str, package: str, rows: np.ndarray, touch: list[int], pairs: int, *ours: Callable[[], Any]
) -> Beside:
    """Alternately, after a run of each that does not count; the peer's book has to end at `touch`."""
    theirs: list[dict[str, Any]] = []
    found: tuple[list[Any], ...] = tuple([] for _ in ours)
    with tempfile.TemporaryDirectory() as scratch:
        np.save(f"{scratch}/rows.npy", rows)
        with peer(script, package, f"{scratch}/rows.npy") as process:
            hello = ask(process)
            ask(process, "run")
            ours[0]()
            for _ in range(pairs):
                theirs.append(ask(process, "run"))
                for one, results in zip(ours, found, strict=True):
                    results.append(one())
    for answer in theirs:
        if answer["touch"] != touch:
            raise RuntimeError(f"expected the peer's book to end at {touch}, found {answer['touch']}")
    return Beside(hello, theirs, found)
