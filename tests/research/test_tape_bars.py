"""Bars of the native pass are those of the slow one, and add up to what was traded."""

import warnings
from datetime import timedelta

import numpy as np
import pytest

from openbell.errors import ConfigError
from openbell.research import bars, features
from oracles import market_pass as oracle
from research.market_tape import write_market_tape

INTS = ("start", "end", "instrument", "open", "high", "low", "close", "volume", "buy_volume", "sell_volume", "trades")
FLOATS = ("notional", "vwap")


@pytest.fixture
def tape(tmp_path, seed):
    return write_market_tape(tmp_path / "tape", 1_000, seed)


def quiet(*arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bars(*arguments, **options)


def expect_same(found, rows):
    assert len(found) == len(rows) > 5
    for name in INTS:
        assert found[name].to_list() == [row[name] for row in rows], name
    np.testing.assert_allclose(found["notional"], [row["notional"] / 10_000 for row in rows], rtol=1e-12)
    np.testing.assert_allclose(found["vwap"], [row["vwap"] for row in rows], rtol=1e-12)


KINDS = [("time", 700_001), ("tick", 1), ("tick", 7), ("volume", 400), ("dollar", 40_000)]


@pytest.mark.parametrize(("by", "size"), KINDS)
@pytest.mark.parametrize("signs", ["auto", "lee-ready"])
def test_the_slow_pass_says_the_same(tape, by, size, signs):
    expect_same(quiet(tape, by, size, signs=signs), oracle.bars(tape, [0, 1, 2], by, size, signs=signs))


@pytest.mark.parametrize(("by", "size"), KINDS)
def test_of_a_part_of_the_tape_by_its_receipt(tape, by, size):
    times = quiet(tape, "tick", 1, clock="receipt")["start"]
    start, end = times[len(times) // 4], times[3 * len(times) // 4]

    found = quiet(tape, by, size, start=start, end=end, clock="receipt", instruments=["GAMA", "ALFA"])

    expect_same(found, oracle.bars(tape, [0, 2], by, size, start=start, end=end, clock="receipt"))


def test_no_trade_is_lost_or_divided(tmp_path, seed):
    tape = write_market_tape(tmp_path / "tape", 500, seed, breaks=0)

    by_time, by_tick, rows = bars(tape, "time", timedelta(seconds=1)), bars(tape, "tick", 1), features(tape)

    assert by_time["volume"].sum() == by_tick["volume"].sum() == rows["volume"].sum() > 0
    assert (by_time["buy_volume"] - by_time["sell_volume"]).sum() == rows["signed_volume"].sum()


def test_prices_can_be_exact_decimals(tape):
    ints, decimals = quiet(tape, "tick", 5), quiet(tape, "tick", 5, prices="decimal")

    assert [int(px.scaleb(4)) for px in decimals["high"]] == ints["high"].to_list()
    np.testing.assert_allclose(decimals["vwap"], ints["vwap"] / 10_000, rtol=1e-15)
    assert decimals["notional"].to_list() == ints["notional"].to_list()


def test_a_length_of_time_is_ns_text_or_a_timedelta(tmp_path, seed):
    tape = write_market_tape(tmp_path / "tape", 500, seed, breaks=0)
    ns, text, delta = (bars(tape, "time", size) for size in (250_000_000, "250ms", timedelta(milliseconds=250)))

    assert ns.equals(text) and ns.equals(delta) and len(ns) > 1
    assert features(tape, every="1s").equals(features(tape, every=timedelta(seconds=1)))


@pytest.mark.parametrize(
    ("by", "size", "message"),
    [
        ("range", 5, "by: expected one of time, tick, volume, dollar, found 'range'"),
        ("tick", 0, "bars: expected a size above 0, found 0"),
        ("tick", timedelta(seconds=1), "size: expected a number for bars by tick"),
        ("tick", "1s", "size: expected a number for bars by tick"),
        ("time", "1 hour", "expected ns, a timedelta, or text as .*, found '1 hour'"),
    ],
)
def test_what_is_not_acceptable_is_named(tape, by, size, message):
    with pytest.raises(ConfigError, match=message):
        bars(tape, by, size)
