"""The planted defects can still be planted."""

import subprocess
from pathlib import Path

import pytest
from tests.bugs.__main__ import found_before, is_clean
from tests.bugs.bench import CONTROL, Found
from tests.bugs.patches import BY_SIMULATION, LISTED, NOT_LISTED, PatchError, all_bugs, read_bug

REPO = Path(__file__).resolve().parents[2]
BUGS_LEAST = 25


def test_every_defect_applies_and_names_who_finds_it():
    bugs = all_bugs()
    assert len(bugs) >= BUGS_LEAST
    for bug in bugs:
        bug.apply(REPO, "--check")
        assert bug.found_by == BY_SIMULATION or (REPO / bug.found_by.split()[0]).exists()
        assert len(bug.files()) == 1, "one file, so that little has to be built"
        assert bug.listed == NOT_LISTED or {*bug.listed.split("; ")} <= {*LISTED}, bug.name


def test_a_defect_is_planted_in_a_copy_below_a_repository(tmp_path: Path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    bug = all_bugs()[0]
    (name,) = bug.files()
    copy = tmp_path / "build" / "tree"
    (copy / name).parent.mkdir(parents=True)
    (copy / name).write_bytes((REPO / name).read_bytes())

    bug.apply(copy)
    assert (copy / name).read_bytes() != (REPO / name).read_bytes()

    bug.apply(copy, "-R")
    assert (copy / name).read_bytes() == (REPO / name).read_bytes()


def test_a_patch_of_another_source_says_what_to_do(tmp_path: Path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    with pytest.raises(PatchError, match="plant the same defect"):
        all_bugs()[0].apply(tmp_path, "--check")


def test_a_patch_without_a_header_is_refused(tmp_path: Path):
    path = tmp_path / "bare.patch"
    path.write_text("defect: something\n\ndiff\n")
    with pytest.raises(PatchError, match="found no listed"):
        read_bug(path)


class Looks:
    """A bench whose looks at the tree without a defect end like this."""

    def __init__(self, by: str) -> None:
        self.by, self.asked = by, []

    def control(self, seeds, tests):
        self.asked.append((seeds, tests))
        return Found(CONTROL, self.by, "it is there anyway" if self.by else "", seeds, 0.0, 1.0)


def test_where_something_is_found_without_a_defect_nothing_is_said_of_defects(tmp_path: Path, capsys):
    results, bugs, looks = tmp_path / "found.jsonl", all_bugs(), Looks("sim")

    assert not is_clean(looks, bugs, {}, 500, results)

    assert "sim finds it is there anyway" in capsys.readouterr().out
    ((seeds, tests),) = looks.asked
    assert seeds == 500 and set(tests) == {bug.found_by for bug in bugs} - {BY_SIMULATION}


def test_a_clean_look_is_kept_for_as_many_seeds_as_it_had(tmp_path: Path):
    results, bugs, looks = tmp_path / "found.jsonl", all_bugs(), Looks("")

    for seeds in (100, 100, 500):
        assert is_clean(looks, bugs, found_before(results), seeds, results)

    assert [seeds for seeds, _ in looks.asked] == [100, 500]
