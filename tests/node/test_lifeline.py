"""A child ends with its supervisor, also with one that died before the child could ask."""

import os
import signal
import subprocess
import sys

import pytest

from openbell.node.lifeline import PARENT, environment_of_child

CHILD = "from openbell.node.lifeline import end_with_parent; end_with_parent(); print('lives')"
GONE = {PARENT: "1"}


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [({}, 0, "lives\n"), (environment_of_child(), 0, "lives\n"), (GONE, -signal.SIGTERM, "")],
    ids=["not told", "there", "gone"],
)
def test_a_child_whose_supervisor_has_died_does_not_begin(more, code, said):
    environment = {name: value for name, value in os.environ.items() if name != PARENT} | more
    if PARENT in more and more is not GONE:
        environment[PARENT] = str(os.getpid())  # of this worker, not of the one that collected
    done = subprocess.run([sys.executable, "-c", CHILD], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (code, said), done.stderr
