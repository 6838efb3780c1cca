"""`openbell exchange facts` as a process of its own."""

import json
import subprocess
import sys

import pytest


def facts(*arguments):
    command = [sys.executable, "-m", "openbell", "exchange", "facts", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_table_has_a_line_for_every_statistic_and_says_how_many_pass():
    done = facts("--preset", "zero-intelligence", "--hours", "3")

    assert done.returncode == 0, done.stderr
    head, *rows, run, verdict = done.stdout.splitlines()
    assert head.split() == ["statistic", "value", "95", "%", "accepted"]
    assert sorted({int(row.split()[0]) for row in rows}) == list(range(1, 21))
    assert run.startswith("zero-intelligence, seed 1, 3 h: ")
    assert verdict == f"{sum('pass' in row for row in rows)} of {len(rows)} lines pass"


def test_as_json_one_seed_gives_one_answer_and_another_another():
    one, again, other = (
        json.loads(facts("--preset", "zero-intelligence", "--hours", "3", "--seed", seed, "--json").stdout)
        for seed in ("4", "4", "5")
    )

    assert one == again != other
    first = one["facts"][0]
    assert (first["number"], first["accepted"], first["verdict"]) == (1, [-0.05, 0.05], "pass")
    second = one["facts"][1]
    assert first["interval"] == [None, None]  # three hours are too short for that
    assert second["interval"][0] < second["value"] < second["interval"][1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--preset", "calm"), "expected one of large-tick, small-tick, steady, zero-intelligence, found 'calm'"),
        (("--hours", "0"), "expected more than 0 and at most 72, found 0"),
        (("--hours", "73"), "expected more than 0 and at most 72, found 73"),
        (("--seed", "-1"), "expected 0 or more, found -1"),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_line(arguments, message):
    done = facts(*arguments)

    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
