"""A whole backtest: the same every time, honest about what happened, and replayable."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from openbell.backtest.run import BacktestSettings, run_backtest
from openbell.errors import ConfigError, JournalError, StrategyError
from openbell.journal import JournalWriter, open_journal
from openbell.node.record import read_record
from openbell.node.verify import replay
from openbell.types import Side, Type
from tapes import FEED, IN, instrument_record, write_tape

QUOTER = """
from openbell import Strategy, param

class Quoter(Strategy):
    size: int = param(10, ge=1)
    seen: int = 0

    def on_book(self, ctx, book):
        self.seen += 1
        if self.seen % 10 == 0 and book.bid_px and book.ask_px:
            ctx.quote(book.instrument, bid_px=book.bid_px, bid_qty=self.size, ask_px=book.ask_px, ask_qty=self.size)
"""
CLOCKED = """
from openbell import Strategy

class Clocked(Strategy):
    timers: int = 0

    def on_start(self, ctx):
        ctx.set_timer(1, ctx.now_ns + 1_000_000)

    def on_timer(self, ctx, timer_id):
        self.timers += 1
        ctx.set_timer(1, ctx.now_ns + 1_000_000 + int(ctx.random() * 1_000_000))
        book = ctx.book(0)
        if book.bid_px and book.ask_px and ctx.random() < 0.5:
            ctx.quote(0, bid_px=book.bid_px, bid_qty=1 + int(10 * ctx.random()), ask_px=book.ask_px, ask_qty=5)
