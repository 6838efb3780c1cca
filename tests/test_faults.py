"""The table of faults says what is: each test, simulated fault and command that it names is there."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.simulation.faults import FAULTS, load

REPO = Path(__file__).resolve().parents[1]
NUMBERS = [f"F{n}" for n in range(1, 41)]
load()


class Row(NamedTuple):
    """One line of the table."""

    number: str
    fault: str
    simulated: str
    shown: str
    missing: str


def rows() -> dict[str, Row]:
    lines = [line for line in (REPO / "docs/faults.md").read_text().splitlines() if line.startswith("| F")]
    found = [Row(*(cell.strip() for cell in line.strip("|").split("|"))) for line in lines]
    assert [row.number for row in found] == NUMBERS
    return {row.number: row for row in found}


@cache
def names_of_tests() -> set[str]:
    """All there are."""
    files = [path for path in (REPO / "tests").rglob("test_*.py") if path != Path(__file__)]
    return {name for path in files for name in re.findall(r"^def (test_\w+)\(", path.read_text(), re.M)}


@pytest.mark.parametrize("number", NUMBERS)
def test_what_is_named_is_there(number: str):
    row = rows()[number]
    named = re.findall(r"`([^`]+)`", row.shown)
    for name in named:
        words = name.split()
        if words[0] == "make":
            assert re.search(rf"^([\w-]+ )*{words[1]}( [\w-]+)*:", (REPO / "Makefile").read_text(), re.M), name
        elif words[0] == "python":
            assert (REPO / f"bench/{words[-1]}.py").is_file(), name
        else:
            assert name in names_of_tests(), name
    assert ", ".join(f"`{name}`" for name in named) == row.shown
    assert row.simulated or row.shown or row.missing


@pytest.mark.parametrize("number", NUMBERS)
def test_what_is_simulated_stands_in_its_row(number: str):
    simulated = {name for name, fault in FAULTS.items() if fault.number == number}
    text = rows()[number].simulated
    for name in sorted(simulated | set(FAULTS), key=len, reverse=True):  # some have a comma in their name
        if name in simulated:
            assert name in text, f"{name} is simulated as {number}: name it in that row of docs/faults.md"
        if re.search(rf"(^|, ){re.escape(name)}(,|$)", text) and FAULTS[name].number != number:
            assert name == "power loss" and number == "F16", f"{name} is {FAULTS[name].number}"
        text = re.sub(rf"(^|, ){re.escape(name)}(?=,|$)", "", text)
    assert text.strip(", ") == "", "nothing of this name is simulated"
