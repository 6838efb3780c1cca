"""A supervised node whose disk becomes full halts as it says, loses nothing, and trades again when there is room."""

import os
import subprocess
import sys

import pytest
from tests.journal.test_small_disk import MOUNTS, may_mount

pytestmark = pytest.mark.skipif(not may_mount(), reason="this machine allows no mounts in a namespace")
WITHIN_S = 300


def test_a_full_disk_pulls_the_orders_loses_nothing_and_ends_with_room(tmp_path, hot, repo):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f'mount -t tmpfs -o size=48m tmpfs "{disk}" && exec "$0" -m chaos.full_disk "{hot}" "{disk}"'
    paths = os.pathsep.join(str(repo / name) for name in ("tests", ".", "src"))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([os.environ.get("PYTHONPATH", ""), paths])}
    command = [*MOUNTS, "sh", "-c", mount, sys.executable]

    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=WITHIN_S, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