"""


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    return write_tape(tmp_path_factory.mktemp("tape"))


@pytest.fixture
def strategy(tmp_path):
    """Write a strategy file."""

    def write(source: str) -> Path:
        path = tmp_path / "strategy.py"
        path.write_text(source)
        return path

    return write


def run(tape, strategy, out, **settings):
    return run_backtest(BacktestSettings(tape=tape, strategy_file=strategy, out=out, **settings))


def bytes_of(journal):
    return {path.name: path.read_bytes() for path in sorted(journal.glob("*.seg"))}


def verify(journal, **options):
    return replay(journal, read_record(journal), run_strategies=True, **options)


@pytest.mark.parametrize("source", [QUOTER, CLOCKED])
def test_two_backtests_of_the_same_input_and_seed_give_byte_identical_journals(tape, strategy, tmp_path, source):
    file = strategy(source)

    first = run(tape, file, tmp_path / "a", seed=3)
    run(tape, file, tmp_path / "b", seed=3)

    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b") != {}
    assert (tmp_path / "a/backtest.json").read_bytes() == (tmp_path / "b/backtest.json").read_bytes()
    assert first.instruments[0].fills > 0


def test_another_seed_is_another_run_for_a_strategy_that_draws(tape, strategy, tmp_path):
    file = strategy(CLOCKED)

    one, two = (run(tape, file, tmp_path / str(seed), seed=seed) for seed in (1, 2))

    assert one.card.state_hash != two.card.state_hash
    assert one.card.decisions != two.card.decisions


@pytest.mark.parametrize("source", [QUOTER, CLOCKED])
def test_equal_decisions_are_one_hash_in_both_speeds_and_of_another_source(tape, strategy, tmp_path, source):
    plain = run(tape, strategy(source), tmp_path / "plain")
    compiled = run(tape, strategy(source), tmp_path / "compiled", speed="compiled")
    reworded = run(tape, strategy(source + "\n# a comment\n"), tmp_path / "reworded")
    other = run(tape, strategy(source.replace("bid_px=book.bid_px", "bid_px=book.bid_px - 100")), tmp_path / "other")

    assert plain.card.decisions == compiled.card.decisions == reworded.card.decisions != other.card.decisions
    assert len({one.card.state_hash for one in (plain, compiled, reworded)}) == 3, "the state says what ran"


@pytest.mark.parametrize("source", [QUOTER, CLOCKED])
def test_its_replay_is_identical(tape, strategy, tmp_path, source):
    result = run(tape, strategy(source), tmp_path / "out")

    replayed = verify(tmp_path / "out")

    assert replayed.is_identical and replayed.strategy is not None
    assert (replayed.state_hash, replayed.notes) == (result.card.state_hash, ())


def test_a_changed_strategy_differs_at_a_named_seq_and_field(tape, strategy, tmp_path):
    file = strategy(QUOTER)
    run(tape, file, tmp_path / "out")
    quotes = next(f for f in open_journal(tmp_path / "out") if f.is_decision and f.raw[0, 0] == int(Type.INTENT))
    strategy(QUOTER.replace("bid_px=book.bid_px", "bid_px=book.bid_px - 100"))

    replayed = verify(tmp_path / "out")

    px = int(quotes.record(0)["bid_px"])
    assert replayed.core.is_identical and not replayed.is_identical
    assert replayed.strategy.differs_at == quotes.cause_seq
    assert replayed.strategy.what == f"record 0: INTENT bid_px: expected {px}, found {px - 100}"
    assert "is not the source that ran" in replayed.notes[0]


def test_a_symbol_of_two_venues_has_a_row_for_each_by_its_own_name(strategy, tmp_path):
    journal, now = JournalWriter(str(tmp_path / "tape")), 10**9
    for number in range(2):
        record = instrument_record(now, "OBEL", instrument=number)
        record["venue"] = number
        raw = record.view(np.uint8)
        journal.append(IN, FEED, record.itemsize, raw, source_seq=number + 1, ts_recv=now, ts_seq=now)
    journal.close()

    result = run(tmp_path / "tape", strategy(QUOTER), tmp_path / "out")

    assert [row.symbol for row in result.instruments] == ["OBEL@0", "OBEL@1"]


def test_the_result_is_what_the_journal_says(tape, strategy, tmp_path):
    result = run(tape, strategy(QUOTER), tmp_path / "out")

    (row,) = result.instruments
    fills = [f.record(i) for f in open_journal(tmp_path / "out") for i in range(len(f.raw)) if f.raw[i, 0] == 53]
    signed = [int(f["last_qty"]) * (1 if f["side"] == Side.BUY else -1) for f in fills]
    cash = -sum(q * int(f["last_px"]) for q, f in zip(signed, fills, strict=True))
    assert (row.fills, row.volume, row.position) == (len(fills), sum(map(abs, signed)), sum(signed))
    assert row.position_max == int(np.abs(np.cumsum(signed)).max())
    assert row.pnl is not None
    mid = (row.pnl - Decimal(cash) / 10_000) / row.position if row.position else None
    assert mid is None or 0 < mid < 1_000
    assert row.orders > 0 and row.order_to_trade == (row.orders + row.replaces + row.cancels) / row.fills


def test_a_strategy_that_raises_is_halted_its_quotes_pulled_and_the_backtest_goes_on(tape, strategy, tmp_path):
    file = strategy(QUOTER + "        if self.seen == 1000:\n            raise ValueError('bad price')\n")

    result = run(tape, file, tmp_path / "out")

    (halt,) = result.halts
    assert (halt.strategy, halt.why) == ("Quoter", "ValueError: bad price (strategy.py:13)")
    assert result.card.frames == 3_002 and result.card.is_whole
    after = [f for f in open_journal(tmp_path / "out").seek(halt.seq) if f.is_decision]
    commands = [int(t) for f in after for t in f.raw[:, 0] if Type.NEW_ORDER <= t <= Type.MASS_CANCEL]
    assert commands and set(commands) == {int(Type.CANCEL_ORDER)}
    assert verify(tmp_path / "out").is_identical


RESTLESS = """
from openbell import Strategy
from openbell.types import Side, Type

class Restless(Strategy):
    px: int = 0

    def on_book(self, ctx, book):
        if book.bid_px and not self.px:
            self.px = book.bid_px - 500
            ctx.order(book.instrument, Side.BUY, self.px, 1)

    def on_order(self, ctx, report):
        if report.type == Type.ACCEPTED:
            ctx.cancel(report.cl_ord_id)
        elif report.type == Type.CANCELED:
            ctx.order(report.instrument, Side.BUY, self.px, 1)
