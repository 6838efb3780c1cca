"""A venue beside the engine's book does what one with a book of its own does, to the byte of the journal."""

import numpy as np
import pytest

from crossing_flow import CrossingFlow, market
from openbell._native import JournalWriter
from openbell.backtest import run as backtest
from openbell.types import Check, CheckPolicy, TradingState, Type
from tapes import FEED, IN, instrument_record

STEP = 1_000  # ns; times are few, so that much happens at one
STRATEGY = """
from openbell import Strategy
from openbell.types import Side, Tif

class Fickle(Strategy):
    armed: int = 0

    def on_fill(self, ctx, fill):
        book = ctx.book(fill.instrument)
        if ctx.random() < 0.5 and book.bid_px and book.ask_px:
            ask = max(book.ask_px, book.bid_px + 1)
            ctx.quote(fill.instrument, bid_px=book.bid_px, bid_qty=3, ask_px=ask, ask_qty=3)

    def on_timer(self, ctx, timer_id):
        self.armed = 0
        ctx.cancel_all()

    def on_book(self, ctx, book):
        drawn = ctx.random()
        if not (book.bid_px and book.ask_px) or drawn > 0.4:
            return
        if drawn < 0.25:
            bid = book.bid_px - int(ctx.random() * 3)
            ask = max(book.ask_px + int(ctx.random() * 3), bid + 1)
            ctx.quote(book.instrument, bid_px=bid, bid_qty=1 + int(ctx.random() * 20), ask_px=ask, ask_qty=4)
        elif drawn < 0.35:
            side = Side.BUY if drawn < 0.3 else Side.SELL
            px = book.ask_px + 1 if side == Side.BUY else book.bid_px - 1
            ctx.order(book.instrument, side, px, 1 + int(ctx.random() * 30), tif=Tif.IOC if drawn < 0.33 else Tif.DAY)
        elif not self.armed:
            self.armed = 1
            ctx.set_timer(1, ctx.now_ns + 3_000)
"""
LATENCIES = [(0, 0, 0), (1, 1, 1), (3, 0, 3), (2, 3, 4), (50, 1, 50), (4, 2, 9), (0, 2, 7)]


def write_tape(directory, seed, events=2_500):
    """Frames of up to six records, several of a moment, of two instruments; at the end each contradicts its book."""
    rng = np.random.default_rng(seed)
    flows = [CrossingFlow(seed * 2 + n) for n in range(2)]
    journal = JournalWriter(str(directory))
    now = 10**9

    def frame(*records):
        rows = np.array(records)
        journal.append(IN, FEED, rows.itemsize, rows.view(np.uint8), source_seq=1, ts_recv=now, ts_seq=now)

    for n, flow in enumerate(flows):
        flow.next_id = n << 32
        frame(instrument_record(now, f"S{n}", instrument=n, tick=1)[0])
    trading = [market(Type.STATUS, ref=TradingState.TRADING) for _ in flows]
    trading[1]["instrument"] = 1
    frame(*trading)
    for done in range(events):
        now += STEP * int(rng.choice([0, 0, 1, 1, 2, 5]))
        records = []
        for _ in range(int(rng.integers(1, 7))):
            which = int(rng.integers(0, 2))
            record = flows[which].tape()
            if rng.random() < 0.002:
                record, flows[which].live = market(Type.BOOK_CLEAR), {}
            if done > events * (3 + which) // 5 and rng.random() < 0.01:
                record["order_id"], record["type"] = 77 << 40, Type.BOOK_CANCEL
            record["instrument"] = which
            records.append(record)
        frame(*records)
    journal.close()
    return directory


@pytest.mark.parametrize("latency", LATENCIES)
def test_one_book_does_what_two_do(latency, tmp_path, monkeypatch, seed):
    seed += LATENCIES.index(latency)
    tape = write_tape(tmp_path / "tape", seed)
    strategy = tmp_path / "strategy.py"
    strategy.write_text(STRATEGY)
    native_config = backtest._native_config
    journals, results = [], []
    for has_two_books in (False, True):

        def config(*args, has_two_books=has_two_books):
            one = native_config(*args)
            one.has_two_books = has_two_books
            capacity = one.capacity  # this tape is crossed half of the time
            policies = list(capacity.checks)
            policies[Check.CROSSED] = CheckPolicy.MARK
            capacity.checks = policies
            one.capacity = capacity
            return one

        monkeypatch.setattr(backtest, "_native_config", config)
        out = tmp_path / f"out{has_two_books}"
        names = ("feed_latency_ns", "order_latency_ns", "report_latency_ns")
        results.append(
            backtest.run_backtest(
                backtest.BacktestSettings(
                    tape=tape,
                    strategy_file=strategy,
                    out=out,
                    seed=seed,
                    **{name: steps * STEP for name, steps in zip(names, latency, strict=True)},
                )
            )
        )
        journals.append([path.read_bytes() for path in sorted(out.glob("*.seg"))])
    assert journals[0] == journals[1], f"seed {seed}, latency {latency}"
    assert all(i.fills > 50 and i.cancels > 10 for i in results[0].instruments), results[0].instruments
