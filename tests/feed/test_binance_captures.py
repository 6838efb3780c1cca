"""Recorded streams of Binance: the book by snapshot and updates against the venue's independent bookTicker."""

import numpy as np
import pytest

from openbell._native import LevelBooks
from openbell.backtest.run import BacktestSettings, run_backtest
from openbell.backtest.tape_binance import import_binance
from openbell.journal import open_journal
from openbell.types import BUY, RECORDS, SELL, Type
from oracles import binance_book

QUOTER = """
from openbell import Strategy
from openbell.types import Side

class Quoter(Strategy):
    seen: int = 0

    def on_book(self, ctx, book):
        self.seen += 1
        if book.is_valid and self.seen % 10 == 0 and len(book.depth(Side.BUY, 5)) == 5:
            ctx.quote(book.instrument, bid_px=book.bid_px, bid_qty=100, ask_px=book.ask_px, ask_qty=100)
"""
SPOT, USDM = "spot_btcusdt_20240808.gz", "usdm_btcusdt_20240718.gz"


@pytest.fixture(scope="session")
def tapes(shared_data, tmp_path_factory):
    """Name of a recording -> (import's answer, records in order)."""
    made = {}
    for name in (SPOT, USDM):
        out = tmp_path_factory.mktemp("binance") / name
        imported = import_binance(shared_data / "binance_ws" / name, out)
        frames = list(open_journal(out))
        made[name] = (imported, frames)
    return made


def compare(frames):
    """(updates, equal prices and quantities, equal prices): after every update of a valid book its touch against the
    last quote numbered at or before it."""
    books = LevelBooks(1, 1 << 16)
    quotes = sorted(
        (int(f.records["ref"][0]), tuple(int(v) for q in f.records for v in (q["px"], q["qty"])))
        for f in frames
        if f.raw.shape[1] == 48 and f.records["type"][0] == Type.QUOTE
    )
    numbers = np.array([number for number, _ in quotes])
    updates = equal = equal_px = 0
    for frame in frames:
        if frame.raw.shape[1] != 48 or frame.records["type"][0] not in (Type.BOOK_LEVEL, Type.BOOK_CLEAR):
            continue
        assert books.apply(frame.records) == 0
        at = int(np.searchsorted(numbers, int(frame.records["ref"][-1]), "right")) - 1
        if int(frame.records["flags"][-1]) & 16 or at < 0:
            continue
        updates += 1
        touch, quote = books.touch(0), quotes[at][1]
        equal += touch == quote
        equal_px += touch[::2] == quote[::2]
    return updates, equal, equal_px


def control(frames, kind):
    return [f for f in frames if f.raw[0, 0] == kind]


@pytest.mark.parametrize("name", [SPOT, USDM])
def test_a_recording_has_no_gap_and_one_recovery(tapes, name):
    _, frames = tapes[name]
    assert len(control(frames, Type.GAP)) == 1  # before the snapshot
    assert len(control(frames, Type.RECOVERED)) == 1


def test_spot_book_is_the_book_tickers(tapes):
    updates, equal, _ = compare(tapes[SPOT][1])
    print(f"spot: {equal} of {updates} updates equal the bookTicker")
    assert updates - equal <= 2


def test_usdm_book_has_the_book_tickers_prices(tapes):
    updates, equal, equal_px = compare(tapes[USDM][1])
    print(f"usdm: {equal_px} of {updates} updates have the bookTicker's prices, {equal} its quantities too")
    assert updates - equal_px <= 12


@pytest.mark.parametrize("name", [SPOT, USDM])
def test_the_whole_book_is_the_oracles_after_every_update(shared_data, tapes, name):
    _, frames = tapes[name]
    listing = np.frombuffer(frames[0].raw.tobytes(), RECORDS["Instrument"])[0]
    scale = [10 ** int(listing["px_decimals"]), 10 ** int(listing["qty_decimals"])]
    slow = {u: (b.touch(), b.depth()) for u, b in binance_book.books(shared_data / "binance_ws" / name)}
    books = LevelBooks(1, 1 << 16)
    checked = 0
    for frame in frames:
        if frame.raw.shape[1] != 48 or frame.records["type"][0] not in (Type.BOOK_LEVEL, Type.BOOK_CLEAR):
            continue
        books.apply(frame.records)
        number = int(frame.records["ref"][-1])
        if not int(frame.records["flags"][-1]) & 16:
            best, depth = slow[number]
            assert books.touch(0) == tuple(int(v * s) for v, s in zip(best, scale * 2, strict=True))
            assert (len(books.levels(0, BUY)), len(books.levels(0, SELL))) == depth
            checked += 1
    assert checked == len(slow)


def test_every_line_is_accounted_for(tapes):
    imported, frames = tapes[SPOT]
    assert imported.messages == 41_249
    assert sum(len(f.raw) for f in frames) == imported.records
    quotes = sum(f.raw[0, 0] == Type.QUOTE for f in frames)
    trades = sum(f.raw[0, 0] == Type.TRADE for f in frames)
    assert (quotes, trades) == (28_040, 9_757)


def test_a_strategy_trades_on_a_recording(shared_data, tmp_path):
    import_binance(shared_data / "binance_ws" / SPOT, tmp_path / "t")
    (tmp_path / "s.py").write_text(QUOTER)
    settings = BacktestSettings(tape=tmp_path / "t", strategy_file=tmp_path / "s.py", out=tmp_path / "o")
    result = run_backtest(settings)
    (btc,) = result.instruments
    assert (result.book_faults, result.halts, btc.symbol) == (0, [], "BTCUSDT")
    assert btc.orders > 0
    assert btc.refused_for == {}
