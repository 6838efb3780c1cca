"""Seeded sessions with everything that reports can do to a node: the books agree to the last unit in the end.

`OPENBELL_RACES=500 make test ARGS=tests/simulation/test_races.py` runs more; a failing one is `OPENBELL_SEED`.
"""

import os
from collections import Counter
from pathlib import Path

from tests.simulation.races import run_session

SESSIONS = int(os.environ.get("OPENBELL_RACES", "25"))
STEPS = 1_500
FAULTS = {"bust", "correct", "rejects", "early fill", "late fill", "lost ack", "cut"}


def test_ledgers_agree_after_every_race(seed: int, tmp_path: Path):
    done: Counter[str] = Counter()
    for run in range(SESSIONS):
        name = f"races {seed}-{run}"
        try:
            done += run_session(name, tmp_path / str(run), STEPS)
        except AssertionError as error:
            raise AssertionError(f"session {name!r}: {error}") from error
    print(f"{SESSIONS} sessions: {dict(done)}")

    assert set(done) == FAULTS, f"faults that never happened: {FAULTS - set(done)}"
