"""Power cuts and failing calls, a few of each; `make images` and `make nth` do them by the thousand."""

import os
import re
import subprocess
import sys

import pytest

from journal.crash.images import DEFECTS
from journal.crash.shim import reason_to_skip

pytestmark = pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip())


def run(module, *arguments):
    command = [sys.executable, "-m", f"journal.crash.{module}", *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    return result.returncode, result.stdout + result.stderr


def test_whatever_a_power_cut_leaves_is_recovered_to_what_was_promised(seed):
    code, said = run("images", "--scenarios", "6", "--seed", str(seed))

    assert code == 0, said
    assert int(re.search(r"(\d+) different images", said)[1]) > 200, said
    assert int(re.search(r"\((\d+) after a second cut", said)[1]) > 20, said


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_planted_defect_breaks_a_promise(defect):
    code, said = run("images", "--scenarios", "12", "--seed", "8", "--plant", defect)

    assert (code, "VIOLATION" in said) == (1, True), said


def test_what_was_done_is_not_done_again(tmp_path):
    evidence = ["--seed", "5", "--evidence", str(tmp_path / "images.jsonl")]
    run("images", "--scenarios", "2", *evidence)
    first = (tmp_path / "images.jsonl").read_text()

    code, said = run("images", "--scenarios", "3", *evidence)

    assert (code, "3 of 3 scenarios" in said) == (0, True), said
    assert (tmp_path / "images.jsonl").read_text().startswith(first)


def test_every_failing_call_ends_in_an_error_that_teaches_and_loses_nothing(seed):
    code, said = run("nth", "--every", "67", "--seed", str(seed % 67))

    assert code == 0, said
    assert int(re.search(r"(\d+) calls and allocations failed", said)[1]) > 40, said
