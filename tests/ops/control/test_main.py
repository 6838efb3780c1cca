"""The control process and the watchdog by themselves: what they say when they cannot start."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("who", ["control", "watchdog"])
@pytest.mark.parametrize("arguments", [["none.toml", "live"], ["none.toml", "paper"]])
def test_without_a_file_it_says_so_and_ends(tmp_path, who, arguments):
    command = [sys.executable, "-m", f"openbell.ops.{who}", *arguments]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"openbell {who}: none.toml: expected")
