"""The control process by itself: what it says when it cannot start."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("arguments", [["none.toml"], ["none.toml", "paper"]])
def test_without_a_file_it_says_so_and_ends(tmp_path, arguments):
    command = [sys.executable, "-m", "openbell.ops.control", *arguments]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("openbell control: none.toml: expected")
