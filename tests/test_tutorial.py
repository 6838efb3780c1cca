"""The tutorial, as a stranger follows it: every file written, every command run, every line shown compared."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import openbell

TUTORIAL = Path(__file__).parents[1] / "docs/tutorial.md"
SOURCE = Path(openbell.__file__).parents[1]
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND_S_MAX = 120


def test_every_step_of_the_tutorial_gives_what_it_shows(tmp_path):
    if importlib.util.find_spec("numba") is None:
        pytest.skip("step 8 compiles: pip install 'openbell[compiled]'")
    blocks = BLOCK.findall(TUTORIAL.read_text())
    assert len(blocks) >= 10
    for kind, name, text in blocks:
        if kind == "python":
            (tmp_path / name).write_text(text)
            continue
        assert kind == "console", f"a block of {kind!r}: expected python FILE or console"
        for command in text.split("$ ")[1:]:
            line, *shown = command.splitlines()
            said = run(line, tmp_path)
            missing = [one for one in shown if squeezed(one) not in said]
            assert not missing, f"$ {line}\nexpected {missing}, found\n{said}"


def run(command: str, folder: Path) -> str:
    """What `openbell ...` says on both of its streams, runs of spaces as one."""
    program, *arguments = command.split()
    assert program == "openbell"
    done = subprocess.run(
        [sys.executable, "-m", "openbell", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(SOURCE), "COLUMNS": "200", "OPENBELL_CACHE": str(folder / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=COMMAND_S_MAX,
    )
    return squeezed(done.stdout)


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)
