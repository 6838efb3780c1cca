"""Multicast as it is in a colocation: a group per line, an interface per line, in a network namespace of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SETUP = """
ip link set lo up
for line in a:91 b:92; do
    ip link add line-${line%:*} type veth peer name far-${line%:*}
    ip addr add 10.${line#*:}.0.1/24 dev line-${line%:*}
    ip link set far-${line%:*} up
    ip link set line-${line%:*} up multicast on
done
"""
TIMEOUT_S = 60


@pytest.fixture(scope="module")
def namespace() -> list[str]:
    """The beginning of a command that runs in a new namespace; the test is skipped where that is not permitted."""
    unshare = shutil.which("unshare")
    if unshare is None or shutil.which("ip", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
        pytest.skip("needs unshare (util-linux) and ip (iproute2)")
    inside = [
        unshare,
        "--map-root-user",
        "--net",
        "sh",
        "-ec",
        f'PATH="$PATH:/usr/sbin:/sbin"\n{SETUP}\nexec "$@"',
        "sh",
    ]
    tried = subprocess.run([*inside, "true"], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if tried.returncode:
        pytest.skip(f"no network namespace with interfaces of its own here: {tried.stderr.strip()}")
    return inside


def test_groups_are_joined_and_heard_in_a_namespace_of_their_own(namespace: list[str], repo: Path, tmp_path: Path):
    tests = repo / "tests/net/in_namespace.py"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--basetemp={tmp_path / 'in'}",
        str(tests),
    ]

    done = subprocess.run(
        [*namespace, *command], cwd=repo, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("....")
