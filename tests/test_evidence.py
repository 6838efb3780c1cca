"""Evidence adds up, counts only what is of code that counts, and every check of it can fail."""

import json
import os
import subprocess
from io import StringIO
from pathlib import Path

import pytest
from bench import stamp
from rich.console import Console
from tests.bugs.bench import CONTROL
from tests.bugs.patches import all_bugs
from tests.evidence import campaigns as c
from tests.evidence import making
from tests.evidence.__main__ import gather
from tests.evidence.report import Codes, code_of, look, report
from tests.simulation.faults import FAULTS, load

from chaos.desk_faults import KINDS

HERE = "0123456789ab"
CODES = Codes(HERE, allowed=frozenset({HERE}))
BY_NAME = {campaign.name: campaign for campaign in c.CAMPAIGNS}
STATES = {f"state {n}": 1 for n in range(c.STATES_MIN)}
load()


def of_simulation(first=0, seeds=50, **facts):
    row = {"kind": "simulation", "code": HERE, "seed": "7", "first": first, "seeds": seeds, "python": 20, "failed": []}
    return row | {"seconds": 4.0, "cells": dict.fromkeys(FAULTS, STATES)} | facts


def met(fault, states):
    """All faults in states enough, but for this one."""
    return dict.fromkeys(FAULTS, STATES) | {fault: states}


def of_kill(number=0, **facts):
    row = {"kind": "kill", "code": HERE, "seed": 1, "kill": number, "standby": False, "behind": 0}
    return row | {"victim": "node", "cancel_only_s": 0.5, "reconciled_s": 1.0} | facts


def of_command(kind, **facts):
    return {"kind": kind, "code": HERE, "command": f"make {kind}", "exit": 0, "said": "", "seed": 7} | facts


OFTEN = dict.fromkeys(KINDS, c.RACES_OF_EACH)
FIGURE = {"median": 1.2}
GOOD = {
    "simulation": of_simulation(seeds=20_000, python=10_000, seconds=1_000.0),
    "bugs": {"kind": "bug", "code": HERE, "name": CONTROL, "by": ""},
    "images": {"kind": "images", "code": HERE, "seed": "7", "scenario": 0, "images": 20_000, "violations": []},
    "kills": of_kill(),
    "races": {"kind": "races", "code": HERE, "seed": 1, "session": 0, "agreed_s": 0.1, "faults": OFTEN},
    "restarts": of_kill(behind=making.MILLION),
    "take-over": of_kill(standby=True),
    "cold replay": {"kind": "bench", "code": HERE, "name": "recovery", "figures": {f"10 M {c.COLD}": FIGURE}},
    "same hash": of_command("same-hash", builds=list(c.BUILDS)),
    "soak": {"kind": "soak", "code": HERE, "hours": 2.1, "problems": []},
    "nth": {"kind": "nth", "code": HERE, "loop": "EIO", "every": 1, "seed": 7, "wrong": []},
    "fuzz": of_command("fuzz", target="journal", runs=c.FUZZ_RUNS),
    "readers": of_command("readers", target="state", runs=10**9),
    "stress": of_command("stress", rounds=c.STRESS_ROUNDS),
    "sanitizers": of_command("sanitizers"),
}


def shown(name, *rows):
    return look(BY_NAME[name], rows, CODES)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_row_is_nothing_wrong_and_counts(name):
    one = shown(name, GOOD[name])

    assert (one.wrong, one.short) == ([], [])
    assert one.there > 0 or name == "bugs"


@pytest.mark.parametrize(
    ("name", "facts", "says"),
    [
        ("simulation", {"failed": ["7-12"]}, "seed 7-12 failed"),
        ("bugs", {"by": "sim", "what": "Violation: x"}, "without a defect: Violation: x"),
        ("images", {"violations": ["7/0, before call 3: lost"]}, "7/0, before call 3: lost"),
        ("kills", {"violation": "fills: 1 lost"}, "fills: 1 lost"),
        ("races", {"violation": "positions differ"}, "positions differ"),
        ("restarts", {"violation": "fills: 1 lost"}, "fills: 1 lost"),
        ("take-over", {"violation": "an id was used twice"}, "an id was used twice"),
        ("same hash", {"exit": 1}, "make same-hash: exit code 1"),
        ("soak", {"problems": ["trading_kib: grew"]}, "trading_kib: grew"),
        ("nth", {"wrong": ["EIO at 3"]}, "EIO at 3"),
        ("fuzz", {"exit": 1, "said": "FINDING"}, "make fuzz: exit code 1: FINDING"),
        ("readers", {"exit": 1}, "make readers: exit code 1"),
        ("stress", {"exit": 66}, "make stress: exit code 66"),
        ("sanitizers", {"exit": 2}, "make sanitizers: exit code 2"),
    ],
)
def test_a_bad_row_is_wrong(name, facts, says):
    (told,) = shown(name, GOOD[name] | facts).wrong
    assert says in told


@pytest.mark.parametrize(
    ("name", "facts", "says"),
    [
        ("simulation", {"cells": met("cut", {"full": 3})}, "cut: in 1 states of a node, expected 8"),
        ("simulation", {"cells": met("halt", {})}, "halt: in 0 states of a node, expected 8"),
        ("simulation", {"python": 10}, "10 of 20000 seeds had a Python strategy"),
        ("simulation", {"seconds": 4_000.0}, "2,000 seeds: expected within 300 s, at this rate 400"),
        ("kills", {"cancel_only_s": 2.5}, "to CANCEL_ONLY: expected p99 within 2 s, found 2.5"),
        ("races", {"faults": OFTEN | {"bust": 3}}, "bust: 3 times, expected 20"),
        ("restarts", {"reconciled_s": 11.0}, "to reconciled: expected p99 within 10 s, found 11"),
        ("take-over", {"cancel_only_s": 1.5}, "to CANCEL_ONLY: expected p99 within 1 s, found 1.5"),
        ("cold replay", {"figures": {f"10 M {c.COLD}": {"median": 31}}}, "expected within 30 s, found 31"),
    ],
)
def test_rows_that_fall_short_are_told(name, facts, says):
    (told,) = shown(name, GOOD[name] | facts).short
    assert says in told


