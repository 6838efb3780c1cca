"""References over made-up sessions and a real day: never a malformed order, the same every time and in both speeds."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.strategies.references import MALFORMED, REFERENCES, Reference
from tests.strategies.sessions import write_session
from tests.strategies.tapes import many_of_one

from openbell.backtest.result import BacktestResult
from openbell.backtest.run import BacktestSettings, run_backtest
from openbell.backtest.tape_import import import_tape
from openbell.node.record import read_record
from openbell.node.verify import replay

SEEDS = (1, 2, 3)
AMZN = "lobster/LOBSTER_SampleFile_AMZN_2012-06-21_5.zip"


@pytest.fixture(scope="module")
def session_of(tmp_path_factory):
    """The tape of a seed, made once."""
    home = tmp_path_factory.mktemp("sessions")
    return cache(lambda seed: write_session(home / str(seed), seed))


@pytest.fixture(scope="module")
def amzn_of(tmp_path_factory, shared_data):
    """The AMZN day as so many venues as a reference trades, each some seconds behind the one before."""
    if not (shared_data / AMZN).is_file():
        pytest.skip(f"no {AMZN} in {shared_data}")
    home = tmp_path_factory.mktemp("amzn")
    import_tape(shared_data / AMZN, home / "one")
    return cache(lambda count: home / "one" if count == 1 else many_of_one(home / "one", home / str(count), count))


def run(reference: Reference, tape: Path, out: Path, params: dict[str, Any], **settings: Any) -> BacktestResult:
    """A backtest with limits that no reference reaches by being what it is."""
    wide = {"max_position_lots": 100_000, "max_order_lots": 100_000}
    settings |= wide | {"strategy_file": reference.file, "params": params}
    return run_backtest(BacktestSettings(tape=tape, out=out, **settings))


def check(found: BacktestResult, again: BacktestResult) -> None:
    """It traded, asked for nothing malformed, did the same once more, and would have done so in the other speed."""
    mistakes = {reason: n for row in found.instruments for reason, n in row.refused_for.items() if reason in MALFORMED}
    assert not found.halts
    assert not mistakes
    assert sum(row.orders for row in found.instruments) > 0
    assert found.card.state_hash == again.card.state_hash
    journal = Path(found.card.journal)
    compiled = replay(journal, read_record(journal), run_strategies=True, speed="compiled")
    assert compiled.is_identical, compiled
    assert not compiled.notes


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("reference", REFERENCES, ids=str)
def test_a_made_up_session(reference, seed, session_of, tmp_path):
    tape = session_of(seed)

    found, again = (run(reference, tape, tmp_path / n, reference.params, instruments=reference.symbols) for n in "ab")

    check(found, again)


@pytest.mark.parametrize("reference", REFERENCES, ids=str)
def test_a_real_day(reference, amzn_of, tmp_path):
    tape = amzn_of(len(reference.symbols))

    found, again = (run(reference, tape, tmp_path / n, reference.params | reference.day) for n in "ab")

    check(found, again)


@pytest.mark.parametrize("reference", REFERENCES, ids=str)
def test_what_ran_compiled_is_what_runs_interpreted(reference, session_of, tmp_path):
    tape = session_of(SEEDS[0])
    run(reference, tape, tmp_path / "run", reference.params, instruments=reference.symbols, speed="compiled")

    found = replay(tmp_path / "run", read_record(tmp_path / "run"), run_strategies=True, speed="interpreted")

    assert found.is_identical, found