"""


def test_a_strategy_that_never_rests_is_ended_after_the_tape(strategy, tmp_path):
    tape = write_tape(tmp_path / "tape", events=50)
    file = strategy(RESTLESS)

    result = run(tape, file, tmp_path / "a")

    assert result.card.is_whole and not result.card.is_at_rest
    assert 10_000 < result.instruments[0].cancels < 65_536
    assert verify(tmp_path / "a").is_identical
    assert run(tape, strategy(QUOTER), tmp_path / "b").card.is_at_rest


def test_risk_limits_hold_and_are_counted(tape, strategy, tmp_path):
    result = run(tape, strategy(QUOTER), tmp_path / "out", max_position_lots=12)

    (row,) = result.instruments
    assert row.position_max <= 12
    assert row.refused_for == {"POSITION": row.refusals} and row.refusals > 0


def test_a_backtest_that_is_stopped_leaves_a_journal_that_replays(tape, strategy, tmp_path, monkeypatch):
    monkeypatch.setattr("openbell.backtest.run.EVENTS_PER_TURN", 500)
    settings = BacktestSettings(tape=tape, strategy_file=strategy(QUOTER), out=tmp_path / "out")

    result = run_backtest(settings, should_stop=lambda: True)

    assert not result.card.is_whole and 0 < result.card.frames < 500
    assert verify(tmp_path / "out").is_identical


def test_progress_reaches_the_end_of_the_tape(tape, strategy, tmp_path, monkeypatch):
    monkeypatch.setattr("openbell.backtest.run.EVENTS_PER_TURN", 1_000)
    seen = []

    settings = BacktestSettings(tape=tape, strategy_file=strategy(QUOTER), out=tmp_path / "out")
    run_backtest(settings, progress=lambda done, total: seen.append((done, total)))

    assert [total for _, total in seen] == [3_002] * len(seen) and sorted(seen) == seen and len(seen) >= 3


def test_the_journal_says_by_default_what_it_is_of(tape, strategy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = strategy(QUOTER)

    names = [Path(run(tape, file, None, seed=seed).card.journal).name for seed in (1, 1, 2)]

    assert names[0] == names[1] != names[2]
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == sorted({names[0], names[2]})


def test_nothing_but_an_earlier_backtest_is_replaced(tape, strategy, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("mine")

    with pytest.raises(JournalError, match="found something else; choose another --out"):
        run(tape, strategy(QUOTER), tmp_path / "out")

    assert (tmp_path / "out/thesis.txt").read_text() == "mine"


def test_a_failed_backtest_leaves_nothing(tape, strategy, tmp_path):
    with pytest.raises(StrategyError, match="expected int, found"):
        run(tape, strategy("from openbell import Strategy\nclass S(Strategy):\n    x: int = 1.5\n"), tmp_path / "out")

    assert sorted(p.name for p in tmp_path.iterdir()) == ["strategy.py"]


def test_a_missing_tape_and_a_wrong_symbol_are_told(tape, strategy, tmp_path):
    with pytest.raises(JournalError, match=r"expected a tape .* found none; make one with `openbell tape import"):
        run(tmp_path / "nowhere", strategy(QUOTER), tmp_path / "out")
    with pytest.raises(ConfigError, match=r"expected symbols of the tape .* \(OBEL\), found 'OBLE'"):
        run(tape, strategy(QUOTER), tmp_path / "out", instruments=("OBLE",))


def test_the_replay_asks_for_the_tape_that_was_used(tape, strategy, tmp_path):
    run(tape, strategy(QUOTER), tmp_path / "out")
    other = write_tape(tmp_path / "other", seed=8)

    with pytest.raises(JournalError, match="expected the one that was used, hash"):
        verify(tmp_path / "out", tape_dir=other)


def test_the_amzn_day_twice_and_replayed(shared_data, repo, tmp_path):
    from openbell.backtest.tape_import import import_tape

    tape = tmp_path / "tape"
    import_tape(shared_data / "lobster/LOBSTER_SampleFile_AMZN_2012-06-21_5.zip", tape)
    file = repo / "strategies/market_maker.py"

    result = run(tape, file, tmp_path / "a")
    run(tape, file, tmp_path / "b")

    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")
    assert verify(tmp_path / "a").is_identical
    assert (result.card.events, result.book_faults, result.halts) == (185_772, 0, [])
    assert result.instruments[0].fills > 1_000
