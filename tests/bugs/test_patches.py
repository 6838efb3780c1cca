"""The planted defects can still be planted."""

import subprocess
from pathlib import Path

import pytest
from tests.bugs.patches import BY_SIMULATION, PatchError, all_bugs, read_bug

REPO = Path(__file__).resolve().parents[2]
BUGS_LEAST = 25


def test_every_defect_applies_and_names_who_finds_it():
    bugs = all_bugs()
    assert len(bugs) >= BUGS_LEAST
    for bug in bugs:
        bug.apply(REPO, "--check")
        assert bug.found_by == BY_SIMULATION or (REPO / bug.found_by.split()[0]).exists()
        assert len(bug.files()) == 1, "one file, so that little has to be built"


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
