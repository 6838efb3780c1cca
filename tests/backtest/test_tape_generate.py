"""A tape of simulated flow: the same arguments give the same tape, and a backtest plays it."""

from pathlib import Path

from openbell.backtest.run import BacktestSettings, run_backtest
from openbell.backtest.tape import inspect_tape
from openbell.backtest.tape_generate import generate_tape

MARKET_MAKER = Path(__file__).parents[2] / "strategies/market_maker.py"


def test_the_same_seed_gives_the_same_tape_and_another_one_another(tmp_path):
    for name, seed in (("one", 5), ("again", 5), ("other", 6)):
        generate_tape(tmp_path / name, hours=0.02, seed=seed)
    one, again, other = (inspect_tape(tmp_path / name) for name in ("one", "again", "other"))
    assert one.hash == again.hash != other.hash
    assert one.symbols == ("DEMO",)


def test_a_backtest_plays_it(tmp_path):
    told = []
    generate_tape(tmp_path / "tape", hours=0.05, symbol="ABC", progress=lambda done, total: told.append((done, total)))
    result = run_backtest(
        BacktestSettings(tape=tmp_path / "tape", strategy_file=MARKET_MAKER, out=tmp_path / "out"), None
    )
    assert result.book_faults == 0
    assert result.instruments[0].symbol == "ABC"
    assert result.instruments[0].fills > 0
    assert told[-1] == (33, 33)
