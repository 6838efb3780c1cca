"""A session whose strategies are machine code: other threads of Python go on, and callbacks allocate nothing."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from journal.crash.shim import REPO, environment, reason_to_skip
from openbell.backtest import run as backtest
from openbell.backtest.run import BacktestSettings, run_backtest
from tapes import write_tape

COUNTING = Path(__file__).with_name("allocations.py")
TURN = 500


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    return write_tape(tmp_path_factory.mktemp("tape") / "tape", events=12 * TURN)


@pytest.mark.parametrize(("speed", "goes_on"), [("compiled", True), ("interpreted", False)])
def test_other_threads_go_on_where_no_strategy_needs_python(tape, tmp_path, monkeypatch, speed, goes_on):
    start, has_run = threading.Lock(), threading.Event()
    start.acquire()
    other = threading.Thread(target=lambda: start.acquire() and has_run.set())

    def play(session, *_):
        other.start()
        start.release()
        did_run = False
        while session.run(1):
            did_run = did_run or has_run.is_set()
        found.append(did_run)
        return True

    found: list[bool] = []
    interval = sys.getswitchinterval()
    sys.setswitchinterval(3600)  # so that it runs only where Python's lock is given away
    monkeypatch.setattr(backtest, "_play", play)
    try:
        run_backtest(BacktestSettings(tape=tape, strategy_file=COUNTING, speed=speed, out=tmp_path / speed))
    finally:
        sys.setswitchinterval(interval)
        other.join()
    assert found == [goes_on]


@pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip() or "-")
def test_compiled_callbacks_allocate_nothing(tape, tmp_path):
    command = [sys.executable, COUNTING, tape, tmp_path / "run", str(TURN)]
    paths = f"{REPO / 'src'}:{REPO / 'tests'}:{REPO}"
    done = subprocess.run(command, capture_output=True, text=True, env=environment() | {"PYTHONPATH": paths})

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["asked"] > 300, "a list that does not grow proves nothing"
    assert said["allocations"][3:] == [0] * len(said["allocations"][3:]), said
