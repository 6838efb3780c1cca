"""What comes later changes nothing: a tape that is cut, or goes on otherwise, gives the same decisions up to there."""

import random
from pathlib import Path

import numpy as np
import pytest
from bench.flow import make

from openbell.backtest.run import BacktestSettings, run_backtest
from openbell.journal import open_journal
from openbell.types import Type
from tapes import write_records

EVENTS = 1_500
EVERYTHING = Path(__file__).parents[1] / "strategy/compiler/all_verbs.py"
LATENCIES = {"none": (0, 0, 0), "usual": (50_000, 50_000, 50_000), "slow reports": (20_000, 400_000, 2_000_000)}


def otherwise(records: np.ndarray, cut: int, rng: random.Random) -> np.ndarray:
    """The same tape up to `cut`; behind it the market goes another way, faster."""
    other = records.copy()
    behind = other[cut:]
    behind["px"] = np.where(behind["type"] == Type.BOOK_ADD, behind["px"] + 100 * rng.randint(1, 40), behind["px"])
    behind["qty"] = np.maximum(1, behind["qty"] // 2)
    start = records["ts_event"][cut - 1]
    behind["ts_event"] = start + 1 + (behind["ts_event"] - start) // 3
    return other


def decided(records: np.ndarray, folder: Path, speed: str, latency: tuple[int, int, int]) -> list[tuple[int, bytes]]:
    """Every decision and its time; not the rolling hash, which holds the tape's own."""
    tape = write_records(folder / "tape", records)
    feed, order, report = latency
    settings = BacktestSettings(
        tape=tape, strategy_file=EVERYTHING, speed=speed, out=folder / "run",
        feed_latency_ns=feed, order_latency_ns=order, report_latency_ns=report,
    )  # fmt: skip
    assert run_backtest(settings).halts in ((), [])
    frames = [frame for frame in open_journal(folder / "run") if frame.is_decision]
    return [(frame.ts_seq, frame.raw[frame.raw[:, 0] != Type.HASH].tobytes()) for frame in frames]


@pytest.mark.parametrize("latency", LATENCIES)
@pytest.mark.parametrize("speed", ["interpreted", "compiled"])
def test_what_comes_later_changes_no_decision(tmp_path: Path, rng: random.Random, speed: str, latency: str):
    records = make(EVENTS, seed=7)
    cut = rng.randint(EVENTS // 3, EVENTS - 100)
    until = int(records["ts_event"][cut - 1]) + LATENCIES[latency][0]  # when the last common record is heard
    tapes = {"whole": records, "cut": records[:cut], "other": otherwise(records, cut, rng)}

    found = {name: decided(tape, tmp_path / name, speed, LATENCIES[latency]) for name, tape in tapes.items()}
    before = {name: [one for one in decisions if one[0] < until] for name, decisions in found.items()}

    assert len(before["whole"]) > 20, "a strategy that decides nothing proves nothing"
    assert found["other"] != found["whole"], "what comes later must matter later"
    assert before["cut"] == before["whole"]
    assert before["other"] == before["whole"]