def test_defects_say_nothing_without_a_control_run():
    found = [{"kind": "bug", "code": HERE, "name": bug.name, "by": "sim"} for bug in all_bugs()]

    alone, with_control = shown("bugs", *found), shown("bugs", GOOD["bugs"], *found)

    assert alone.there == with_control.there == len(found) and alone.short and not with_control.lacks


def test_what_went_wrong_does_not_count_as_done():
    assert shown("soak", GOOD["soak"] | {"problems": ["p99.9 grew"]}).there == 0
    assert shown("stress", GOOD["stress"] | {"exit": 1}).there == 0
    assert shown("readers", GOOD["readers"]).there == c.READER_RUNS  # one target of five, however often


def test_rows_of_other_code_do_not_count():
    other = of_simulation(first=50, failed=["7-51"]) | {"code": "ba9876543210"}
    one = shown("simulation", of_simulation(), other, of_simulation(first=100))

    assert (one.there, one.other, one.wrong) == (100, 50, [])


def test_what_is_shown_twice_counts_once_as_it_was_last():
    rows = [of_simulation(failed=["7-3"]), of_simulation(), of_kill(3), of_kill(3)]

    assert (shown("simulation", *rows).there, shown("simulation", *rows).wrong) == (50, [])
    assert shown("kills", *rows).there == 1


def test_a_report_says_what_each_promise_lacks():
    console = Console(record=True, width=200, file=StringIO())
    assert report(console, [of_simulation(), {"seconds": 3}], CODES) == 2
    said = console.export_text()
    assert f"counted: 1 rows of code {HERE}" in said and "not looked at: 1 lines" in said
    assert "19,950 of 20,000 seeds missing" in said and "2,000 of 2,000 kills missing" in said

    assert report(console, [of_simulation(failed=["7-3"])], CODES) == 1
    assert "wrong: simulation: seed 7-3 failed" in console.export_text()


def test_gathering_goes_on_until_nothing_is_added(tmp_path: Path):
    asked = []

    def run(ask):
        asked.append((ask.missing, ask.lines))
        if len(asked) < 3:
            with ask.file.open("a") as file:
                print(json.dumps(of_kill(len(asked))), file=file)

    campaign = c.Campaign(c.CRASHES, "kills", "kills", 5, c.is_kill, c.of("kill"), len, c.violated, run)
    gather([campaign], tmp_path, CODES, float("inf"))

    assert asked == [(5, 0), (4, 1), (3, 2)]


def test_a_command_that_fails_is_a_row_that_says_so():
    row = making._command("stress", "sh", "-c", "echo one; echo FINDING; exit 3")

    assert (row["exit"], row["said"]) == (3, "one / FINDING")


def test_code_is_known_by_commit_by_hash_and_since_when(tmp_path: Path):
    def git(*words):
        who = ("-c", "user.name=a", "-c", "user.email=a@b")
        return subprocess.run(["git", "-C", tmp_path, *who, *words], check=True, capture_output=True, text=True).stdout

    def commit(text):
        (tmp_path / "native").mkdir(exist_ok=True)
        (tmp_path / "native/a.h").write_text(text)
        git("add", "-A")
        git("commit", "-qm", text)
        return git("rev-parse", "HEAD").strip()

    git("init", "-q")
    one, two, three = (commit(text) for text in ("one", "two", "three"))
    codes = [stamp.code_of_commit(each, tmp_path) for each in (one, two, three)]
    assert len({*codes}) == 3 and stamp.code_of_tree(tmp_path) == codes[2]
    assert Codes.of(repo=tmp_path).allowed == {codes[2]}
    assert Codes.of(two, tmp_path).allowed == {codes[1], codes[2]}

    (tmp_path / "native/b.h").write_text("not committed")
    assert stamp.code_of_tree(tmp_path) not in codes
    with pytest.raises(ValueError, match="expected a commit on which this tree stands, found '0000'"):
        Codes.of("0000", tmp_path)
    assert stamp.code_of_commit("0000", tmp_path) == stamp.UNKNOWN


def test_a_core_that_is_older_than_its_sources_makes_no_row_of_them(tmp_path: Path):
    core, native = tmp_path / "core.so", tmp_path / "native"
    for name in ("oms/a.cpp", "fuzz/b.cpp"):
        (native / name).parent.mkdir(parents=True)
        (native / name).touch()
        os.utime(native / name, (1_000, 1_000))
    core.touch()

    def is_newer(at: int) -> bool:
        os.utime(core, (at, at))
        return stamp.is_newer(core, native)

    assert is_newer(1_000) and not is_newer(999)
    os.utime(native / "fuzz/b.cpp", (2_000, 2_000))
    assert is_newer(1_000), "that is no part of it"
    assert not Codes.of().counts({"kind": "kill", "code": stamp.STALE})


def test_a_row_of_an_unknown_or_changed_tree_never_counts():
    assert code_of({"kind": "kill"}) == code_of({"commit": "fc597f8-dirty"}) == stamp.UNKNOWN
    assert not Codes.of().counts({"kind": "kill"})
