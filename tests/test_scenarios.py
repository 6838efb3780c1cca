"""Every case of tests/scenarios/*.txt, on the oracle and on the engine."""

from pathlib import Path

import pytest

from scenarios.language.backends import oracle_for
from scenarios.language.native import native_for
from scenarios.language.play import play
from scenarios.language.read import read_cases
from scenarios.language.steps import Case

FOLDER = Path(__file__).parent / "scenarios"
CASES = [
    pytest.param(case, id=f"{path.stem}: {case.name}")
    for path in sorted(FOLDER.glob("*.txt"))
    for case in read_cases(path.read_text())
]


@pytest.mark.parametrize("case", CASES)
def test_oracle_plays_the_case(case: Case):
    play(case, oracle_for(case))


@pytest.mark.parametrize("case", CASES)
def test_engine_plays_the_case(case: Case):
    play(case, native_for(case))
